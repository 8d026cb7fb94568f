import { connect, CONNECTION_HELP, CONNECTION_OPTIONS } from '../api/connection.ts'
import { RestrictionList, RestrictionView } from '../api/views.ts'
import { CliError } from '../cli-error.ts'
import { distance, localTime } from '../clock.ts'
import { readArguments, type Command, type Io } from '../command.ts'
import { EXIT, type ExitCode } from '../exit-code.ts'
import { table, visible } from '../table.ts'

const HELP = `Usage: countersign restrictions ls [options]
       countersign restrictions lift PRINCIPAL --reason TEXT [options]

Who may do nothing for now, because too many of their statements were denied. It ends by itself; a person of the group
security can lift it before, but not their own.

  --reason TEXT  kept with the release
${CONNECTION_HELP}`

const OPTIONS = { ...CONNECTION_OPTIONS, reason: { type: 'string' } } as const

const run = async (args: readonly string[], io: Io): Promise<ExitCode> => {
  const { values, positionals } = readArguments(args, OPTIONS, true)
  const [verb = 'ls', principal, ...rest] = positionals
  const tooMuch = verb === 'ls' ? principal : rest[0]
  if (verb !== 'ls' && verb !== 'lift') throw new CliError('CLI_USAGE', `there is no \`restrictions ${verb}\``)
  if (tooMuch !== undefined) throw new CliError('CLI_USAGE', `too much: \`${tooMuch}\``)
  if (verb === 'ls') return list(values, io)
  if (principal === undefined) throw new CliError('CLI_USAGE', 'restrictions lift needs the name of a principal')
  if (values.reason === undefined) throw new CliError('CLI_USAGE', 'lifting a restriction needs a --reason')
  return lift(principal, values.reason, values, io)
}

interface Values {
  readonly as?: string
  readonly home?: string
  readonly json?: boolean
}

const list = async (values: Values, io: Io): Promise<ExitCode> => {
  const answer = await connect(values, io).get('/restrictions', RestrictionList)
  if (values.json) io.out(JSON.stringify(answer))
  else if (answer.restrictions.length === 0) io.out('nobody is restricted')
  else for (const line of table(HEADER, answer.restrictions.map(rowOf(io.now())))) io.out(line)
  return EXIT.ok
}

const HEADER = ['WHO', 'SINCE', 'ENDS', 'BECAUSE']

const rowOf =
  (now: Date) =>
  ({ principalId, since, until, because }: RestrictionView): readonly string[] => [
    principalId,
    localTime(since),
    distance(until, now),
    because,
  ]

const lift = async (principal: string, reason: string, values: Values, io: Io): Promise<ExitCode> => {
  const path = `/restrictions/${encodeURIComponent(principal)}/lift`
  const lifted = await connect(values, io).post(path, { reason }, RestrictionView)
  io.out(values.json ? JSON.stringify(lifted) : `lifted: ${visible(lifted.principalId)} may sign in again`)
  return EXIT.ok
}

export const restrictions: Command = {
  summary: 'who may do nothing for now, and how to lift that',
  help: HELP,
  run,
}
