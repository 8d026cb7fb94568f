import type { CastVote as Vote } from '@countersign/approval'
import type { ApprovalEvent } from '@countersign/contracts'
import { Inject } from '@nestjs/common'
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs'
import type { ApprovalDesk } from '../approvals/approval-desk.ts'
import { DESK } from '../tokens.ts'

/** Someone signs, or objects. */
export class CastVote extends Command<readonly ApprovalEvent[]> {
  readonly vote: Vote

  constructor(vote: Vote) {
    super()
    this.vote = vote
  }
}

/** Nest finds the handler; the decider does the thinking. Nothing else belongs here. */
@CommandHandler(CastVote)
export class CastVoteHandler implements ICommandHandler<CastVote> {
  constructor(@Inject(DESK) private readonly desk: ApprovalDesk) {}

  execute({ vote }: CastVote) {
    return this.desk.decide(vote)
  }
}
