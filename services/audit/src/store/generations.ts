import { closing, migrate, openClickhouse, quoted, type ClickhouseServer } from '@countersign/clickhouse'
import { auditMigrations } from './migrations.ts'
import { publishViews } from './public-views.ts'

/** A server, and the database in it that people read. */
export interface AuditDatabase extends ClickhouseServer {
  readonly database: string
}

/*
 * What people read (`countersign.statements` and so on) are views. The rows lie in a database beside it, one for each
 * generation of the projection: `countersign_g1` at first, `countersign_g2` after a rebuild. A table of two columns
 * says which generation is the current one, and the views are made from that, so a rebuild becomes visible table by
 * table at once, readers never see an empty one, and an auditor that still writes to the old generation writes to
 * something that nobody reads.
 */

/** Makes everything that is missing, and resolves to the data database of the current generation. */
export const openCurrentGeneration = async (server: AuditDatabase): Promise<string> => {
  await using outside = closing(openClickhouse(server))
  await outside.client.command({ query: `CREATE DATABASE IF NOT EXISTS ${quoted(server.database)}` })
  await outside.client.command({ query: GENERATIONS(server.database) })
  const current = (await newest(server)) ?? (await declare(server, 1))
  const data = dataDatabase(server, current)
  await migrate(server, data, auditMigrations())
  await publishViews(server, data)
  return data
}

/** The data database of the current generation, or undefined when there has never been one. */
export const currentGeneration = async (server: AuditDatabase): Promise<string | undefined> => {
  const current = await newest(server)
  return current === undefined ? undefined : dataDatabase(server, current)
}

/** Makes an empty generation, which nobody reads until it is made the current one. */
export const createGeneration = async (server: AuditDatabase): Promise<number> => {
  const generation = Math.max(0, ...(await existing(server))) + 1
  await migrate(server, dataDatabase(server, generation), auditMigrations())
  return generation
}

/** From here on people read this generation; the ones before it are dropped. */
export const makeCurrent = async (server: AuditDatabase, generation: number): Promise<void> => {
  await declare(server, generation)
  await publishViews(server, dataDatabase(server, generation))
  await using outside = closing(openClickhouse(server))
  for (const older of await existing(server)) {
    if (older >= generation) continue
    await outside.client.command({ query: `DROP DATABASE IF EXISTS ${quoted(dataDatabase(server, older))} SYNC` })
  }
}

export const dataDatabase = ({ database }: AuditDatabase, generation: number): string => `${database}_g${generation}`

const GENERATIONS = (database: string) => `
  CREATE TABLE IF NOT EXISTS ${quoted(database)}._generations
  (
      generation UInt32 COMMENT 'The highest one is the current one',
      since      DateTime64(3, 'UTC') DEFAULT now64(3)
  )
  ENGINE = ReplacingMergeTree
  ORDER BY generation
  SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
  COMMENT 'Which generation of the projection the views show.'`

const declare = async (server: AuditDatabase, generation: number): Promise<number> => {
  await using inside = closing(openClickhouse(server, server.database))
  await inside.client.insert({
    table: '_generations',
    columns: ['generation'],
    values: [{ generation }],
    format: 'JSONEachRow',
  })
  return generation
}

const newest = async (server: AuditDatabase): Promise<number | undefined> => {
  const query = `SELECT generation FROM ${quoted(server.database)}._generations ORDER BY generation DESC LIMIT 1`
  return (await select<{ generation: number }>(server, query))[0]?.generation
}

const existing = async (server: AuditDatabase): Promise<readonly number[]> => {
  const databases = await select<{ name: string }>(server, 'SELECT name FROM system.databases')
  const prefix = `${server.database}_g`
  return databases
    .filter(({ name }) => name.startsWith(prefix) && /^\d+$/.test(name.slice(prefix.length)))
    .map(({ name }) => Number(name.slice(prefix.length)))
}

const select = async <Row>(server: AuditDatabase, query: string): Promise<readonly Row[]> => {
  await using outside = closing(openClickhouse(server))
  return await (await outside.client.query({ query, format: 'JSONEachRow' })).json<Row>()
}
