import type { Outcome } from '@countersign/contracts'
import type { TransactionStatus } from '@countersign/pgwire'
import type { Recorder } from '../../record/recorder.ts'
import type { Identity } from '../../session/identity.ts'
import { StatementAccount } from '../../session/statement-account.ts'
import type { PostgresExecution, PostgresJudgement } from '../statement/postgres-judgement.ts'
import { Meaning } from './meaning.ts'
import { executionsOf, type Pending, type Portal } from './pending.ts'

/**
 * What the two sides of a session share: what the server still owes an answer to, what its words mean, where the
 * transaction stands; and the account of its statements.
 */
export class Exchange extends StatementAccount<PostgresJudgement> {
  /** Completed, but not known to stand until the server says that it is ready again. */
  #finished: PostgresExecution[] = []
  #failure: string | undefined

  readonly pending: Pending[] = []
  readonly meaning: Meaning
  override status: TransactionStatus = 'idle'
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
    super(identity, recorder)
    this.meaning = new Meaning(schema)
  }

  override get reason(): string | undefined {
    return this.meaning.reason
  }

  override get ticket(): string | undefined {
    return this.meaning.ticket
  }

  get head(): Pending | undefined {
    return this.pending[0]
  }

  /** The server has been sent something that it owes an answer to. */
  owe(pending: Pending): void {
    if (pending.kind === 'copy-end') return this.#oweCopyEnd(pending)
    const now = this.identity.clock()
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
      if (execution.answered === 0) execution.answered = this.identity.clock()
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
    if (kept.length < before.length) this.meaning.groupGoesOn(this.syncs)
    this.copying = end < 0
  }

  /** The client has sent a Sync. */
  synced(): void {
    this.syncs += 1
    if (this.copying) this.meaning.groupGoesOn(this.syncs)
  }

  #oweCopyEnd(pending: Pending): void {
    this.copying = false
    if (this.pending.length > 0) this.pending.push(pending)
  }

  override settle(execution: PostgresExecution, outcome: Outcome, sqlstate?: string): boolean {
    // The server is not asked to commit what has tripped, so it rolls that back whatever becomes of this session.
    const isSettled = execution.tripped
      ? super.settle(execution, 'failed', TRIPPED)
      : super.settle(execution, outcome, sqlstate)
    if (!isSettled) return false
    this.meaning.ended(execution)
    return true
  }

  /** The server has completed it. Whether it stands is known when the server is ready again. */
  finish(execution: PostgresExecution, command: string, rowsAffected: number): void {
    execution.command = command
    execution.rowsAffected = rowsAffected
    this.#finished.push(execution)
    for (const portal of this.meaning.completed(execution)) this.dropPortal(portal)
  }

  /** The server has refused something: what was to follow in this group does not run. */
  fail(execution: PostgresExecution | undefined, sqlstate: string): void {
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

  /** It has changed more than it may: nothing of its transaction will stand. */
  trip(execution: PostgresExecution, why: NonNullable<PostgresExecution['tripped']>): void {
    execution.tripped ??= why
    this.#failure ??= TRIPPED
  }

  skip(execution: PostgresExecution): void {
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

  /** Also of what was completed nobody will say any more whether it stands. */
  override abandon(): void {
    for (const execution of this.#finished) this.settle(execution, 'outcome_unknown')
    super.abandon()
  }

  #dropPortals(group: number, failure: string | undefined): void {
    const gone = this.meaning.portals.forget((portal) => portal.group <= group)
    for (const { execution } of gone) if (execution) this.#endWithTransaction(execution, failure)
  }

  #endWithTransaction(execution: PostgresExecution, failure: string | undefined): void {
    if (!execution.suspended && execution.asked > 0) return // The server will say that the portal is gone.
    if (!execution.suspended) this.settle(execution, 'cancelled', failure)
    else if (failure === undefined) this.settle(execution, 'completed')
    else this.settle(execution, 'failed', failure)
  }
}

const QUERY_CANCELED = '57014'

/** SQLSTATE of what a guard has rolled back. */
const TRIPPED = 'ZA003'

/**
 * Outside a transaction block an error takes back what came before it, up to the last end of a transaction within the
 * group. Returns the index of the first that is taken back.
 */
const behindLastEnd = (finished: readonly PostgresExecution[]): number =>
  finished.findLastIndex(({ command }) => command === 'COMMIT' || command === 'ROLLBACK') + 1
