import type { Cursor, Position } from './event-log.ts'

/** How far a reader has come, and who waits for it to come further. */
export interface Progress {
  reached(position: Position): void
  /** Resolves once everything before the cursor has been read. */
  to(end: Cursor): Promise<void>
  /** Rejects whoever waits, now and from now on. */
  fail(error: unknown): void
}

interface Waiter {
  readonly end: Cursor
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

export const progressOf = (): Progress => {
  const next = new Map<string, number>()
  let waiters: readonly Waiter[] = []
  let failure: { readonly error: unknown } | undefined

  const isPast = (end: Cursor) =>
    Object.entries(end).every(([partition, offset]) => (next.get(partition) ?? 0) >= offset)

  return {
    reached: ({ partition, offset }) => {
      next.set(String(partition), offset + 1)
      if (waiters.length === 0) return
      const arrived = waiters.filter(({ end }) => isPast(end))
      waiters = waiters.filter((waiter) => !arrived.includes(waiter))
      for (const { resolve } of arrived) resolve()
    },
    to: (end) =>
      new Promise((resolve, reject) => {
        if (failure) reject(failure.error)
        else if (isPast(end)) resolve()
        else waiters = [...waiters, { end, resolve, reject }]
      }),
    fail: (error) => {
      failure = { error }
      for (const { reject } of waiters) reject(error)
      waiters = []
    },
  }
}
