import type { ApprovalEvent } from '@countersign/contracts'
import { Inject } from '@nestjs/common'
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs'
import type { Held } from '../access/effects-of.ts'
import type { ApprovalDesk } from '../approvals/approval-desk.ts'
import type { Clock } from '../clock.ts'
import type { Directory } from '../directory/directory.ts'
import type { PoliciesInForce } from '../policies/policies-in-force.ts'
import { CLOCK, DESK, DIRECTORY, POLICIES } from '../tokens.ts'
import { requestFrom } from './request-from.ts'

/** A node holds a statement. */
export class OpenRequest extends Command<readonly ApprovalEvent[]> {
  readonly held: Held

  constructor(held: Held) {
    super()
    this.held = held
  }
}

@CommandHandler(OpenRequest)
export class OpenRequestHandler implements ICommandHandler<OpenRequest> {
  constructor(
    @Inject(DESK) private readonly desk: ApprovalDesk,
    @Inject(DIRECTORY) private readonly directory: Directory,
    @Inject(POLICIES) private readonly policies: PoliciesInForce,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  execute({ held }: OpenRequest) {
    const { directory, policies } = this
    return this.desk.decide(requestFrom(held, { directory, ownersOf: policies.current.ownersOf, at: this.clock() }))
  }
}
