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

/** Runs a suite on the database itself, and through a node in front of another that was made in the same way. */
export const runSuite = async (suite: Suite, selection: Selection): Promise<Sides> => {
  const folder = await suite.install()
  const direct = await onNewCluster(suite, ({ port }) =>
    suite.run(folder, { name: 'direct', port, password: PASSWORD }, selection),
  )
  const node = await onNewCluster(suite, (postgres) =>
    throughNode(postgres, suite, (side) => suite.run(folder, side, selection)),
  )
  return { direct, node }
}

/** What a run leaves behind, order on disk included, must not meet the next. */
const onNewCluster = async <T>(suite: Suite, use: (postgres: Postgres) => Promise<T>): Promise<T> => {
  const [binaries] = installed()
  if (!binaries) throw new Error('no PostgreSQL is installed: run npm ci')
  const postgres = await startPostgres(binaries, {
    settings: { max_connections: 200, max_prepared_transactions: 16 },
  })
  try {
    await prepare(postgres, suite)
    return await use(postgres)
  } finally {
    await postgres.stop()
  }
}

const throughNode = async <T>(postgres: Postgres, suite: Suite, use: (side: Side) => Promise<T>): Promise<T> => {
  const { databases, makes = [], user, others } = suite
  const roles = { [user]: PASSWORD, ...others }
  const node = await startAllowingNode({ port: postgres.port, databases: [...databases, ...makes], roles })
  try {
    return await use({ name: 'node', port: node.port, password: PASSWORD })
  } finally {
    await node.stop()
  }
}

/** Its databases and its users. */
const prepare = async (postgres: Postgres, { databases, user, others = {}, setup = '' }: Suite): Promise<void> => {
  const [first = 'postgres'] = databases
  await withClient(postgres, 'postgres', async (client) => {
    for (const role of [user, ...Object.keys(others)]) await ensureRole(client, role)
    for (const database of databases) if (database !== 'postgres') await client.query(`create database "${database}"`)
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
