import type { Digest, Outcome, RequestId, StatementId } from '@countersign/contracts'
import type { TransactionStatus } from '@countersign/pgwire'
import type { Recorder } from '../../record/recorder.ts'
import { intendedText } from '../../statement/event-text.ts'
import { Execution, type Stages } from '../../statement/execution.ts'
import type { Judgement } from '../../statement/judgement.ts'
import { traceParentIn, type TraceParent } from '../../telemetry/traceparent.ts'
import type { Identity } from '../../session/identity.ts'
import { Meaning } from './meaning.ts'
import { executionsOf, type Pending, type Portal } from './pending.ts'

/** How a statement came, for the record of its intent. */
export interface Intent {
  readonly judgement: Judgement
  readonly protocol: 'simple' | 'extended'
  readonly text: string
  readonly textBytes: Buffer
  readonly parameterBytes: Buffer | undefined
  readonly digest: Digest
  readonly requestId?: RequestId | undefined
  readonly received: number
  readonly stages: Stages
}

/**
 * What the two sides of a session share: what the server still owes an answer to, what its words mean, where the
 * transaction stands; and the record's rule that each statement intended is settled once.
 */
export class Exchange {
  readonly #identity: Identity
  readonly #recorder: Recorder
  readonly #unsettled = new Set<Execution>()
  /** Completed, but not known to stand until the server says that it is ready again. */
  #finished: Execution[] = []
  #failure: string | undefined
  #sequence = 0

  readonly pending: Pending[] = []
  readonly meaning: Meaning
  status: TransactionStatus = 'idle'
  /** Groups (simple queries, or everything up to a Sync) that were sent to the server, and that it has ended. */
  groupsSent = 0
  groupsEnded = 0
  /** Syncs that the client has sent: where the server, when it refuses something, goes on. */
  syncs = 0
  /** The server has said that it ends the session, and why. */
  serverHasLeft = false
  /** The server waits for the client's data, and passes over Sync and Flush meanwhile. */
  copying = false

  constructor(identity: Identity, recorder: Recorder, schema?: () => unknown) {
    this.#identity = identity
    this.#recorder = recorder
    this.meaning = new Meaning(schema)
  }

  get statements(): number {
    return this.#sequence
  }

  get head(): Pending | undefined {
    return this.pending[0]
  }

  /** Records that a statement is to run. Nothing of it has gone to the server yet. */
  intend(intent: Intent): Execution {
    const { judgement, received, stages, textBytes } = intent
    const traceParent = traceParentIn(textBytes)
    const intended = this.#identity.clock()
    // What was known already took no stage of its own.
    if (stages.understand === 0) stages.understand = intended - received
    const sequence = ++this.#sequence
    const statementId = `${this.#identity.sessionId}.${sequence}` as StatementId
    const { sessionId } = this.#identity
    const summary = { type: 'statement.intended', data: { statementId, sessionId, sequence } } as const
    const record = this.#recorder.addText(summary, this.#intended(intent, statementId, sequence, traceParent), 'now')
    const execution = new Execution(judgement, {
      statementId,
      sequence,
      record,
      received,
      intended,
      stages,
      traceParent,
    })
    this.#unsettled.add(execution)
    return execution
  }

  /** The server has been sent something that it owes an answer to. */
  owe(pending: Pending): void {
    if (pending.kind === 'copy-end') return this.#oweCopyEnd(pending)
    const now = this.#identity.clock()
    for (const execution of executionsOf(pending)) {
      // Suspended, it was settled with its transaction: the server will say that its portal is gone.
      if (execution.settled && execution.suspended) continue
      if (execution.settled) throw new Error('a statement is forwarded after its settlement')
      execution.forwarded ||= now
    }
    this.pending.push(pending)
  }

  /** The server says something: the first statement that it owes an answer to has its first byte. */
  heard(): void {
    for (const pending of this.pending) {
      const [execution] = executionsOf(pending)
      if (!execution) continue
      if (execution.answered === 0) execution.answered = this.#identity.clock()
      return
    }
  }

  /** The server has answered the first of what it owes; the end of copied data needs no answer of its own. */
  answered(): Pending | undefined {
    const answered = this.pending.shift()
    while (this.pending[0]?.kind === 'copy-end') this.pending.shift()
    return answered
  }

  /** COPY FROM STDIN has begun: the server passes over each Sync that comes before the end of the data. */
  copyInBegins(): void {
    const end = this.pending.findIndex(({ kind }) => kind === 'copy-end')
    const before = this.pending.splice(1, (end < 0 ? this.pending.length : end) - 1)
    const kept = before.filter(({ kind }) => kind !== 'sync')
    this.pending.splice(1, 0, ...kept)
    this.groupsSent -= before.length - kept.length
    this.copying = end < 0
  }

