import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { installed, startPostgres, type Postgres } from '../../corpus/postgres.ts'
import { run } from '../../support/run.ts'
import { startAllowingNode, type AllowingNode } from '../allowing-node.ts'
import { alembic, django, drizzle, flyway, type Migrate } from './programs.ts'

/*
 * Tools that make and change schemas, direct and through a node that allows everything: the same schema and the same
 * rows, told by pg_dump, and the tool says the same.
 */

const BIN = '/usr/lib/postgresql/15/bin'
const PASSWORD = 'cs_migrations'
const TOOLS: Readonly<Record<string, Migrate>> = { django, alembic, drizzle, flyway }

let postgres: Postgres
let node: AllowingNode

beforeAll(async () => {
  const debian = installed().find(({ folder }) => folder === BIN)
  if (!debian) throw new Error(`${BIN} is not there: apt-get install postgresql-15 postgresql-client-15`)
  // A node has two connections of its own to each database.
  postgres = await startPostgres(debian, { settings: { max_connections: 200 } })
  const databases = Object.keys(TOOLS).flatMap((name) =>
    ['direct', 'node'].flatMap((side) => [`${name}_${side}`, `${name}_${side}_test`]),
  )
  const client = await postgres.connect('postgres')
  for (const database of databases) await client.query(`create database ${database}`)
  await client.end()
  for (const database of databases) await made(database, 'create extension hstore')
  const all = [...databases, 'postgres']
  node = await startAllowingNode({ port: postgres.port, databases: all, roles: { postgres: PASSWORD } })
})

afterAll(async () => {
  await node?.stop()
  await postgres?.stop()
})

const made = async (database: string, sql: string): Promise<void> => {
  const client = await postgres.connect(database)
  await client.query(sql)
  await client.end()
}

/** Without what the clock or chance has put into it. */
const dump = async (database: string): Promise<string> => {
  const args = ['-h', '127.0.0.1', '-p', `${postgres.port}`, '-U', 'postgres', '--inserts', database]
  const { status, stdout, stderr } = await run(`${BIN}/pg_dump`, args)
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  return stdout
    .replaceAll(/^\\(un)?restrict .*$/gm, '')
    .replaceAll(/'\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[^']*'/g, "'a time'")
    .replaceAll(/(flyway_schema_history VALUES \(.*), \d+, (true|false)\)/g, '$1, some ms, $2)')
}

describe.each(Object.keys(TOOLS))('%s', (name) => {
  it('makes the same schema through the node, and says the same', { timeout: 600_000 }, async () => {
    const migrate = TOOLS[name]
    if (!migrate) throw new Error(`no tool ${name}`)
    const direct = await migrate({ port: postgres.port, database: `${name}_direct`, password: PASSWORD })
    const through = await migrate({ port: node.port, database: `${name}_node`, password: PASSWORD })
    const said = (text: string) =>
      text.replaceAll(`${name}_direct`, `${name}_node`).replaceAll(/in [\d.]+s/g, 'in some time')
    expect(said(through)).toBe(said(direct))
    const schema = await dump(`${name}_direct`)
    expect(schema.match(/CREATE TABLE/g)?.length).toBeGreaterThan(1)
    expect(await dump(`${name}_node`)).toBe(schema)
  })
})
