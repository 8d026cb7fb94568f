import { LogConfig } from '@countersign/platform'
import { CliError } from '../cli-error.ts'
import { readArguments, type Command, type Io } from '../command.ts'
import { EXIT, type ExitCode } from '../exit-code.ts'
import { homeAt, type Home } from '../home.ts'
import type { Ready } from '../ready-file.ts'
import { banner } from './banner.ts'
import { PORT_BASE_DEFAULT, portsFrom } from './ports.ts'
import type { ServiceEntries } from './processes.ts'
import { humanReport, jsonReport } from './report.ts'
import { runUp, type UpOptions } from './up.ts'

const HELP = `Usage: countersign up [options]

Runs the whole system on this machine, with a demo database, until Ctrl-C.

  --home DIR            where everything is kept (default: .countersign in the current folder)
  --port-base N         the first of seven ports (default: ${PORT_BASE_DEFAULT}):
                        +0 node, +1 API and console, +2 ClickHouse HTTP, +3 ClickHouse TCP,
                        +4 demo PostgreSQL, +5 audit, +6 node admin
  --log KIND            embedded (default) or kafka
  --kafka-brokers LIST  host:port,host:port
  --fresh               drop the data of this home first: database, log, ClickHouse
  --json                progress as JSON, a line each; the last one holds what ready.json holds

CLICKHOUSE_URL in the environment, with CLICKHOUSE_USER and CLICKHOUSE_PASSWORD, names a ClickHouse of your own.`

const OPTIONS = {
  home: { type: 'string' },
  'port-base': { type: 'string' },
  log: { type: 'string' },
  'kafka-brokers': { type: 'string' },
  fresh: { type: 'boolean' },
} as const

/** With other services than ours, for tests. */
export const runUpCommand = async (args: readonly string[], io: Io, entries?: ServiceEntries): Promise<ExitCode> => {
  const { values } = readArguments(args, OPTIONS)
  const home = homeAt(values.home, io.cwd)
  const options: UpOptions = {
    home,
    ports: portsFrom(Number(values['port-base'] ?? PORT_BASE_DEFAULT)),
    log: logOf(values.log ?? 'embedded', values['kafka-brokers'], home),
    fresh: values.fresh ?? false,
    ...(entries && { entries }),
  }
  const report = values.json ? jsonReport(io) : humanReport(io)
  const onReady = (ready: Ready) => io.out(values.json ? JSON.stringify({ ready }) : banner(home, ready, io.cwd))
  try {
    await runUp(options, io, report, onReady)
  } catch (error) {
    // Told to stop while it was starting: what follows from that is no failure.
    if (!io.stopping.aborted) throw error
  }
  return EXIT.ok
}

const REPLICAS_MAX = 3

const logOf = (kind: string, brokers: string | undefined, home: Home): LogConfig => {
  if (kind === 'kafka') return kafkaLog(brokers)
  if (kind !== 'embedded') throw new CliError('CLI_USAGE', `--log must be embedded or kafka, not \`${kind}\``)
  if (brokers !== undefined) throw new CliError('CLI_USAGE', '--kafka-brokers goes with --log kafka')
  return { kind, directory: home.eventLog }
}

const kafkaLog = (list = ''): LogConfig => {
  const brokers = list.split(',').filter((broker) => broker !== '')
  const replicationFactor = Math.min(REPLICAS_MAX, brokers.length)
  const parsed = LogConfig.safeParse({ kind: 'kafka', brokers, replicationFactor })
  if (parsed.success) return parsed.data
  throw new CliError('CLI_USAGE', '--log kafka needs --kafka-brokers host:port,host:port')
}

export const up: Command = {
  summary: 'run the whole system on this machine, with a demo database',
  help: HELP,
  run: (args, io) => runUpCommand(args, io),
}