  #oweCopyEnd(pending: Pending): void {
    this.copying = false
    if (this.pending.length > 0) this.pending.push(pending)
  }

  /** The one settlement of a statement. A second one is a mistake that must not reach the record. */
  settle(execution: Execution, outcome: Outcome, sqlstate?: string): void {
    if (!this.#unsettled.delete(execution)) return
    execution.settled = true
    this.meaning.ended(execution)
    const { sessionId, now, clock, observer } = this.#identity
    const { statementId } = execution
    const ended = clock()
    observer?.settled(execution, outcome, sqlstate, ended)
    const text = execution.settlement(sessionId, outcome, sqlstate, ended, now())
    this.#recorder.addText({ type: 'statement.settled', data: { statementId } }, text, 'soon')
  }

  /** The server has completed it. Whether it stands is known when the server is ready again. */
  finish(execution: Execution, command: string, rowsAffected: number): void {
    execution.command = command
    execution.rowsAffected = rowsAffected
    this.#finished.push(execution)
    for (const portal of this.meaning.completed(execution)) this.dropPortal(portal)
  }

  /** The server has refused something: what was to follow in this group does not run. */
  fail(execution: Execution | undefined, sqlstate: string): void {
    this.#failure ??= sqlstate
    if (execution) this.settle(execution, sqlstate === QUERY_CANCELED ? 'cancelled' : 'failed', sqlstate)
  }

  /** It was sent, and the server has passed over it. */
  passOver(pending: Pending): void {
    this.undo(pending)
    if (pending.kind === 'query') this.groupsSent -= 1
    for (const execution of executionsOf(pending)) this.settle(execution, 'cancelled', this.#failure)
    if (pending.kind === 'execute') pending.portal.execution = undefined
  }

  /** What was believed when it was sent is not so. */
  undo(pending: Pending): void {
    const { prepared, portals } = this.meaning
    if (pending.kind === 'refused' && pending.change && !pending.change.answered) prepared.undone(pending.change)
    if (pending.kind === 'parse' || pending.kind === 'close-statement') prepared.undone(pending.change)
    if (pending.kind === 'bind' || pending.kind === 'close-portal') portals.undone(pending.change)
  }

  skip(execution: Execution): void {
    this.settle(execution, 'cancelled', this.#failure)
  }

  /** The group has come to its end, and the transaction is in this status. Returns true when the schema has changed. */
  ready(status: TransactionStatus): boolean {
    this.status = status
    this.copying = false
    const ended = this.groupsEnded++
    const finished = this.#finished
    this.#finished = []
    const failure = this.#failure
    this.#failure = undefined
    const undone = failure !== undefined && status === 'idle' ? behindLastEnd(finished) : finished.length
    for (const [index, execution] of finished.entries()) {
      if (index >= undone) this.settle(execution, 'failed', failure)
      else this.settle(execution, 'completed')
    }
    if (status === 'idle') this.#dropPortals(ended, failure)
    return this.meaning.ready(status, failure !== undefined)
  }

  /** A portal was closed or replaced. Whether what it has done stands is known at the end of the group. */
  dropPortal(portal: Portal): void {
    const { execution } = portal
    if (!execution || execution.asked > 0) return
    portal.execution = undefined
    if (execution.suspended) this.#finished.push(execution)
    else this.skip(execution)
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
    for (const execution of this.#finished) this.settle(execution, 'outcome_unknown')
    for (const execution of this.#unsettled) this.settle(execution, abandonedOutcome(execution))
  }

  #dropPortals(group: number, failure: string | undefined): void {
    const gone = this.meaning.portals.forget((portal) => portal.group <= group)
    for (const { execution } of gone) if (execution) this.#endWithTransaction(execution, failure)
  }

  #endWithTransaction(execution: Execution, failure: string | undefined): void {
    if (!execution.suspended && execution.asked > 0) return // The server will say that the portal is gone.
    if (!execution.suspended) this.settle(execution, 'cancelled', failure)
    else if (failure === undefined) this.settle(execution, 'completed')
    else this.settle(execution, 'failed', failure)
  }

  #intended(intent: Intent, statementId: StatementId, sequence: number, traceParent: TraceParent | undefined): string {
    const { judgement, protocol, text, textBytes, parameterBytes, digest, requestId } = intent
    const { sessionId, now } = this.#identity
    const { reason, ticket } = this.meaning
    return intendedText({
      statementId,
      sessionId,
      sequence,
      protocol,
      text,
      textBytes: textBytes.length,
      digest,
      sealed: this.#recorder.seal(parameterBytes ? Buffer.concat([textBytes, parameterBytes]) : textBytes),
      transaction: this.status,
      judgement,
      requestId,
      reason,
      ticket,
      traceparent: traceParent?.text,
      at: now(),
    })
  }
}

const QUERY_CANCELED = '57014'

/**
 * Outside a transaction block an error takes back what came before it, up to the last end of a transaction within the
 * group. Returns the index of the first that is taken back.
 */
const behindLastEnd = (finished: readonly Execution[]): number =>
  finished.findLastIndex(({ command }) => command === 'COMMIT' || command === 'ROLLBACK') + 1

const abandonedOutcome = ({ forwarded, judgement }: Execution): Outcome => {
  if (forwarded === 0) return 'withdrawn'
  return judgement.readOnly ? 'cancelled' : 'outcome_unknown'
}
