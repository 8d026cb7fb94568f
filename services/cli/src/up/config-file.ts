import type { ClickhouseConfig, LogConfig } from '@countersign/platform'
import type { Home } from '../home.ts'
import { DATABASE } from './demo-database.ts'
import type { Ports } from './ports.ts'
import type { Secrets } from './secrets.ts'

export const ENVIRONMENT = 'demo'

export interface ConfigValues {
  readonly home: Home
  readonly ports: Ports
  readonly log: LogConfig
  readonly clickhouse: ClickhouseConfig
  readonly secrets: Secrets
}

/** countersign.yaml of the quick start. Text made by hand, so that it explains itself; every string is quoted. */
export const renderConfig = ({ home, ports, log, clickhouse, secrets }: ConfigValues): string => {
  const { roles } = secrets
  return `# Written by \`countersign up\` at every start. To change a value, set its environment override, such as
# COUNTERSIGN_HOLDS_INLINE_SECONDS=10, or copy this file and run the services with the copy.

log:
${renderLog(log)}

databases:
  - name: ${q(DATABASE)}
    environment: ${q(ENVIRONMENT)}
    upstream:
      host: 127.0.0.1
      port: ${ports.postgres}
      database: ${q(DATABASE)}
      tls: disable # this machine only
      roles:
        shop_app: ${q(roles.shop_app)}
        shop_readonly: ${q(roles.shop_readonly)}
        shop_agent: ${q(roles.shop_agent)}
      guard:
        role: countersign_guard
        password: ${q(roles.countersign_guard)}

node:
  name: node-1
  listen: { host: 127.0.0.1, port: ${ports.proxy} }
  admin: { host: 127.0.0.1, port: ${ports.nodeAdmin} }
  tls:
    certificate: ${q(home.certificate)}
    key: ${q(home.key)}
  state: ${q(home.node)}
  workers: 1 # the demo shares its cores with PostgreSQL and ClickHouse
  drainSeconds: 2 # everything stops within 10 seconds

control:
  listen: { host: 127.0.0.1, port: ${ports.control} }
  owners: ${q(home.owners)}
  identities: ${q(home.identities)}
  # The demo follows DATAOWNERS as it is changed, until policies have been published by signatures once.
  policyChanges: { by: files }
  # Who tries things out is refused often. Elsewhere the default is stricter: 10 within 10 minutes, for 30.
  restrictions: { attempts: 300, withinMinutes: 1, forMinutes: 5 }

audit:
  listen: { host: 127.0.0.1, port: ${ports.audit} }
  clickhouse:
    url: ${q(clickhouse.url)}
    user: ${q(clickhouse.user)}
    password: ${q(clickhouse.password)}
    database: ${q(clickhouse.database)}
`
}

const renderLog = (log: LogConfig): string =>
  log.kind === 'embedded'
    ? `  kind: embedded\n  directory: ${q(log.directory)}`
    : `  kind: kafka\n  brokers: [${log.brokers.map(q).join(', ')}]\n  clientId: ${q(log.clientId)}\n  replicationFactor: ${log.replicationFactor}\n  accessPartitions: ${log.accessPartitions}`

/** A JSON string is a double-quoted YAML string. */
const q = (text: string): string => JSON.stringify(text)
