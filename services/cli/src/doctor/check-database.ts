import { serversOf, serverTlsOf, type DatabaseConfig, type Secret, type ServerAddress } from '@countersign/platform'
import { Client } from 'pg'
import { fail, ok, reasonOf, warn, type Check, type Finding } from './check.ts'

const VERSION_MIN = 13

/** The database answers every role of the configuration, and the guard's role is set up as it must be. */
export const checkDatabase = (database: DatabaseConfig): readonly Check[] => {
  const servers = serversOf(database.upstream)
  return servers.flatMap((server) => {
    const which = servers.length > 1 ? `${database.name} at ${server.host}:${server.port}` : database.name
    return [
      { name: `database ${which}`, run: () => checkRoles(database, server).catch(refusedBy(database)) },
      { name: `guard of ${which}`, run: () => checkGuard(database, server).catch(refusedBy(database)) },
    ]
  })
}

const refusedBy =
  ({ name }: DatabaseConfig) =>
  (error: unknown): Finding =>
    fail(reasonOf(error), `see that it runs, and the roles and passwords of \`${name}\` in the configuration`)

const checkRoles = async (database: DatabaseConfig, server: ServerAddress): Promise<Finding> => {
  const { upstream } = database
  const versions = await Promise.all(
    Object.entries(upstream.roles).map(async ([role, password]) => {
      const { version } = await queryAs(
        database,
        role,
        password,
        `select current_setting('server_version_num')::int / 10000 as version`,
        server,
      )
      return Number(version)
    }),
  )
  const where = `${server.host}:${server.port}/${upstream.database}`
  const oldest = Math.min(...versions)
  if (oldest < VERSION_MIN)
    return warn(`${where}: PostgreSQL ${oldest} is not tested`, `use PostgreSQL ${VERSION_MIN} or later`)
  return ok(`${where}, PostgreSQL ${oldest}, roles ${Object.keys(upstream.roles).join(', ')}`)
}

const GUARD_FACTS = `
  select current_setting('log_min_messages') as log,
         pg_has_role(current_user, 'pg_read_all_data', 'usage') as samples,
         exists (select from pg_class where relrowsecurity and row_security_active(oid)) as hidden,
         rolsuper as super
  from pg_roles where rolname = current_user`

const QUIET = ['fatal', 'panic']

const checkGuard = async (database: DatabaseConfig, server: ServerAddress): Promise<Finding> => {
  const { role, password } = database.upstream.guard
  const { log, samples, hidden, super: isSuper } = await queryAs(database, role, password, GUARD_FACTS, server)
  if (!QUIET.includes(String(log))) {
    return warn(
      `${role}: log_min_messages is ${String(log)}, so statements with their values reach the server's log`,
      `as superuser: alter role ${role} set log_min_messages = fatal`,
    )
  }
  if (isSuper)
    return warn(`${role} is a superuser`, 'give the side connections a role with no more rights than they need')
  if (!samples)
    return warn(
      `${role} may not read data, so columns are classified by name only`,
      `grant pg_read_all_data to ${role}`,
    )
  if (hidden)
    return warn(
      `row security hides rows from ${role}, so changes of these tables cannot be counted and wait for approval`,
      `as superuser: alter role ${role} bypassrls`,
    )
  return ok(`${role}, log_min_messages ${String(log)}`)
}

type Row = Readonly<Record<string, unknown>>

/** The first row, from the first of its servers or the one that is named. Throws with the role's name and the reason. */
export const queryAs = async (
  { upstream }: DatabaseConfig,
  user: string,
  password: Secret,
  sql: string,
  server: ServerAddress | undefined = serversOf(upstream)[0],
): Promise<Row> => {
  const { database, channelBinding } = upstream
  const ssl = serverTlsOf(upstream, server?.host)
  const client = new Client({
    ...server,
    database,
    user,
    password: password.reveal(),
    ssl,
    enableChannelBinding: ssl !== false && channelBinding !== 'disable',
    connectionTimeoutMillis: 5_000,
    application_name: 'countersign doctor',
  })
  client.on('error', () => undefined)
  try {
    await client.connect()
    const { rows } = await client.query<Row>(sql)
    return rows[0] ?? {}
  } catch (cause) {
    throw new Error(`${user}: ${reasonOf(cause)}`, { cause })
  } finally {
    await client.end().catch(() => undefined)
  }
}
