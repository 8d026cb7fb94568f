import type { Digest, Outcome, RequestId, StatementId } from '@countersign/contracts'
import type { TransactionStatus } from '@countersign/pgwire'
import type { Recorder } from '../record/recorder.ts'
import { intendedText } from '../statement/event-text.ts'
import type { SessionView } from '../understanding/parser-jobs.ts'
import { Execution, type Stages } from '../statement/execution.ts'
import type { Judgement } from '../statement/judgement.ts'
import type { Identity } from './identity.ts'
import type { Pending, Portal, Prepared } from './pending.ts'

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
 * What the two sides of a session share: what the server still owes an answer to, what is prepared, where the
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
  readonly prepared = new Map<string, Prepared>()
  readonly portals = new Map<string, Portal>()
  /** Texts of SQL cursors, by name. */
  readonly cursors = new Map<string, string>()
  status: TransactionStatus = 'idle'
  names: SessionView = NO_NAMES
  namesKey = ''
  /** Names may mean something else than we believe: the server is asked before the next statement is judged. */
  namesChanged = true
  reason: string | undefined
  ticket: string | undefined
  /** Groups (simple queries, or everything up to a Sync) that were sent to the server, and that it has ended. */
  groupsSent = 0
  groupsEnded = 0
  /** Set while what the server says is thrown away, up to the end of the group; called there. */
  discarding: (() => void) | undefined

  constructor(identity: Identity, recorder: Recorder) {
    this.#identity = identity
    this.#recorder = recorder
  }

  get statements(): number {
    return this.#sequence
  }

  get head(): Pending | undefined {
    return this.pending[0]
  }

  /** Records that a statement is to run. Nothing of it has gone to the server yet. */
  intend(intent: Intent): Execution {
    const { judgement, received, stages } = intent
    const sequence = ++this.#sequence
    const statementId = `${this.#identity.sessionId}.${sequence}` as StatementId
    const { sessionId } = this.#identity
    const summary = { type: 'statement.intended', data: { statementId, sessionId, sequence } } as const
    const record = this.#recorder.addText(summary, this.#intended(intent, statementId, sequence))
    const execution = new Execution(judgement, { statementId, sequence, record, received, stages })
    this.#unsettled.add(execution)
    return execution
  }

  /** What names mean from now on. */
  learnNames(names: SessionView): void {
    this.names = names
    this.namesKey = `${JSON.stringify([names.searchPath, names.temporary, names.changedSchema])}\n`
    this.namesChanged = false
  }

  /** The one settlement of a statement. A second one is a mistake that must not reach the record. */
  settle(execution: Execution, outcome: Outcome, sqlstate?: string): void {
    if (!this.#unsettled.delete(execution)) return
    const { sessionId, now, clock } = this.#identity
    const { statementId } = execution
    const text = execution.settlement(sessionId, outcome, sqlstate, clock(), now())
    this.#recorder.addText({ type: 'statement.settled', data: { statementId } }, text)
  }

  /** The server has completed it. Whether it stands is known when the server is ready again. */
  finish(execution: Execution, command: string, rowsAffected: number): void {
    execution.command = command
    execution.rowsAffected = rowsAffected
    this.#finished.push(execution)
  }

  /** The server has refused something: what was to follow in this group does not run. */
  fail(execution: Execution | undefined, sqlstate: string): void {
    this.#failure ??= sqlstate
    if (execution) this.settle(execution, sqlstate === QUERY_CANCELED ? 'cancelled' : 'failed', sqlstate)
  }

  skip(execution: Execution): void {
    this.settle(execution, 'cancelled', this.#failure)
  }

  /** The group has come to its end, and the transaction is in this status. Returns the executions that stand. */
  ready(status: TransactionStatus): readonly Execution[] {
    const before = this.status
    this.status = status
    const ended = this.groupsEnded++
    const finished = this.#finished
    this.#finished = []
    const failure = this.#failure
    this.#failure = undefined
    const undone = failure !== undefined && before === 'idle' && status === 'idle' ? afterLastCommit(finished) : []
    for (const execution of finished) {
      if (undone.includes(execution)) this.settle(execution, 'failed', failure)
      else this.settle(execution, 'completed')
    }
    if (status === 'idle') this.#dropPortals(ended)
    return finished.length === 0 ? NONE : finished.filter((execution) => !undone.includes(execution))
  }

  /** A portal is gone. What it had begun and nobody asks for any more ends here. */
  dropPortal(portal: Portal): void {
    portal.dropped = true
    const { execution } = portal
    if (!execution || execution.phase === 'asked') return
    portal.execution = undefined
    this.settle(execution, execution.phase === 'suspended' ? 'completed' : 'cancelled')
  }

  /** The portal has given as many rows as were asked for, and has more. */
  suspend(portal: Portal): void {
    if (portal.execution) portal.execution.phase = 'suspended'
    if (portal.dropped) this.dropPortal(portal)
  }

  /** Results of these were held back because the log is down: they count as refused, though they were only read. */
  refuseUnrecorded(): void {
    for (const execution of this.#unsettled) {
      if (execution.record > this.#recorder.durable) this.settle(execution, 'refused', 'ZA010')
    }
  }

  /** Nobody will say any more how these ended. */
  abandon(outcomeOf: (execution: Execution) => Outcome): void {
    for (const execution of this.#finished) this.settle(execution, 'outcome_unknown')
    for (const execution of this.#unsettled) this.settle(execution, outcomeOf(execution))
  }

  #dropPortals(group: number): void {
    for (const [name, portal] of this.portals) {
      if (portal.group > group) continue
      this.portals.delete(name)
      this.dropPortal(portal)
    }
  }

  #intended(intent: Intent, statementId: StatementId, sequence: number): string {
    const { judgement, protocol, text, textBytes, parameterBytes, digest, requestId } = intent
    const { sessionId, now } = this.#identity
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
      reason: this.reason,
      ticket: this.ticket,
      at: now(),
    })
  }
}

const NO_NAMES: SessionView = { searchPath: [], temporary: [], changedSchema: false }
const QUERY_CANCELED = '57014'
const NONE: readonly Execution[] = []

/** In an implicit transaction an error takes back what came before it, up to the last COMMIT within the group. */
const afterLastCommit = (finished: readonly Execution[]): readonly Execution[] =>
  finished.slice(finished.findLastIndex(({ command }) => command === 'COMMIT') + 1)
