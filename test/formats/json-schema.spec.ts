import { readdirSync, readFileSync } from 'node:fs'
import { Commit, jsonSchemas, reader, type JsonSchema, type StoredEvent } from '@countersign/contracts'
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { describe, expect, it } from 'vitest'
import { changedOnce } from './changed-once.ts'
import { CONTRACTS, pathOf, readGolden, samplesOf } from './golden.ts'

const FOLDER = pathOf('../../libs/contracts/schema/')
const committed = new Map(readdirSync(FOLDER).map((file) => [file, readFileSync(FOLDER + file, 'utf8')]))

const validatorOf = (name: string): ((value: unknown) => boolean) => {
  // Strict: a keyword that does nothing is an error. A field that may be null has two types.
  const ajv = new Ajv2020({ strict: true, allowUnionTypes: true })
  addFormats.default(ajv)
  const validate = ajv.compile(JSON.parse(committed.get(`${name}.json`) ?? 'false') as JsonSchema)
  return (value) => validate(value) === true
}

describe('the published JSON Schemas', () => {
  it('are what the contracts generate now, none missing and none left over', () => {
    const generated = [...jsonSchemas()].map(([name, schema]) => [`${name}.json`, pretty(schema)] as const)
    expect(
      Object.fromEntries(committed),
      'run `node --conditions=source libs/contracts/scripts/write-schemas.ts`',
    ).toEqual(Object.fromEntries(generated))
  })

  it('name themselves, each by one name', () => {
    const ids = [...committed.values()].map((text): unknown => JSON.parse(text).$id)
    expect(ids.sort()).toEqual([...jsonSchemas().keys()].map((name) => `urn:countersign:${name}`).sort())
  })
})

describe.each(CONTRACTS)('the JSON Schema of $name', ({ name, family }) => {
  const valid = validatorOf(name)
  const readable = (stored: StoredEvent) => succeeds(() => reader(family)(stored))

  it('accepts the golden file', () => expect(samplesOf(name).filter((sample) => !valid(sample))).toEqual([]))

  it('agrees with the reader on whatever is changed in it', () => {
    for (const sample of samplesOf(name)) {
      for (const data of changedOnce(sample.data)) {
        const stored = { ...sample, data }
        expect([valid(stored), data]).toEqual([readable(stored), data])
      }
    }
  })

  it('accepts no other type and no other version', () => {
    const [sample] = samplesOf(name)
    expect([valid({ ...sample, type: `${sample?.type}x` }), valid({ ...sample, version: 99 })]).toEqual([false, false])
  })
})

describe('the JSON Schema of commit@1', () => {
  const valid = validatorOf('commit@1')
  const golden: unknown = JSON.parse(readGolden('commit@1/value.json').toString())

  it('accepts the golden record', () => expect(valid(golden)).toBe(true))

  it('agrees with the reader on whatever is changed in it', () => {
    for (const changed of changedOnce(golden)) {
      expect([valid(changed), changed]).toEqual([Commit.safeParse(changed).success, changed])
    }
  })
})

const pretty = (schema: JsonSchema) => `${JSON.stringify(schema, undefined, 2)}\n`

const succeeds = (read: () => unknown): boolean => {
  try {
    read()
    return true
  } catch {
    return false
  }
}
