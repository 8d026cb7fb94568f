import { parseArgs } from 'node:util'
import { openEventLog } from '@countersign/eventlog'
import {
  announceReady,
  faultOf,
  loadConfig,
  loggerOf,
  untilStopped,
  type Config,
  type Logger,
} from '@countersign/platform'
import { v7 } from 'uuid'
import { systemClock } from './clock.ts'
import { startControl } from './control.ts'

const RETRY_MS = 1_000

const run = async (logger: Logger): Promise<void> => {
  const config = loadConfig(configFile())
  const stops: (() => Promise<void>)[] = []
  // From the beginning: whoever started it may go away before it is ready.
  untilStopped(logger, async () => {
    for (const stop of stops) await stop()
  })
  const log = await openWhenThere(config, logger)
  stops.push(() => log.close())
  const failed = (error: unknown) => end(logger, error)
  const control = await startControl({ config, log, logger, clock: systemClock, newId: v7, failed })
  stops.unshift(() => control.close())
  logger.info('ready', { port: control.port })
  announceReady({ port: control.port })
}

const configFile = (): string => {
  const { values } = parseArgs({ options: { config: { type: 'string', default: 'countersign.yaml' } } })
  return values.config
}

/** Control has nothing to say without the log, but it need not be started again when the log comes. */
const openWhenThere = async ({ log }: Config, logger: Logger) => {
  for (;;) {
    try {
      return await openEventLog(log)
    } catch (error) {
      logger.warn('waiting for the log', faultOf(error))
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
    }
  }
}

/** Every line of a message: a configuration may be wrong in several places. */
const end = (logger: Logger, error: unknown): never => {
  const message = error instanceof Error ? error.message : String(error)
  for (const line of message.split('\n')) logger.error('cannot go on', { ...faultOf(error), error: line })
  process.exit(1)
}

const logger = loggerOf('control')
run(logger).catch((error: unknown) => end(logger, error))
