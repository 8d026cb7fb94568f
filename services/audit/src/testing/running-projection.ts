import type { EventLog } from '@countersign/eventlog'
import { runProjection } from '../projection/run-projection.ts'
import { Status } from '../projection/status.ts'
import type { AuditDatabase } from '../store/generations.ts'

export interface RunningProjection {
  readonly status: Status
  /** Resolves when it has begun to project. */
  readonly ready: Promise<void>
  /** Settles with what became of it when it was stopped, or gave up. */
  stop(): Promise<void>
}

/** The projection, in this process. */
export const project = (log: EventLog, server: AuditDatabase): RunningProjection => {
  const stop = new AbortController()
  const status = new Status()
  const { promise: ready, resolve } = Promise.withResolvers<void>()
  const ended = runProjection({ log, server, status, signal: stop.signal, now: Date.now, ready: () => resolve() })
  ended.catch(() => {})
  return {
    status,
    ready,
    stop: () => {
      stop.abort()
      return ended
    },
  }
}
