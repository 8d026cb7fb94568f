import { LogUnavailableError } from './event-log.ts'

/** Outcomes that are waited for by name. */
export interface Awaited<T> {
  /** Rejects with `LogUnavailableError` when the outcome does not come in time. */
  of(name: string): Promise<T>
  /** Tells whoever waits for the name, if anybody does. */
  settle(name: string, outcome: T): void
  /** Rejects whoever waits, now and from now on. */
  fail(error: unknown): void
}

interface Waiter<T> {
  readonly timer: NodeJS.Timeout
  readonly resolve: (outcome: T) => void
  readonly reject: (error: unknown) => void
}

export const awaited = <T>(timeoutMs: number): Awaited<T> => {
  const waiters = new Map<string, Waiter<T>>()
  let failure: { readonly error: unknown } | undefined

  const take = (name: string) => {
    const waiter = waiters.get(name)
    waiters.delete(name)
    clearTimeout(waiter?.timer)
    return waiter
  }

  return {
    of: (name) =>
      new Promise((resolve, reject) => {
        if (failure) return reject(failure.error)
        const timer = setTimeout(() => take(name)?.reject(tooLate(timeoutMs)), timeoutMs)
        waiters.set(name, { timer, resolve, reject })
      }),
    settle: (name, outcome) => take(name)?.resolve(outcome),
    fail: (error) => {
      failure = { error }
      for (const name of waiters.keys()) take(name)?.reject(error)
    },
  }
}

const tooLate = (timeoutMs: number) =>
  new LogUnavailableError(`what was written has not been read back within ${timeoutMs} ms`)
