import { z } from 'zod'
import { checkDatabases } from './config-databases.ts'
import { Secret } from './secret.ts'

/*
 * countersign.yaml. One file for every service; each reads the parts that it needs. A published JSON Schema is
 * generated from here (deploy/countersign.schema.json), and every value has an environment override: the path in
 * capitals, such as COUNTERSIGN_NODE_LISTEN_PORT.
 */

const Port = z.int().min(1).max(65_535)
const Listen = z.strictObject({
  host: z.string().min(1).default('127.0.0.1').describe('Address to listen on.'),
  port: Port.describe('TCP port to listen on.'),
})

const EmbeddedLog = z
  .strictObject({
    kind: z.literal('embedded'),
    directory: z.string().min(1).describe('Folder that holds the log. Every process of this machine shares it.'),
  })
  .describe('One machine: files that every process shares.')

const KafkaLog = z
  .strictObject({
    kind: z.literal('kafka'),
    brokers: z
      .array(z.string().regex(/^.+:\d+$/, 'must be host:port'))
      .min(1)
      .describe('Where to begin, as host:port. The others are found from there.'),
    clientId: z.string().min(1).default('countersign').describe("What the brokers' logs and quotas call us."),
    replicationFactor: z.int().positive().default(3).describe('For topics that are created at start.'),
    accessPartitions: z.int().positive().default(6).describe('Partitions of cs.access; the other topics have one.'),
  })
  .describe('More than one machine.')

export const LogConfig = z.discriminatedUnion('kind', [EmbeddedLog, KafkaLog])
export type LogConfig = z.output<typeof LogConfig>

const SecretText = z
  .string()
  .min(1)
  .transform((text) => new Secret(text))

const ServerAddress = z.strictObject({
  host: z.string().min(1).describe('Where it listens.'),
  port: Port.describe('Its TCP port.'),
})
export type ServerAddress = z.output<typeof ServerAddress>

// SPEC: libpq, section 34.1.2 "Parameter Key Words": target_session_attrs.
export const TargetSessionAttrs = z.enum(['any', 'read-write', 'read-only', 'primary', 'standby', 'prefer-standby'])
export type TargetSessionAttrs = z.output<typeof TargetSessionAttrs>

const SERVER_NAME = /^(\*\.)?[a-z0-9_-]+(\.[a-z0-9_-]+)*$/i

const UpstreamFields = z.strictObject({
  host: z.string().min(1).optional().describe('Where the database server listens. Several: `hosts` in its place.'),
  port: Port.optional().describe('Its TCP port.'),
  hosts: z
    .array(ServerAddress)
    .min(1)
    .optional()
    .describe('A primary and its replicas, tried in this order; in the place of `host` and `port`.'),
  targetSessionAttrs: TargetSessionAttrs.default('any').describe('Which of the servers will do, as libpq means it.'),
  standbyRoles: z
    .array(z.string().min(1))
    .optional()
    .describe('Roles whose sessions go to a standby where one answers, whatever `targetSessionAttrs` says.'),
  loadBalanceHosts: z
    .enum(['disable', 'random'])
    .default('disable')
    .describe('`random`: each session tries the servers in an order of its own.'),
  connectTimeoutMs: z.int().positive().default(5_000).describe('How long one server may take to let a session in.'),
  database: z.string().min(1).describe('What the server calls the database.'),
  tls: z
    .enum(['disable', 'verify-full'])
    .default('verify-full')
    .describe('`disable` only for a server on this machine or inside a trusted network.'),
  ca: z.string().optional().describe('PEM file with the authority that signed the server certificate.'),
  certificate: z
    .string()
    .min(1)
    .optional()
    .describe('PEM file, with the chain: what the node shows of itself to the server. Needs `key`.'),
  key: z.string().min(1).optional().describe('PEM file: the key of `certificate`.'),
  channelBinding: z
    .enum(['disable', 'prefer', 'require'])
    .default('prefer')
    .describe('SCRAM-SHA-256-PLUS over TLS: `require` logs in to no server that does not offer it.'),
  roles: z
    .record(z.string().min(1), SecretText)
    .describe('Password of each database role that principals may work as. They never leave the node.'),
  guard: z
    .strictObject({
      role: z.string().min(1).describe('Name of the role.'),
      password: SecretText.describe('Its password.'),
    })
    .describe('Role of the side connections that read the catalogue and analyse statements. Needs no rights on data.'),
})

const Upstream = UpstreamFields.superRefine(({ tls, certificate, key, channelBinding }, context) => {
  const refuse = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message })
  if ((certificate === undefined) !== (key === undefined))
    refuse(key === undefined ? 'certificate' : 'key', '`certificate` and `key` belong together')
  if (tls !== 'disable') return
  if (channelBinding === 'require') refuse('channelBinding', 'needs TLS: set `tls: verify-full`')
  if (certificate !== undefined) refuse('certificate', 'needs TLS: set `tls: verify-full`')
})
export type UpstreamConfig = z.output<typeof Upstream>

