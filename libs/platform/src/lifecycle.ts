import { faultOf, type Logger } from './log.ts'

const STOP_TIMEOUT_MS = 8_000

/**
 * Runs a service until it is asked to stop: by a signal, or by its supervisor going away (the IPC channel closes, so
 * nothing is left behind when `countersign up` is killed). Stops once, within a bound, and then ends the process.
 *
 * `drain`: what is under way may come to its end first, when it is a signal that asks. A second one cuts that short.
 */
export const untilStopped = (logger: Logger, stop: () => Promise<void>, drain?: () => Promise<void>): void => {
  let draining = false
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
  const ask = async (signal: NodeJS.Signals) => {
    if (!drain || draining) return end(draining ? `a second signal: ${signal}` : signal)
    draining = true
    logger.info('draining', { because: signal })
    await drain().catch((error: unknown) => logger.error('failed to drain', faultOf(error)))
    await end(`drained after ${signal}`)
  }
  process.on('SIGTERM', () => void ask('SIGTERM'))
  process.on('SIGINT', () => void ask('SIGINT'))
  if (process.channel) process.once('disconnect', () => void end('supervisor gone'))
}

/** Tells the supervisor which processes this one has started; all of them, each time one comes or goes. */
export const announceProcesses = (processes: readonly { readonly name: string; readonly pid: number }[]): void => {
  if (process.connected) process.send?.({ processes }, undefined, undefined, () => {})
}

/** Tells the supervisor that the service can be used now. Does nothing when there is none. */
export const announceReady = (details: Readonly<Record<string, string | number>> = {}): void => {
  process.send?.({ ready: true, ...details })
}
