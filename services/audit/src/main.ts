import 'reflect-metadata'
import { setPriority } from 'node:os'
import { parseArgs } from 'node:util'
import { openEventLog, type EventLog } from '@countersign/eventlog'
import {
  announceReady,
  faultOf,
  loadConfig,
  loggerOf,
  untilStopped,
  type Config,
  type Logger,
} from '@countersign/platform'
import { NestFactory } from '@nestjs/core'
import { AuditModule } from './audit.module.ts'
import { untilDone } from './projection/patience.ts'
import { runProjection } from './projection/run-projection.ts'
import { Status } from './projection/status.ts'
import { rebuild } from './rebuild.ts'
import { Health } from './status/health.ts'

const { values: given } = parseArgs({
  options: { config: { type: 'string', default: 'countersign.yaml' }, rebuild: { type: 'boolean', default: false } },
})

const serve = async (config: Config, logger: Logger): Promise<void> => {
  const stop = new AbortController()
  const stopped: (() => Promise<void>)[] = []
  untilStopped(logger, async () => {
    stop.abort()
    for (const end of stopped) await end()
  })

  const status = new Status(faultsTo(logger))
  let log: EventLog | undefined
  const app = await listen(new Health(status, () => log, Date.now), config)
  stopped.push(() => app.close())
  log = await openLog(config, logger, stop.signal)

  const projected = runProjection({
    log,
    server: config.audit.clickhouse,
    status,
    signal: stop.signal,
    now: Date.now,
    ready: (data) => {
      logger.info('projecting', { data })
      announceReady({ port: config.audit.listen.port })
    },
  })
  stopped.unshift(() => projected, log.close)
  await projected
}

const faultsTo =
  (logger: Logger) =>
  (what: string, fault?: string): void =>
    fault === undefined ? logger.info('works again', { what }) : logger.warn('waiting', { what, fault })

const listen = async (health: Health, { audit }: Config) => {
  const app = await NestFactory.create(AuditModule.of(health), { logger: false, abortOnError: false })
  await app.listen(audit.listen.port, audit.listen.host)
  return app
}

const openLog = ({ log }: Config, logger: Logger, signal: AbortSignal): Promise<EventLog> =>
  untilDone(() => openEventLog(log), {
    signal,
    failed: (error) => logger.warn('waiting for the log', faultOf(error)),
    isFinal: () => false,
  })

/** A command: makes the projection anew, says so, and ends. */
const rebuildOnce = async (config: Config, logger: Logger): Promise<void> => {
  const stop = new AbortController()
  const log = await openLog(config, logger, stop.signal)
  const begun = Date.now()
  logger.info('rebuilding')
  const data = await rebuild({
    log,
    server: config.audit.clickhouse,
    signal: stop.signal,
    now: Date.now,
    told: faultsTo(logger),
  })
  logger.info('rebuilt', { data, seconds: (Date.now() - begun) / 1000 })
  await log.close()
  process.exit(0)
}

/** Every line of a message: a configuration may be wrong in several places. */
const end = (logger: Logger, error: unknown): never => {
  const message = error instanceof Error ? error.message : String(error)
  for (const line of message.split('\n')) logger.error('cannot go on', { ...faultOf(error), error: line })
  process.exit(1)
}

/** The least of all: it takes what nobody else wants, and catches up when there is time. */
const NICENESS = 19

const logger = loggerOf('audit')
// On a machine that it shares with a node, people's statements come first: the log waits for us, they should not.
setPriority(NICENESS)
try {
  const config = loadConfig(given.config)
  await (given.rebuild ? rebuildOnce(config, logger) : serve(config, logger))
} catch (error) {
  end(logger, error)
}
