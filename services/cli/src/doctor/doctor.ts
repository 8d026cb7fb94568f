import { ConfigError, loadConfig, type Config } from '@countersign/platform'
import { readArguments, type Command, type Io } from '../command.ts'
import { EXIT, type ExitCode } from '../exit-code.ts'
import { homeAt } from '../home.ts'
import { serviceEnvironment } from '../service-environment.ts'
import { visible } from '../table.ts'
import { checkCertificate } from './check-certificate.ts'
import { checkClickhouse } from './check-clickhouse.ts'
import { checkClocks } from './check-clocks.ts'
import { checkDatabase } from './check-database.ts'
import { checkLog } from './check-log.ts'
import { checkService } from './check-service.ts'
import { fail, ok, runCheck, type Check, type Result, type Status } from './check.ts'

const HELP = `Usage: countersign doctor [options]

Looks whether everything is as it must be, and says what to do where it is not. Ends with 1 when something fails.

  --config FILE  the configuration to go by (default: countersign.yaml of the home)
  --home DIR     the home of \`countersign up\` (default: .countersign in the current folder)
  --json         for programs`

const OPTIONS = { config: { type: 'string' }, home: { type: 'string' } } as const

const run = async (args: readonly string[], io: Io): Promise<ExitCode> => {
  const { values } = readArguments(args, OPTIONS)
  const results = await diagnose(values.config ?? homeAt(values.home, io.cwd).config, io)
  if (values.json) io.out(JSON.stringify({ checks: results }))
  else for (const line of results.flatMap(linesOf)) io.out(line)
  return results.some(({ status }) => status === 'fail') ? EXIT.failed : EXIT.ok
}

/** Everything else goes by the configuration, so without one there is nothing more to find out. */
const diagnose = async (file: string, io: Io): Promise<readonly Result[]> => {
  const name = 'configuration'
  try {
    const config = loadConfig(file, serviceEnvironment(io.env))
    return [{ name, ...ok(file) }, ...(await Promise.all(checksOf(config, io).map((check) => runCheck(check))))]
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return [{ name, ...fail(error.message, 'correct it, or start with npm start, which writes one') }]
  }
}

const checksOf = (config: Config, io: Io): readonly Check[] => [
  checkLog(config.log),
  checkService('control', config.control.listen),
  checkService('node', config.node.admin),
  checkService('audit', config.audit.listen),
  ...config.databases.flatMap(checkDatabase),
  ...checkClickhouse(config.audit),
  ...(config.node.tls ? [checkCertificate(config.node.tls.certificate, io.now())] : []),
  checkClocks(config),
]

const NAME_WIDTH = 18
const STATUS_WIDTH = 4

const linesOf = ({ name, status, detail, remedy }: Result): readonly string[] => [
  `${MARK[status].padEnd(STATUS_WIDTH)}  ${visible(name).padEnd(NAME_WIDTH)}  ${visible(detail)}`,
  ...(remedy === undefined ? [] : [`${' '.repeat(STATUS_WIDTH + NAME_WIDTH + 4)}→ ${remedy}`]),
]

const MARK: Readonly<Record<Status, string>> = { ok: 'ok', warn: 'warn', fail: 'FAIL' }

export const doctor: Command = {
  summary: 'whether everything is as it must be, and what to do where not',
  help: HELP,
  run,
}
