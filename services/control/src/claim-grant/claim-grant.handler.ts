import type { ApprovalEvent } from '@countersign/contracts'
import { Inject } from '@nestjs/common'
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs'
import type { ClaimAsked } from '../access/effects-of.ts'
import type { ApprovalDesk } from '../approvals/approval-desk.ts'
import type { Clock } from '../clock.ts'
import { CLOCK, DESK } from '../tokens.ts'

/** A statement that was approved is run again, and its node asks to use the grant. */
export class ClaimGrant extends Command<readonly ApprovalEvent[]> {
  readonly asked: ClaimAsked

  constructor(asked: ClaimAsked) {
    super()
    this.asked = asked
  }
}

@CommandHandler(ClaimGrant)
export class ClaimGrantHandler implements ICommandHandler<ClaimGrant> {
  constructor(
    @Inject(DESK) private readonly desk: ApprovalDesk,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** By the clock of the one who decides: a node whose clock is slow does not use a grant that has ended. */
  execute({ asked }: ClaimGrant) {
    return this.desk.decide({ ...asked, type: 'claim', at: this.clock() })
  }
}
