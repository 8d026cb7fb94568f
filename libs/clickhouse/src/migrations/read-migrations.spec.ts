import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readMigrations } from './read-migrations.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'migrations-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const TABLE = 'CREATE TABLE IF NOT EXISTS t (a UInt8) ENGINE = MergeTree ORDER BY a;'

describe('readMigrations', () => {
  it('reads files in the order of their numbers', () => {
    writeFileSync(join(folder, '002-more.sql'), 'ALTER TABLE t ADD COLUMN IF NOT EXISTS b UInt8;')
    writeFileSync(join(folder, '001-first.sql'), TABLE)
    expect(readMigrations(folder).map(({ number, name, statements }) => [number, name, statements.length])).toEqual([
      [1, '001-first.sql', 1],
      [2, '002-more.sql', 1],
    ])
  })

  it('sees any change of a file in its checksum', () => {
    writeFileSync(join(folder, '001-first.sql'), TABLE)
    const [before] = readMigrations(folder)
    writeFileSync(join(folder, '001-first.sql'), `${TABLE} `)
    expect(readMigrations(folder)[0]?.checksum).not.toBe(before?.checksum)
  })

  it.each([
    ['a gap', ['001-first.sql', '003-third.sql']],
    ['a start other than 1', ['002-first.sql']],
    ['two of one number', ['001-first.sql', '001-other.sql']],
    ['a name without a number', ['first.sql']],
  ])('refuses %s', (_, names) => {
    for (const name of names) writeFileSync(join(folder, name), TABLE)
    expect(() => readMigrations(folder)).toThrow(expect.objectContaining({ code: 'MIGRATION_MALFORMED' }))
  })

  it.each([
    'CREATE TABLE t (a UInt8) ENGINE = MergeTree ORDER BY a',
    'ALTER TABLE t ADD COLUMN b UInt8',
    'DROP TABLE t',
    'INSERT INTO t VALUES (1)',
    'ALTER TABLE t DELETE WHERE 1',
  ])('refuses what cannot be run twice: %s', (statement) => {
    writeFileSync(join(folder, '001-first.sql'), statement)
    expect(() => readMigrations(folder)).toThrow(/cannot be run twice/)
  })
})
