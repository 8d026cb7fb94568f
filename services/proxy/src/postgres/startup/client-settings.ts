import { StartupRefusedError } from '../../startup/startup-refused.ts'
import { parseOptions } from './options.ts'

/** What a client asks for in its start-up packet, sorted into what we need and what the server is told. */
export interface ClientSettings {
  readonly user: string
  readonly database: string
  readonly application: string | undefined
  /** Run-time settings for the server, lower-case names. */
  readonly server: ReadonlyMap<string, string>
  /** It wants to replicate, which is refused once it is known who asks. */
  readonly replication: boolean
  /** Seconds that the client is willing to be kept waiting for an approval; asked for by itself. */
  readonly holdSeconds: number | undefined
}

/** Parameters of the packet that are not settings of the server. */
const OURS = new Set(['user', 'database', 'options', 'application_name', 'replication', 'client_encoding'])

/**
 * Settings that would change who acts or how text is read: never a client's to set. What is decided of a statement
 * rests on them.
 */
const REFUSED = new Set([
  'role',
  'session_authorization',
  'session_replication_role',
  'standard_conforming_strings',
  'backslash_quote',
  'debug_print_parse',
  'debug_print_rewritten',
  'debug_print_plan',
  'countersign.session',
])

export const readClientSettings = (parameters: ReadonlyMap<string, string>): ClientSettings => {
  const user = parameters.get('user')
  if (!user) throw new StartupRefusedError('28000', 'no user name in the start-up packet')
  refuseEncoding(parameters.get('client_encoding'))

  const server = new Map<string, string>()
  for (const [name, value] of parameters) {
    if (!OURS.has(name) && !name.startsWith('_pq_.')) server.set(name.toLowerCase(), value)
  }
  const options = parseOptions(parameters.get('options') ?? '')
  if (!options) throw new StartupRefusedError('42601', 'the options parameter holds more than -c name=value')
  for (const [name, value] of options) server.set(name, value)

  const application = server.get('application_name') ?? parameters.get('application_name')
  server.delete('application_name')
  const holdSeconds = holdSecondsOf(server.get('countersign.hold'))
  for (const [name, value] of server) refuseSetting(name, value)
  const replication = wantsReplication(parameters.get('replication'))
  return { user, database: parameters.get('database') || user, application, server, replication, holdSeconds }
}

/** `database`, or a boolean as PostgreSQL reads one; what is neither counts as a wish. */
const wantsReplication = (replication: string | undefined): boolean =>
  replication !== undefined && !/^(f|fa|fal|fals|false|of|off|n|no|0)$/i.test(replication)

/** Text is read as UTF-8 throughout. SQL_ASCII asks the server not to convert, which is the same to an UTF-8 server. */
const refuseEncoding = (encoding: string | undefined): void => {
  if (encoding === undefined || /^['"]?(utf-?8|unicode|sql_ascii)['"]?$/i.test(encoding)) return
  throw new StartupRefusedError('22023', `client_encoding ${encoding} is not supported: use UTF8`)
}

const refuseSetting = (name: string, value: string): void => {
  if (name === 'client_encoding') refuseEncoding(value)
  else if (name === 'standard_conforming_strings' && /^(on|true|yes|1)$/i.test(value)) return
  else if (REFUSED.has(name)) throw new StartupRefusedError('42501', `${name} may not be set by a client`)
}

const HOLD_SECONDS_MAX = 60

const holdSecondsOf = (hold: string | undefined): number | undefined => {
  if (hold === undefined) return undefined
  const seconds = /^(\d{1,3})s?$/.exec(hold)?.[1]
  if (seconds === undefined || Number(seconds) > HOLD_SECONDS_MAX) {
    throw new StartupRefusedError('22023', `countersign.hold must be 0 to ${HOLD_SECONDS_MAX} seconds, such as 30s`)
  }
  return Number(seconds)
}
