import { faultOf, type Logger } from './log.ts'

const STOP_TIMEOUT_MS = 8_000

/**
 * Runs a service until it is asked to stop: by a signal, or by its supervisor going away (the IPC channel closes, so
 * nothing is left behind when `countersign up` is killed). Stops once, within a bound, and then ends the process.
 */
export const untilStopped = (logger: Logger, stop: () => Promise<void>): void => {
  let stopping = false
  const end = async (because: string) => {
    if (stopping) return
    stopping = true
    logger.info('stopping', { because })
    const late = setTimeout(() => {
      logger.error('did not stop in time', { timeoutMs: STOP_TIMEOUT_MS })
      process.exit(1)
    }, STOP_TIMEOUT_MS)
    late.unref()
    try {
      await stop()
      process.exit(0)
    } catch (error) {
      logger.error('failed to stop cleanly', faultOf(error))
      process.exit(1)
    }
  }
  process.once('SIGTERM', () => void end('SIGTERM'))
  process.once('SIGINT', () => void end('SIGINT'))
  if (process.channel) process.once('disconnect', () => void end('supervisor gone'))
}

/** Tells the supervisor that the service can be used now. Does nothing when there is none. */
export const announceReady = (details: Readonly<Record<string, string | number>> = {}): void => {
  process.send?.({ ready: true, ...details })
}
