import { closing, openClickhouse, type ClickHouseClient, type ClickhouseServer } from '../client.ts'
import { MigrationError } from './migration-error.ts'
import type { Migration } from './read-migrations.ts'

/**
 * Brings a database to the newest schema: makes it when it is not there, and runs each migration that it has not had.
 *
 * Each is recorded, with its checksum, after its last statement has run. Two that do this at once run the same
 * repeatable statements and record the same row. A released migration that was edited is refused, as is a database
 * that has had more than we know. Resolves to the names of those that were run now.
 */
export const migrate = async (
  server: ClickhouseServer,
  database: string,
  migrations: readonly Migration[],
): Promise<readonly string[]> => {
  await using outside = closing(openClickhouse(server))
  await outside.client.command({ query: `CREATE DATABASE IF NOT EXISTS ${quoted(database)}` })

  // The statements name no database, so that they fit any.
  await using inside = closing(openClickhouse(server, database))
  await inside.client.command({ query: SCHEMA_MIGRATIONS })
  const pending = pendingOf(database, migrations, await readApplied(inside.client))
  for (const migration of pending) await apply(inside.client, migration)
  return pending.map(({ name }) => name)
}

/** An identifier, quoted. */
export const quoted = (name: string): string => `\`${name.replace(/[\\`]/g, '\\$&')}\``

const SCHEMA_MIGRATIONS = `
  CREATE TABLE IF NOT EXISTS schema_migrations
  (
      number     UInt32 COMMENT 'Number of the migration',
      name       String COMMENT 'Its file',
      checksum   FixedString(64) COMMENT 'SHA-256 over its bytes, in hexadecimal',
      applied_at DateTime64(3, 'UTC') DEFAULT now64(3)
  )
  ENGINE = ReplacingMergeTree
  ORDER BY number
  SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
  COMMENT 'Which migrations this database has had.'`

interface Applied {
  readonly number: number
  readonly name: string
  readonly checksum: string
}

const readApplied = async (client: ClickHouseClient): Promise<readonly Applied[]> => {
  const query = 'SELECT number, name, checksum FROM schema_migrations FINAL ORDER BY number'
  return (await client.query({ query, format: 'JSONEachRow' })).json<Applied>()
}

const pendingOf = (database: string, known: readonly Migration[], applied: readonly Applied[]) => {
  const byNumber = new Map(known.map((migration) => [migration.number, migration]))
  for (const { number, name, checksum } of applied) {
    const migration = byNumber.get(number)
    if (!migration) throw unknown(database, name)
    if (migration.checksum !== checksum) throw changed(database, migration.name)
    byNumber.delete(number)
  }
  return [...byNumber.values()]
}

const apply = async (client: ClickHouseClient, migration: Migration): Promise<void> => {
  for (const query of migration.statements) {
    try {
      await client.command({ query })
    } catch (cause) {
      throw new MigrationError('MIGRATION_FAILED', `${migration.name}: ${messageOf(cause)}`, { cause })
    }
  }
  const { number, name, checksum } = migration
  await client.insert({
    table: 'schema_migrations',
    format: 'JSONEachRow',
    columns: ['number', 'name', 'checksum'],
    values: [{ number, name, checksum }],
  })
}

const messageOf = (error: unknown) => (error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error))

const unknown = (database: string, name: string) =>
  new MigrationError(
    'MIGRATION_UNKNOWN',
    `database \`${database}\` has had ${name}, which this version does not know: run the newer version`,
  )

const changed = (database: string, name: string) =>
  new MigrationError(
    'MIGRATION_CHANGED',
    `${name} was changed after database \`${database}\` had it: restore the file, and put the change into a new one`,
  )
