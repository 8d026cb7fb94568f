import type { Outcome } from '@countersign/contracts'
import type { Execution } from '../statement/execution.ts'

/** Told of each statement once, when it has ended. On the hot path: what it does must cost less than a microsecond. */
export interface StatementObserver {
  /**
   * `now`: the monotonic clock. Called before the settlement is written, because it also fills in the one duration
   * that only it knows: how long the record of the intent took.
   */
  settled(execution: Execution, outcome: Outcome, sqlstate: string | undefined, now: number): void
}
