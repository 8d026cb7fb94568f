import type { AccessEvent, Outcome, RequestId, StatementId } from '@countersign/contracts'
import type { Recorder } from '../record/recorder.ts'
import { intendedText } from '../statement/event-text.ts'
import type { ExactBytes } from '../statement/exact-bytes.ts'
import { Execution, type Stages } from '../statement/execution.ts'
import type { Guard } from '../statement/guard.ts'
import type { Judgement, TransactionStatus } from '../statement/judgement.ts'
import type { TraceParent } from '../telemetry/traceparent.ts'
import type { Identity } from './identity.ts'

/** How a statement came, for the record of its intent. */
export interface Intent<J extends Judgement> {
  readonly judgement: J
  readonly protocol: 'simple' | 'extended'
  readonly text: string
  readonly exact: ExactBytes
  readonly requestId?: RequestId | undefined
  readonly received: number
  readonly stages: Stages
}

/**
 * The account of a session's statements: each is written down before it can have an effect, and settled once.
 *
 * A protocol adds what it knows of the session: where its transaction stands, and what its client says of it.
 */
export abstract class StatementAccount<J extends Judgement> {
  protected readonly identity: Identity
  readonly #recorder: Recorder
  readonly #unsettled = new Set<Execution<J>>()
  #sequence = 0

  constructor(identity: Identity, recorder: Recorder) {
    this.identity = identity
    this.#recorder = recorder
  }

  /** Where the transaction stands, by the last that the server has said of it. */
  abstract readonly status: TransactionStatus
  /** Why, and by which ticket, as the client has said it for all that it does now. */
  abstract get reason(): string | undefined
  abstract get ticket(): string | undefined

  /** How many there have been. */
  get statements(): number {
    return this.#sequence
  }

  /** Records that a statement is to run. Nothing of it has gone to the server yet. */
  intend(intent: Intent<J>): Execution<J> {
    const { judgement, received, stages } = intent
    const { traceParent } = intent.exact
    const { sessionId, clock } = this.identity
    const intended = clock()
    // What was known already took no stage of its own.
    if (stages.understand === 0) stages.understand = intended - received
    const sequence = ++this.#sequence
    const statementId = `${sessionId}.${sequence}` as StatementId
    const summary = { type: 'statement.intended', data: { statementId, sessionId, sequence } } as const
    const text = this.#intended(intent, statementId, sequence, traceParent)
    const intendedIn = this.#recorder.addText(summary, text, 'now')
    const record = judgement.guard ? this.#guarded(statementId, judgement.guard) : intendedIn
    const execution = new Execution(judgement, {
      statementId,
      sequence,
      record,
      received,
      intended,
      stages,
      traceParent,
      requestId: intent.requestId,
    })
    this.#unsettled.add(execution)
    return execution
  }

  /** The one settlement of a statement: false for a second one, a mistake that must not reach the record. */
  settle(execution: Execution<J>, outcome: Outcome, sqlstate?: string): boolean {
    if (!this.#unsettled.delete(execution)) return false
    execution.settled = true
    execution.outcome = outcome
    const { sessionId, now, clock, observer } = this.identity
    const { statementId } = execution
    const ended = clock()
    observer?.settled(execution, outcome, sqlstate, ended)
    const text = execution.settlement(sessionId, outcome, sqlstate, ended, now())
    this.#recorder.addText({ type: 'statement.settled', data: { statementId } }, text, 'soon')
    return true
  }

  /** Results of these were held back because the log is down: they count as refused, though they were only read. */
  refuseUnrecorded(): void {
    for (const execution of this.#unsettled) {
      const unrecorded = execution.forwarded > 0 && execution.record > this.#recorder.durable
      if (unrecorded) this.settle(execution, 'refused', 'ZA010')
    }
  }

  /** Nobody will say any more how these ended. What was never sent is known not to have run. */
  abandon(): void {
    for (const execution of this.#unsettled) this.settle(execution, abandonedOutcome(execution))
  }

  #guarded(statementId: StatementId, { rowsMax, by, unkept }: Guard): number {
    const { sessionId, now } = this.identity
    const kept = unkept === undefined
    const data = { statementId, sessionId, rowsMax, by, kept, ...(!kept && { because: unkept }), at: now() }
    return this.#recorder.add({ type: 'statement.guarded', data } as AccessEvent, 'now')
  }

  #intended(
    intent: Intent<J>,
    statementId: StatementId,
    sequence: number,
    traceParent: TraceParent | undefined,
  ): string {
    const { judgement, protocol, text, exact, requestId } = intent
    const { sessionId, now } = this.identity
    return intendedText({
      statementId,
      sessionId,
      sequence,
      protocol,
      text,
      textBytes: exact.textBytes,
      digest: exact.digest,
      sealed: this.#recorder.seal(exact.bytes),
      transaction: this.status,
      judgement,
      requestId,
      reason: this.reason,
      ticket: this.ticket,
      traceparent: traceParent?.text,
      at: now(),
    })
  }
}

const abandonedOutcome = ({ forwarded, judgement }: Execution): Outcome => {
  if (forwarded === 0) return 'withdrawn'
  return judgement.readOnly ? 'cancelled' : 'outcome_unknown'
}
