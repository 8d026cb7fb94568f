import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { jsonSchemas, reader, writer } from '@countersign/contracts'
import { describe, expect, it } from 'vitest'
import { CONTRACTS, expectedOf, pathOf, readGolden, samplesOf } from './golden.ts'
import { untold } from './untold.ts'

const files = readdirSync(pathOf('golden/'), { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map(({ parentPath, name }) => `${parentPath}/${name}`.slice(pathOf('golden/').length).replace(/^\//, ''))

describe('golden files', () => {
  it('are there for every version of every event, and for nothing else', () =>
    expect(files.filter((file) => !file.includes('/') && file.endsWith('.json')).sort()).toEqual(
      CONTRACTS.map(({ name }) => `${name}.json`).sort(),
    ))

  it('are as they were when they were released', () => {
    const digests = files
      .filter((file) => file !== 'SHA256SUMS')
      .map((file) => `${createHash('sha256').update(readGolden(file)).digest('hex')}  ${file}`)
    const released = readFileSync(pathOf('golden/SHA256SUMS'), 'utf8').trimEnd().split('\n')
    expect(digests.sort()).toEqual(released.sort())
  })
})

describe.each(CONTRACTS)('the golden file of $name', (golden) => {
  const { name, contract, family } = golden
  const { type, version } = contract
  const samples = samplesOf(name)

  it('is read by today’s reader into what it should be, and written so by today’s writer', () => {
    expect(samples).toMatchObject(samples.map(() => ({ type, version })))
    const read = samples.map((sample) => reader(family)(sample))
    expect(read.map(writer(family))).toStrictEqual(expectedOf(golden))
  })

  it('shows every field, and every optional one also missing', () =>
    expect(untold(jsonSchemas().get(name) ?? {}, samples)).toEqual([]))
})