const isTimeZone = (name: string): boolean => {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== ''
  } catch {
    return false
  }
}

const TimeZone = z.string().min(1).refine(isTimeZone, 'must be a time zone such as Europe/Zurich')

export const DatabaseConfig = z.strictObject({
  name: z.string().min(1).describe('What clients call it in their connection string.'),
  serverNames: z
    .array(z.string().regex(SERVER_NAME, 'must be a host name, or `*.` and one'))
    .min(1)
    .optional()
    .describe(
      'TLS server names (SNI) that lead to it, and nothing else does then. Without any: every other name does.',
    ),
  environment: z.string().min(1).describe('Where it belongs: `prod`, `staging`. Policies and DATAOWNERS speak of it.'),
  timeZone: TimeZone.optional().describe(
    "In which policies' weekdays and times of day count, as IANA calls it: `Europe/Zurich`. Else UTC.",
  ),
  upstream: Upstream.describe('The real database, and how nodes log in to it.'),
})
export type DatabaseConfig = z.output<typeof DatabaseConfig>

const MIB = 1024 * 1024
const atMost = (max: number) => z.int().positive().default(max)

const Limits = z.strictObject({
  startupTimeoutMs: atMost(10_000).describe('A client that has not logged in by then is dropped.'),
  startupBytesMax: z.int().min(100).max(10_000).default(10_000).describe('Longest start-up packet of a client.'),
  statementBytesMax: atMost(16 * MIB).describe('Longest text of a statement.'),
  messageBytesMax: atMost(64 * MIB).describe('Any other message of a client.'),
  rowBytesMax: atMost(64 * MIB).describe('One row that has to be read to be masked.'),
  sessionBytesMax: atMost(128 * MIB).describe(
    'What one session may keep on the node: its prepared statements, cursors and portals.',
  ),
  connectionsMax: atMost(2_000).describe('Clients at once; further ones are turned away.'),
  connectionsPerPrincipalMax: atMost(1_000).describe('The same for each principal.'),
  loginsMax: atMost(2_000).describe('Connections at once that have not logged in yet.'),
  loginsPerAddressMax: atMost(1_000).describe('The same for each client address, or each /64 network of IPv6.'),
})

const Telemetry = z.strictObject({
  otlp: z
    .strictObject({
      url: z
        .url({ protocol: /^https?$/ })
        .describe('Where spans are posted, path included: https://otel:4318/v1/traces'),
      sampleRatio: z
        .number()
        .min(0)
        .max(1)
        .default(0.01)
        .describe('Share of the statements traced whose client says nothing of a trace. Where it does, it decides.'),
    })
    .optional()
    .describe('OTLP over HTTP. Without it OTEL_EXPORTER_OTLP_ENDPOINT counts, and without that nothing is traced.'),
})
export type TelemetryConfig = z.output<typeof Telemetry>

const Lockout = z.strictObject({
  windowSeconds: atMost(60).describe('How long a failed login counts.'),
  lockSeconds: atMost(60).describe('How long nobody is let in after too many of them.'),
  failuresMax: atMost(10).describe('Failed logins of one name from one address, before that pair is locked out.'),
  failuresPerAddressMax: atMost(100).describe(
    'Of any names from one address, before it is locked out, except for those who have logged in from it lately.',
  ),
  failuresPerPrincipalMax: atMost(100).describe(
    'Of one name from everywhere, before further ones are answered slowly. A right token is always let in.',
  ),
})
export type LockoutConfig = z.output<typeof Lockout>

/** The number of a worker has to fit into eight bits of a cancel key (services/proxy/src/sessions.ts). */
const WORKERS_MAX = 256

