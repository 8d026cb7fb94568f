import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { RequestId } from '@countersign/contracts'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { UndoStore } from './undo-store.ts'

const REQUEST = 'rq_0123456789' as RequestId
const OTHER = 'rq_abcdefghjk' as RequestId
const TEN = '2026-11-23T10:00:00.000Z'
const NOON = '2026-11-23T12:00:00.000Z'
const ROWS = Buffer.from('rows of people')

let folder: string
let store: UndoStore
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'undo-store-'))
  store = new UndoStore(folder)
})
afterEach(() => rmSync(folder, { recursive: true }))

const bytesOnDisk = () =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1'))
    .join('\n')

describe('what rows were', () => {
  it('is kept for a time, and is the same for a node that has been started again', () => {
    store.keep(REQUEST, NOON, ROWS)
    expect(new UndoStore(folder).open(REQUEST, TEN)).toEqual(ROWS)
    expect(store.open(REQUEST, NOON)).toBeUndefined()
    expect(store.open(OTHER, TEN)).toBeUndefined()
  })

  it('is on disk under a key only', () => {
    store.keep(REQUEST, NOON, ROWS)
    expect(bytesOnDisk()).not.toContain('rows of')
    expect(bytesOnDisk()).not.toContain(ROWS.toString('base64').slice(0, 12))
  })

  it('is gone when it has expired, also after a start, and with its key; what has not stays', () => {
    store.keep(REQUEST, TEN, ROWS)
    store.keep(OTHER, NOON, ROWS)
    expect(new UndoStore(folder).expire(TEN)).toEqual([REQUEST])
    expect(new UndoStore(folder).expire(TEN)).toEqual([])
    expect(readdirSync(join(folder, 'undo'))).toEqual([`${OTHER}.json`])
    expect(readdirSync(join(folder, 'keys'))).toEqual([`undo.${OTHER}.json`])
  })

  it('cannot be read by anybody without its key, whatever copy there is', () => {
    store.keep(REQUEST, NOON, ROWS)
    const file = join(folder, 'undo', `${REQUEST}.json`)
    const copy = readFileSync(file)
    store.erase(REQUEST)
    writeFileSync(file, copy)
    expect(() => store.open(REQUEST, TEN)).toThrow()
  })

  it('cannot be taken for that of another request', () => {
    store.keep(REQUEST, NOON, ROWS)
    store.keep(OTHER, NOON, Buffer.from('others'))
    const [one, two] = [REQUEST, OTHER].map((each) => join(folder, 'undo', `${each}.json`))
    writeFileSync(one ?? '', readFileSync(two ?? ''))
    expect(() => store.open(REQUEST, TEN)).toThrow('belongs to another request')
  })

  it('is nothing where nothing was kept', () => {
    expect(store.expire(NOON)).toEqual([])
    store.erase(REQUEST)
  })
})
