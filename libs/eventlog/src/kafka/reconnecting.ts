import { setTimeout as sleep } from 'node:timers/promises'

interface Closable {
  close(): void
}

/** A connection that is made again whenever it has failed, until it stands. */
export interface Reconnecting<C extends Closable> {
  /** The connection, if it stands now. */
  current(): C | undefined
  /** Why it does not. */
  reason(): string
  /** Gives a connection up that has failed. The next one is on its way. */
  fail(failed: C, because: string): void
  close(): void
}

/** Between two attempts. Short, because until one succeeds everything is refused. */
const RETRY_MS = 200

/** `connected` resolves when the connection stands for the first time. */
export const reconnecting = <C extends Closable>(connect: () => Promise<C>, connected: () => void): Reconnecting<C> => {
  const stop = new AbortController()
  const { signal } = stop
  let current: C | undefined
  let reason = 'not connected yet'

  const attempt = async (): Promise<boolean> => {
    try {
      const made = await connect()
      if (signal.aborted) made.close()
      else current = made
      return true
    } catch (error) {
      reason = error instanceof Error ? error.message : String(error)
      return false
    }
  }

  const connectAtLast = async (): Promise<void> => {
    while (!(await attempt())) {
      await sleep(RETRY_MS, undefined, { signal }).catch(() => {})
      if (signal.aborted) return
    }
    connected()
  }

  void connectAtLast()

  return {
    current: () => current,
    reason: () => reason,
    fail: (failed, because) => {
      failed.close()
      if (failed !== current) return
      current = undefined
      reason = because
      void connectAtLast()
    },
    close: () => {
      stop.abort()
      current?.close()
      current = undefined
    },
  }
}
