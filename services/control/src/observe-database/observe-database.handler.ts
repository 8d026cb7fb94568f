import { Inject } from '@nestjs/common'
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs'
import type { ApprovalDesk } from '../approvals/approval-desk.ts'
import type { ApprovalsBook } from '../approvals/approvals-book.ts'
import type { Clock } from '../clock.ts'
import { subjectOf, type DecisionBoard } from '../decisions/decision-board.ts'
import type { Tell } from '../governance/governance.ts'
import { BOARD, BOOK, CLOCK, DESK, TELL } from '../tokens.ts'
import { catalogueFrom, changedRelations, classified, type Catalogue, type Observed } from './catalogue.ts'

/** A node has looked at a database. */
export class ObserveDatabase extends Command<void> {
  readonly observed: Observed

  constructor(observed: Observed) {
    super()
    this.observed = observed
  }
}

@CommandHandler(ObserveDatabase)
export class ObserveDatabaseHandler implements ICommandHandler<ObserveDatabase> {
  constructor(
    @Inject(DESK) private readonly desk: ApprovalDesk,
    @Inject(BOOK) private readonly book: ApprovalsBook,
    @Inject(BOARD) private readonly board: DecisionBoard,
    @Inject(TELL) private readonly tell: Tell,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  async execute({ observed }: ObserveDatabase) {
    const subject = `catalogue/${observed.target.environment}/${observed.target.database}`
    const before = catalogueOf(this.board, subject)
    const now = catalogueFrom(observed, before)
    if (!now) return
    // In this order, so that a crash in between leaves the difference to be seen again.
    if (before) await this.#voidWhatChanged(before, now)
    await this.tell(subject, classified(now, before, this.clock()))
    await this.board.put(subjectOf(now), () => catalogueFrom(observed, catalogueOf(this.board, subject)))
  }

  /** CONTROL drift: what was approved for a relation is void once the relation is another. */
  async #voidWhatChanged(before: Catalogue, now: Catalogue): Promise<void> {
    const changed = changedRelations(before.data.columns, now.data.columns)
    const { environment, database } = now.data.target
    for (const { request } of this.book.live()) {
      if (request.kind !== 'statement') continue
      const { target, relations } = request.statement
      if (target.environment !== environment || target.database !== database) continue
      if (!relations.some(({ name }) => changed.has(name))) continue
      const { requestId } = request
      await this.desk.decide({ type: 'void', requestId, because: 'schema-changed', at: this.clock() })
    }
  }
}

const catalogueOf = (board: DecisionBoard, subject: string): Catalogue | undefined => {
  const decision = board.decision(subject)
  return decision?.type === 'catalogue.in-force' ? decision : undefined
}
