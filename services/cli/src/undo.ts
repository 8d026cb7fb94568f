import { Client, DatabaseError } from 'pg'
import { CliError } from './cli-error.ts'
import { readArguments, type Command, type Io } from './command.ts'
import { EXIT, type ExitCode } from './exit-code.ts'
import { homeAt } from './home.ts'
import { readReady } from './ready-file.ts'
import { visible } from './table.ts'

const HELP = `Usage: countersign undo REQUEST [--dry-run] [--reason TEXT] [options]

Puts back what rows were before the statement that was approved under REQUEST has changed them. Policy must have asked for
that (@undo), and it is kept for a time. It is a change of rows like any other: decided by policy, held where that says
so, recorded, and done once. When a row is not any more what that statement has left, nothing is changed.

  --dry-run      say what it would do, and what policy says of it
  --reason TEXT  shown to who approves it, and recorded
  --as NAME      as this demo principal, by the connection string in the home's ready.json
  --home DIR     the home of \`countersign up\` (default: .countersign in the current folder)
  --json         for programs

Without --as: COUNTERSIGN_DSN from the environment, a connection string through the node where the statement has run.
Ends with 3 when it was sent for approval, 4 when it was denied, 5 when nobody approved it in time.`

const OPTIONS = {
  as: { type: 'string' },
  home: { type: 'string' },
  reason: { type: 'string' },
  'dry-run': { type: 'boolean' },
} as const

const REQUEST = /^(?:rq_)?([0-9a-z]{10})$/

const run = async (args: readonly string[], io: Io): Promise<ExitCode> => {
  const { values, positionals } = readArguments(args, OPTIONS, true)
  const [given, ...rest] = positionals
  if (rest.length > 0) throw new CliError('CLI_USAGE', `too much: \`${rest.join(' ')}\``)
  const id = REQUEST.exec(given ?? '')?.[1]
  if (id === undefined) throw new CliError('CLI_USAGE', 'undo needs the whole id of a request: rq_ and ten characters')
  const request = `rq_${id}`
  const asking = { io, json: values.json ?? false, request, reason: values.reason }
  return withClient(dsnOf(values, io), asking, (client) =>
    values['dry-run'] ? explain(client, asking) : undo(client, asking),
  )
}

interface Asking {
  readonly io: Io
  readonly json: boolean
  readonly request: string
  readonly reason: string | undefined
}

const undo = async (client: Client, { io, json, request }: Asking): Promise<ExitCode> => {
  const { rows } = await client.query<{ undone: string }>(statementOf(request))
  const undone = Number(rows[0]?.undone ?? 0)
  io.out(json ? JSON.stringify({ request, undone }) : `undone: ${undone} rows of ${request}`)
  return EXIT.ok
}

const explain = async (client: Client, { io, json, request }: Asking): Promise<ExitCode> => {
  const { rows } = await client.query<{ POLICY: string }>(`EXPLAIN (POLICY) ${statementOf(request)}`)
  const lines = rows.map(({ POLICY }) => visible(POLICY))
  for (const line of json ? [JSON.stringify({ request, policy: lines })] : lines) io.out(line)
  return EXIT.ok
}

const statementOf = (request: string): string => `SELECT countersign.undo('${request}')`

const withClient = async (
  dsn: string,
  { io, reason }: Asking,
  work: (client: Client) => Promise<ExitCode>,
): Promise<ExitCode> => {
  const client = new Client({ connectionString: dsn, application_name: 'countersign undo' })
  client.on('notice', ({ message }) => io.err(visible(message ?? '')))
  client.on('error', () => {}) // What was asked rejects as well.
  const stop = () => void client.end()
  try {
    await client.connect()
    io.stopping.addEventListener('abort', stop)
    if (reason !== undefined) await client.query('SELECT set_config($1, $2, false)', ['countersign.reason', reason])
    return await work(client)
  } catch (error) {
    throw refusalIn(error)
  } finally {
    io.stopping.removeEventListener('abort', stop)
    await client.end().catch(() => {})
  }
}

const refusalIn = (error: unknown): CliError => {
  if (!(error instanceof DatabaseError)) {
    return new CliError('CLI_NODE_UNREACHABLE', 'the node does not answer', { cause: error })
  }
  const { code = '', message, hint } = error
  const text = hint === undefined ? message : `${message}. ${hint}`
  return new CliError('CLI_UNDO_REFUSED', visible(text), { cause: error, exitCode: EXITS[code] ?? EXIT.failed })
}

const EXITS: Readonly<Record<string, ExitCode>> = {
  ZA001: EXIT.approvalRequired,
  ZA002: EXIT.expired,
  '42501': EXIT.denied,
}

const dsnOf = (values: { readonly as?: string; readonly home?: string }, io: Io): string => {
  const { COUNTERSIGN_DSN: dsn } = io.env
  if (values.as === undefined) {
    if (dsn) return dsn
    throw new CliError('CLI_USAGE', 'say who you are: --as NAME, or COUNTERSIGN_DSN in the environment')
  }
  const file = homeAt(values.home, io.cwd).ready
  const { principals } = readReady(file)
  const principal = principals.find(({ id }) => id === values.as)
  if (principal) return principal.dsn
  const known = principals.map(({ id }) => id).join(', ')
  throw new CliError('CLI_UNKNOWN_PRINCIPAL', `${file} knows nobody called \`${values.as}\`; it knows ${known}`)
}

export const undoCommand: Command = { summary: 'put back what an approved statement has changed', help: HELP, run }
