import type { LogRecord, Subscription } from './event-log.ts'

/** A place in a topic that moves on with every read. */
export interface Follower {
  /** The next records. Waits while there are none; may come back empty, always does once the signal is given. */
  next(signal: AbortSignal): Promise<readonly LogRecord[]>
  close(): void | Promise<void>
}

export type Handler = (records: readonly LogRecord[]) => void | Promise<void>

/** What is the same in every adapter: one call at a time, none after the close, and an end at the first failure. */
export const subscriptionOver = (
  follower: Follower,
  handler: Handler,
  failed: (error: unknown) => void,
): Subscription => {
  const stop = new AbortController()
  const { signal } = stop

  const run = async () => {
    try {
      while (!signal.aborted) {
        const records = await follower.next(signal)
        if (records.length > 0 && !signal.aborted) await handler(records)
      }
    } finally {
      await follower.close()
    }
  }

  const ended = run().catch((error: unknown) => {
    if (!signal.aborted) failed(error)
  })

  return {
    close: () => {
      stop.abort()
      return ended
    },
  }
}
