import { serversOf, type ClickhouseConfig, type Config } from '@countersign/platform'
import type { Ready } from '../ready-file.ts'
import { DATABASE } from './demo-database.ts'
import { DEMO_PRINCIPALS } from './demo-principals.ts'
import type { Secrets } from './secrets.ts'

/** What is told of a running system: from the configuration in force, overrides included. */
export const readyOf = (
  config: Config,
  secrets: Secrets,
  clickhouse: ClickhouseConfig,
  processes: ReadonlyMap<string, number>,
): Ready => {
  const proxy = reachable(config.node.listen)
  const api = `http://${authority(reachable(config.control.listen))}`
  const { url, user, password, database } = clickhouse
  return {
    proxy,
    api,
    console: `${api}/console`,
    clickhouse: { url, user, password, database },
    upstream: upstreamOf(config, secrets),
    processes: [...processes].map(([name, pid]) => ({ name, pid })),
    principals: DEMO_PRINCIPALS.map(({ id, kind, groups }) => {
      const token = secrets.tokens[id]
      return { id, kind, groups: [...groups], dsn: dsnOf(id, token, authority(proxy), DATABASE), token }
    }),
  }
}

interface Address {
  readonly host: string
  readonly port: number
}

/** An address to listen on may mean every address; to connect to, it is this machine. */
const reachable = ({ host, port }: Address): Address => ({
  host: host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host,
  port,
})

const authority = ({ host, port }: Address): string => `${host.includes(':') ? `[${host}]` : host}:${port}`

const dsnOf = (user: string, password: string, at: string, database: string): string =>
  `postgresql://${encodeURIComponent(user)}:${encodeURIComponent(password)}@${at}/${encodeURIComponent(database)}`

const upstreamOf = ({ databases }: Config, { roles }: Secrets): string => {
  const upstream = databases.find(({ name }) => name === DATABASE)?.upstream
  const server = upstream && serversOf(upstream)[0]
  if (!server) throw new RangeError(`the configuration has no database ${DATABASE}`)
  return dsnOf('shop_app', roles.shop_app, authority(server), upstream.database)
}
