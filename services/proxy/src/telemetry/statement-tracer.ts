import type { Outcome, Target } from '@countersign/contracts'
import type { Execution } from '../statement/execution.ts'

/** Makes a trace of a statement that has ended, if it is to have one. */
export interface StatementTracer {
  settled(execution: Execution, outcome: Outcome, sqlstate: string | undefined, now: number, target: Target): void
  /** Sends what is left, and ends. */
  close(): Promise<void>
}
