import { readFileSync } from 'node:fs'
import { upstream, untilNodeSees } from '../support/upstream.ts'
import { clientFile } from './runtimes/program.ts'

/** Every client that has rows and a table of its own to lose. */
export const CLIENTS = [
  'psycopg',
  'psycopg-async',
  'psycopg2',
  'asyncpg',
  'pgx',
  'pgjdbc',
  'node-postgres',
  'postgres-js',
  'psql',
] as const
export type ClientName = (typeof CLIENTS)[number]

/** The table that an agent asks to drop. */
export const doomedTable = (client: ClientName): string => `client_doomed_${client.replace('-', '_')}`

/**
 * Makes the tables, for all clients at once because the node notices after some seconds only what did not come through
 * it; or empties those that clients write to.
 */
export const ensureTables = async (): Promise<void> => {
  const [[there] = []] = await upstream("select to_regclass('client_types') is not null")
  if (there === true) return void (await upstream('truncate client_scratch, client_loads'))
  await upstream(tables())
  await untilNodeSees('client_secrets', 3)
}

const tables = (): string => {
  const names = CLIENTS.map((client) => `'${client}'`).join(', ')
  const sql = readFileSync(clientFile('tables.sql'), 'utf8').replace('$clients', `array[${names}]`)
  const doomed = CLIENTS.map((client) => `create table ${doomedTable(client)} (n int);`)
  return [sql, ...doomed].join('\n')
}