export const NodeConfig = z.strictObject({
  name: z
    .string()
    .regex(/^[^/\s]+$/)
    .default('node-1')
    .describe('Tells nodes apart in the record. One of its own for each.'),
  listen: Listen.describe('Where database clients connect.'),
  admin: Listen.describe('Health and metrics.'),
  tls: z
    .strictObject({
      certificate: z.string().min(1).describe('PEM file, with the chain.'),
      key: z.string().min(1).describe('PEM file.'),
      clientCa: z
        .string()
        .min(1)
        .optional()
        .describe('PEM file with the authorities that sign client certificates. Without it none is asked for.'),
      clientCertificates: z
        .enum(['optional', 'required', 'sufficient'])
        .default('optional')
        .describe(
          '`optional`: a token is needed; a certificate, if one is shown, must name the same principal. `required`: ' +
            'both are needed. `sufficient`: either is enough. Its common name is the id of the principal.',
        ),
    })
    .superRefine(({ clientCa, clientCertificates }, context) => {
      if (clientCa !== undefined || clientCertificates === 'optional') return
      context.addIssue({ code: 'custom', path: ['clientCertificates'], message: 'needs `clientCa`' })
    })
    .optional()
    .describe('For clients. Without it only clients on this machine are let in.'),
  state: z.string().min(1).describe('Folder of its own: keys for sealed texts, resume points.'),
  workers: z
    .int()
    .positive()
    .max(WORKERS_MAX)
    .optional()
    .describe('Processes that share the port; each takes about 200 MB. Without it as many as there are cores.'),
  drainSeconds: z
    .int()
    .nonnegative()
    .max(3_600)
    .default(30)
    .describe('How long sessions that are in a transaction may go on when the node is asked to stop.'),
  telemetry: Telemetry.prefault({}).describe('Traces of statements.'),
  limits: Limits.prefault({}).describe('Against clients that ask for too much.'),
  lockout: Lockout.prefault({}).describe('Against those who try names and tokens.'),
})
export type NodeConfig = z.output<typeof NodeConfig>

export const HoldConfig = z.strictObject({
  inlineSeconds: z.int().positive().max(60).default(30).describe('How long an interactive client is kept waiting.'),
  heartbeatSeconds: z.int().positive().max(30).default(10).describe('Between two notices to a client that waits.'),
  requestMinutes: z.int().positive().default(15).describe('How long a request of a program stays open.'),
  rerunMinutes: z.int().positive().default(15).describe('How long a grant may be used after it was given.'),
})
export type HoldConfig = z.output<typeof HoldConfig>

export const PolicyChangesConfig = z.strictObject({
  by: z
    .enum(['signatures', 'files'])
    .default('signatures')
    .describe(
      'How policies and DATAOWNERS change. `signatures`: by `countersign policy publish`, once others have signed; the ' +
        'files are where a new log begins, and what is changed in them afterwards has no effect. `files`: as soon as the ' +
        'files change, until the first set has been published by signatures.',
    ),
  approvers: z
    .array(z.string().min(1))
    .min(1)
    .default(['security'])
    .describe('Groups of which each must sign for a change of policies, by a person of its own.'),
  quorum: z.int().positive().max(20).default(1).describe('How many people must sign for it in all.'),
  openHours: z.int().positive().max(720).default(72).describe('How long a proposed change may be signed for.'),
})
export type PolicyChangesConfig = z.output<typeof PolicyChangesConfig>

export const RestrictionConfig = z.strictObject({
  attempts: z
    .int()
    .min(0)
    .max(1_000)
    .default(10)
    .describe('Statements of one principal that policy denied; 0: nobody is restricted.'),
  withinMinutes: z.int().min(1).max(1_440).default(10).describe('In how long.'),
  forMinutes: z.int().min(1).max(10_080).default(30).describe('How long the principal may do nothing then.'),
})
export type RestrictionConfig = z.output<typeof RestrictionConfig>

export const ControlConfig = z.strictObject({
  listen: Listen.describe('The HTTP API and the console.'),
  policies: z.string().min(1).optional().describe('Folder of .cedar files. Without it the shipped set is in force.'),
  owners: z.string().min(1).describe('DATAOWNERS file.'),
  policyChanges: PolicyChangesConfig.prefault({}).describe('How policies and owners come to be others.'),
  identities: z.string().min(1).describe('File of principals, groups and token digests.'),
  restrictions: RestrictionConfig.prefault({}).describe(
    'Who has too many statements denied may do nothing for a while, unless somebody of the group `security` lifts it.',
  ),
})
export type ControlConfig = z.output<typeof ControlConfig>

export const ClickhouseConfig = z.strictObject({
  url: z.url().describe('HTTP interface.'),
  user: z.string().min(1).describe('Must be able to create the tables.'),
  password: z.string().describe('May be empty.'),
  database: z.string().min(1).default('countersign').describe('Made when it is not there.'),
})
export type ClickhouseConfig = z.output<typeof ClickhouseConfig>

export const AuditConfig = z.strictObject({
  listen: Listen.describe('Health and metrics.'),
  clickhouse: ClickhouseConfig.describe('Where SREs and auditors query what happened.'),
})
export type AuditConfig = z.output<typeof AuditConfig>

export const Config = z.strictObject({
  log: LogConfig.describe('The record of everything. Every service uses the same.'),
  databases: z.array(DatabaseConfig).min(1).superRefine(checkDatabases).describe('What clients can connect to.'),
  node: NodeConfig.describe('services/proxy: what database clients connect to.'),
  holds: HoldConfig.prefault({}).describe('Statements that wait for a countersignature.'),
  control: ControlConfig.describe('services/control: policies, approvals, the HTTP API.'),
  audit: AuditConfig.describe('services/audit: from the log into ClickHouse.'),
})
export type Config = z.output<typeof Config>
