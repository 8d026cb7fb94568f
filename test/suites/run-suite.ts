import type { Client } from 'pg'
import { installed, startPostgres, type Postgres } from '../corpus/postgres.ts'
import { startAllowingNode } from './allowing-node.ts'
import type { Results, Selection, Side, Suite } from './suite.ts'

/** Of the superuser that tests log in as. Directly nobody asks for it. */
const PASSWORD = 'cs_suites'

export interface Sides {
  readonly direct: Results
  readonly node: Results
}

/** Runs a suite on the database itself, and through a node in front of the same server, each time from the beginning. */
export const runSuite = async (suite: Suite, selection: Selection): Promise<Sides> => {
  const folder = await suite.install()
  const [binaries] = installed()
  if (!binaries) throw new Error('no PostgreSQL is installed: run npm ci')
  const postgres = await startPostgres(binaries, { settings: { max_connections: 200, max_prepared_transactions: 16 } })
  try {
    await prepare(postgres, suite)
    const direct = await suite.run(folder, { name: 'direct', port: postgres.port, password: PASSWORD }, selection)
    await prepare(postgres, suite)
    const node = await throughNode(postgres, suite, (side) => suite.run(folder, side, selection))
    return { direct, node }
  } finally {
    await postgres.stop()
  }
}

const throughNode = async <T>(postgres: Postgres, suite: Suite, use: (side: Side) => Promise<T>): Promise<T> => {
  const node = await startAllowingNode({
    port: postgres.port,
    databases: suite.databases,
    roles: { [suite.user]: PASSWORD, ...suite.others },
  })
  try {
    return await use({ name: 'node', port: node.port, password: PASSWORD })
  } finally {
    await node.stop()
  }
}

/** Its databases, empty, and its users. What a run has left behind must not meet the next. */
const prepare = async (postgres: Postgres, { databases, user, others = {}, setup = '' }: Suite): Promise<void> => {
  const [first = 'postgres'] = databases
  await withClient(postgres, 'template1', async (client) => {
    for (const database of databases) await client.query(`drop database if exists "${database}" with (force)`)
    for (const role of [user, ...Object.keys(others)]) await ensureRole(client, role)
    for (const database of databases) await client.query(`create database "${database}"`)
  })
  if (setup) await withClient(postgres, first, (client) => client.query(setup))
}

const ensureRole = async (client: Client, role: string): Promise<void> => {
  const { rowCount } = await client.query('select from pg_roles where rolname = $1', [role])
  if (rowCount === 0) await client.query(`create role "${role}" superuser login`)
}

const withClient = async (postgres: Postgres, database: string, use: (client: Client) => Promise<unknown>) => {
  const client = await postgres.connect(database)
  try {
    await use(client)
  } finally {
    await client.end()
  }
}
