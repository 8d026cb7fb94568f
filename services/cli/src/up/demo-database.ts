import { readdirSync, readFileSync } from 'node:fs'
import { Client, escapeIdentifier, escapeLiteral } from 'pg'

export const DATABASE = 'shop'

/** The roles that principals work as, and the one of the node's side connections. */
export const ROLES = ['shop_app', 'shop_readonly', 'shop_agent', 'countersign_guard'] as const
export type Role = (typeof ROLES)[number]

export interface DemoServer {
  readonly port: number
  readonly superuserPassword: string
  readonly passwords: Readonly<Record<Role, string>>
}

/**
 * Makes roles, database and data, once. The comment on the database is the mark that it is complete: it is set in
 * the transaction that loads the data, so that a start that was interrupted is done again, and what people have
 * changed since is left alone.
 */
export const ensureDemoDatabase = async (server: DemoServer): Promise<'made' | 'kept'> => {
  const existed = await withClient(server, 'postgres', async (client) => {
    await ensureRoles(client, server)
    return ensureDatabase(client)
  })
  return withClient(server, DATABASE, async (client) => {
    if (existed && (await isComplete(client))) return 'kept'
    await load(client)
    return 'made'
  })
}

const MARK = 'countersign demo 1'

const withClient = async <T>(server: DemoServer, database: string, use: (client: Client) => Promise<T>): Promise<T> => {
  const { port, superuserPassword: password } = server
  const client = new Client({ host: '127.0.0.1', port, user: 'postgres', password, database })
  // The server may be stopped while this runs; the query that waits for it says so, and this must not end the process.
  client.on('error', () => undefined)
  await client.connect()
  try {
    return await use(client)
  } finally {
    await client.end()
  }
}

const ensureRoles = async (client: Client, { passwords }: DemoServer): Promise<void> => {
  const { rows } = await client.query<{ rolname: string }>('select rolname from pg_roles')
  const known = new Set(rows.map((row) => row.rolname))
  const missing = ROLES.filter((role) => !known.has(role))
  const statements = missing.flatMap((role) => [
    `create role ${role} login password ${escapeLiteral(passwords[role])}`,
    ...(GRANTS[role] ?? []),
  ])
  if (statements.length > 0) await client.query(['begin', ...statements, 'commit'].join(';\n'))
}

const GRANTS: Partial<Record<Role, readonly string[]>> = {
  // A member that inherits: a DROP of the agent's that has been approved must be able to run.
  shop_agent: ['grant shop_app to shop_agent with inherit true'],
  countersign_guard: [
    // Analysing a statement needs no rights on data; sampling columns to classify them does.
    'grant pg_read_all_data to countersign_guard',
    // The server prints the trees of analysed statements, literals included, to its client. Never to its log.
    'alter role countersign_guard set log_min_messages = fatal',
  ],
}

const ensureDatabase = async (client: Client): Promise<boolean> => {
  const { rowCount } = await client.query('select from pg_database where datname = $1', [DATABASE])
  if (rowCount === 0) await client.query(`create database ${escapeIdentifier(DATABASE)}`)
  return rowCount !== 0
}

const isComplete = async (client: Client): Promise<boolean> => {
  const { rows } = await client.query<{ mark: string | null }>(
    `select shobj_description(oid, 'pg_database') as mark from pg_database where datname = current_database()`,
  )
  return rows[0]?.mark === MARK
}

const load = async (client: Client): Promise<void> => {
  await client.query('begin')
  await client.query(OWNERSHIP)
  for (const script of scripts()) await client.query(script)
  await client.query('reset role')
  await client.query(`comment on database ${DATABASE} is ${escapeLiteral(MARK)}`)
  await client.query('commit')
  await client.query('vacuum (analyze)')
}

const OWNERSHIP = `
  revoke connect on database shop from public;
  grant connect, temporary on database shop to shop_app, shop_readonly, shop_agent, countersign_guard;
  grant create on database shop to shop_app;
  alter schema public owner to shop_app;
  set local role shop_app;
  alter default privileges in schema public grant select on tables to shop_readonly;
`

const scripts = (): readonly string[] => {
  const folder = new URL('../../demo/shop/', import.meta.url)
  return readdirSync(folder)
    .filter((name) => name.endsWith('.sql'))
    .sort()
    .map((name) => readFileSync(new URL(name, folder), 'utf8'))
}
