import { inForce, isLive, type ApprovalCommand, type Asked } from '@countersign/approval'
import type { ApprovalEvent, RequestId } from '@countersign/contracts'
import { faultOf, type Logger } from '@countersign/platform'
import type { DecisionBoard } from '../decisions/decision-board.ts'
import type { ApprovalsBook } from './approvals-book.ts'
import { dueOf, type Circumstances } from './due.ts'

export interface DeskOptions {
  /** Load, decide, append (libs/eventlog `handlerOf`). Resolves when the book has the commit. */
  readonly handle: (stream: string, command: ApprovalCommand) => Promise<readonly ApprovalEvent[]>
  readonly book: ApprovalsBook
  readonly board: DecisionBoard
  readonly logger: Logger
  /** As they are now. */
  readonly circumstances: () => Circumstances
}

/** How long a replica gives the one that decided to tell the nodes, before it does so in its place. */
const GRACE_MS = 500

/** Decides about approvals, and sees to it that nodes are told how each stands. */
export class ApprovalDesk {
  readonly #options: DeskOptions
  /** Approvals of which it is not certain that nodes have been told, and since when. */
  readonly #doubtful = new Map<RequestId, number>()

  constructor(options: DeskOptions) {
    this.#options = options
  }

  /** What the command made happen; nothing when it has happened before. Nodes have been told when it resolves. */
  async decide(command: ApprovalCommand): Promise<readonly ApprovalEvent[]> {
    const { book, circumstances } = this.#options
    if (command.type === 'vote' || command.type === 'claim') {
      await this.#closeIfDue(book.get(command.requestId), circumstances())
    }
    return this.#decide(command)
  }

  /** Closes what is still open though its time is up, or what it rests on is gone. */
  async closeAllDue(): Promise<void> {
    const circumstances = this.#options.circumstances()
    for (const state of this.#options.book.live()) await this.#closeIfDue(state, circumstances)
  }

  async #closeIfDue(state: Asked | undefined, circumstances: Circumstances): Promise<void> {
    const due = state && isLive(state) ? dueOf(state, circumstances) : undefined
    if (due) await this.#decide(due)
  }

  async #decide(command: ApprovalCommand): Promise<readonly ApprovalEvent[]> {
    const { requestId } = command
    const events = await this.#options.handle(requestId, command)
    if (events.length === 0) return events
    this.#options.logger.info('decided', { request: requestId, events: events.map(({ type }) => type).join(' ') })
    await this.#tell(requestId)
    return events
  }

  /** Something was decided or told, here or by another replica: to be looked at. */
  doubt(requestId: RequestId): void {
    if (!this.#doubtful.has(requestId)) this.#doubtful.set(requestId, performance.now())
  }

  /**
   * Tells nodes what they should have been told and were not: because a process ended between deciding and telling,
   * or because a replica told something older last.
   */
  async settleDoubts(graceMs = GRACE_MS): Promise<void> {
    const before = performance.now() - graceMs
    for (const [requestId, since] of this.#doubtful) {
      if (since > before) continue
      this.#doubtful.delete(requestId)
      await this.#tell(requestId)
    }
  }

  /** The decision is in the log already, so an error here takes nothing back: it is told as soon as that is possible. */
  async #tell(requestId: RequestId): Promise<void> {
    const { board, logger } = this.#options
    try {
      await board.put(`approval/${requestId}`, () => this.#inForce(requestId))
    } catch (error) {
      logger.warn('will tell nodes later', { request: requestId, ...faultOf(error) })
      this.doubt(requestId)
    }
  }

  #inForce(requestId: RequestId) {
    const state = this.#options.book.get(requestId)
    return state && inForce(state)
  }
}
