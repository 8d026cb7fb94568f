import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { MigrationError } from './migration-error.ts'
import { splitStatements } from './split-statements.ts'

export interface Migration {
  readonly number: number
  /** The file's name. */
  readonly name: string
  /** SHA-256 of the file's bytes. */
  readonly checksum: string
  readonly statements: readonly string[]
}

/**
 * What may stand in a migration: only what can be run a second time without harm. A server that dies in the middle of
 * a file, and two auditors that start at once, both run statements again; ClickHouse has no transaction to undo them.
 */
const REPEATABLE =
  /^(CREATE (TABLE|DICTIONARY|FUNCTION) IF NOT EXISTS|CREATE OR REPLACE|DROP \w+ IF EXISTS|ALTER TABLE \S+ (ADD (COLUMN|INDEX|PROJECTION) IF NOT EXISTS|DROP (COLUMN|INDEX) IF EXISTS|COMMENT COLUMN|MODIFY (COMMENT|SETTING|TTL|COLUMN)))\b/i

/** Reads `NNN-name.sql` files in the order of their numbers, which start at 1 and leave none out. */
export const readMigrations = (folder: string): readonly Migration[] => {
  const names = readdirSync(folder).filter((name) => name.endsWith('.sql'))
  return names.sort().map((name, i) => readMigration(folder, name, i + 1))
}

const readMigration = (folder: string, name: string, expected: number): Migration => {
  const number = Number(/^(\d{3})-[a-z0-9-]+\.sql$/.exec(name)?.[1])
  if (number !== expected) {
    throw malformed(name, `expected \`${String(expected).padStart(3, '0')}-<name>.sql\` in its place`)
  }
  const bytes = readFileSync(join(folder, name))
  const statements = splitStatements(bytes.toString('utf8'))
  for (const statement of statements) demandRepeatable(name, statement)
  return { number, name, checksum: createHash('sha256').update(bytes).digest('hex'), statements }
}

const demandRepeatable = (name: string, statement: string): void => {
  if (REPEATABLE.test(statement.replace(/\s+/g, ' '))) return
  throw malformed(name, `cannot be run twice: \`${statement.slice(0, 60)}\`; write it with IF [NOT] EXISTS`)
}

const malformed = (name: string, reason: string) => new MigrationError('MIGRATION_MALFORMED', `${name}: ${reason}`)
