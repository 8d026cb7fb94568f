import type { CancelKey } from '../protocol.ts'

/** What a worker asks of the node that it belongs to. */
export interface Front {
  /** Another worker has the session that this key cancels. Resolves when its server has been told. */
  cancelElsewhere(key: CancelKey): Promise<void>
  /** A connection that this worker was given is no more. */
  connectionClosed(): void
  readonly counts: Counts
}

/**
 * Numbers that are limited per node, not per worker: the connections of one principal. A worker that dies gives back
 * whatever it had taken.
 */
export interface Counts {
  /** Takes one of `max`, under a name such as `principal/ana`. False when there is none left. */
  take(name: string, max: number): Promise<boolean>
  giveBack(name: string): void
}
