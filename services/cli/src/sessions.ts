import { connect, CONNECTION_HELP, CONNECTION_OPTIONS } from './api/connection.ts'
import { SessionList } from './api/views.ts'
import { localTime } from './clock.ts'
import { readArguments, type Command, type Io } from './command.ts'
import { EXIT, type ExitCode } from './exit-code.ts'
import { table } from './table.ts'

const HELP = `Usage: countersign sessions [options]

Who is connected through the nodes now.

${CONNECTION_HELP}`

const run = async (args: readonly string[], io: Io): Promise<ExitCode> => {
  const { values } = readArguments(args, CONNECTION_OPTIONS)
  const list = await connect(values, io).get('/sessions', SessionList)
  if (values.json) io.out(JSON.stringify(list))
  else if (list.sessions.length === 0) io.out('nobody is connected')
  else for (const line of table(HEADER, list.sessions.map(rowOf))) io.out(line)
  return EXIT.ok
}

const HEADER = ['SESSION', 'WHO', 'WHERE', 'ROLE', 'FROM', 'APPLICATION', 'TLS', 'SINCE']

type Session = SessionList['sessions'][number]

const rowOf = ({ id, principal, target, role, client, openedAt }: Session): readonly string[] => [
  id,
  principal.onBehalfOf === undefined ? principal.id : `${principal.id} for ${principal.onBehalfOf}`,
  `${target.environment}/${target.database}`,
  role,
  `${client.address}:${client.port}`,
  client.application ?? '-',
  client.tls ?? 'none',
  localTime(openedAt),
]

export const sessions: Command = { summary: 'who is connected now', help: HELP, run }
