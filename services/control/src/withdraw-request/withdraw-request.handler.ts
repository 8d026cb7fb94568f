import type { Withdraw } from '@countersign/approval'
import type { ApprovalEvent } from '@countersign/contracts'
import { Inject } from '@nestjs/common'
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs'
import type { ApprovalDesk } from '../approvals/approval-desk.ts'
import { DESK } from '../tokens.ts'

/** Who asked takes it back, or waits no more. */
export class WithdrawRequest extends Command<readonly ApprovalEvent[]> {
  readonly withdrawal: Withdraw

  constructor(withdrawal: Withdraw) {
    super()
    this.withdrawal = withdrawal
  }
}

@CommandHandler(WithdrawRequest)
export class WithdrawRequestHandler implements ICommandHandler<WithdrawRequest> {
  constructor(@Inject(DESK) private readonly desk: ApprovalDesk) {}

  execute({ withdrawal }: WithdrawRequest) {
    return this.desk.decide(withdrawal)
  }
}
