import type { Outcome, RequestId, SessionId, StatementId } from '@countersign/contracts'
import type { TraceParent } from '../telemetry/traceparent.ts'
import { settledText, touchesText } from './event-text.ts'
import { rowsMaxOf } from './guard.ts'
import type { CopyPlan, Judgement, RowPlan } from './judgement.ts'

/** Where a statement's time went, in milliseconds of the monotonic clock; written down in microseconds. */
export interface Stages {
  understand: number
  decide: number
  record: number
  hold: number
}

export const noStages = (): Stages => ({ understand: 0, decide: 0, record: 0, hold: 0 })

/** One statement on its way: recorded as intended, and not settled yet. */
export class Execution<J extends Judgement = Judgement> {
  readonly judgement: J
  readonly statementId: StatementId
  readonly sequence: number
  /** The record that carries its intent. */
  readonly record: number
  readonly stages: Stages
  /** When its message came, when its intent was put down, and when it went to the server; 0: it has not. */
  readonly received: number
  readonly intended: number
  forwarded = 0
  /** When the server first said something after that; 0: it has not. */
  answered = 0
  /** The trace that its client says it belongs to. */
  readonly traceParent: TraceParent | undefined

  /** Settled: nothing of it may go to the server any more. */
  settled = false
  /** How often the server has been asked to run it, or to go on with it, and has not answered. */
  asked = 0
  /** It has given some of its rows, and has more. */
  suspended = false
  rows: RowPlan | undefined
  copy: CopyPlan | undefined
  /** Its rows have been described, so `rows` is what they need. */
  described = false
  rowsReturned = 0
  bytesReturned = 0
  command = ''
  rowsAffected = 0
  /** The most that it may change. */
  readonly rowsMax: number
  /** It gives back more rows than it may change: the client is not shown them. */
  hasMoreRows = false
  /** What it did is more than it may, or nobody can say how much it was in time: nothing of it will stand. */
  tripped: 'more-rows' | 'in-parts' | 'not-captured' | 'changed-since' | undefined
  /** The approval that it runs under. */
  readonly requestId: RequestId | undefined
  /** How it has ended. */
  outcome: Outcome | undefined

  constructor(
    judgement: J,
    {
      statementId,
      sequence,
      record,
      received,
      intended,
      stages,
      traceParent,
      requestId,
    }: Pick<
      Execution,
      'statementId' | 'sequence' | 'record' | 'received' | 'intended' | 'stages' | 'traceParent' | 'requestId'
    >,
  ) {
    this.judgement = judgement
    this.rowsMax = rowsMaxOf(judgement.guard)
    this.statementId = statementId
    this.sequence = sequence
    this.record = record
    this.received = received
    this.intended = intended
    this.stages = stages
    this.traceParent = traceParent
    this.requestId = requestId
  }

  /** Whether it may stand is known when it has run. */
  get guarded(): boolean {
    return this.rowsMax !== Infinity || this.judgement.restores !== undefined
  }

  /** The one settlement of this statement as event text; `now` on the monotonic clock, `at` on the wall. */
  settlement(sessionId: SessionId, outcome: Outcome, sqlstate: string | undefined, now: number, at: string): string {
    const { statementId, sequence, command, rowsReturned, rowsAffected, bytesReturned, stages } = this
    const masked = this.rows || this.copy ? [...(this.rows?.masked() ?? []), ...(this.copy?.masked() ?? [])] : NONE
    return settledText({
      statementId,
      sessionId,
      sequence,
      outcome,
      sqlstate,
      command,
      rowsReturned,
      rowsAffected,
      bytesReturned,
      durations: {
        understand: micros(stages.understand),
        decide: micros(stages.decide),
        record: micros(stages.record),
        hold: micros(stages.hold),
        database: this.forwarded === 0 ? 0 : micros(now - this.forwarded),
        total: micros(now - this.received),
      },
      touches: touchesOf(this.judgement, masked),
      maskedColumns: masked,
      at,
    })
  }
}

const NONE: readonly string[] = []

/** Never negative: a clock that steps back must not make a record that its contract refuses. */
const micros = (milliseconds: number): number => (milliseconds > 0 ? Math.round(milliseconds * 1000) : 0)

/** A column that was to be returned is said to be clear only when none of its values was masked. */
const touchesOf = ({ touches }: Judgement, masked: readonly string[]): string =>
  masked.length === 0
    ? touchesText(touches)
    : JSON.stringify(
        touches.map((touch) =>
          touch.how === 'returned-clear' && masked.includes(`${touch.relation}.${touch.column ?? ''}`)
            ? { ...touch, how: 'returned-masked' as const }
            : touch,
        ),
      )
