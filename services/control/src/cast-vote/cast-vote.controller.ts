import type { Objection, Principal, RequestId } from '@countersign/contracts'
import { faultOf, type HoldConfig, type Logger } from '@countersign/platform'
import { Body, Controller, HttpCode, Inject, Param, Post, UseGuards } from '@nestjs/common'
import { CommandBus } from '@nestjs/cqrs'
import type { z } from 'zod'
import { ApiError } from '../api/api-error.ts'
import { InputPipe } from '../api/input.pipe.ts'
import { RequestPath, VoteInput } from '../api/schemas.ts'
import { Caller, SignInGuard } from '../api/sign-in.guard.ts'
import { later, type Clock } from '../clock.ts'
import { personOf } from '../directory/directory.ts'
import { ReadRequests } from '../read-requests/read-requests.ts'
import { MESSAGES } from '../read-requests/request-view.ts'
import type { PolicyDesk } from '../policies/policy-desk.ts'
import { CLOCK, HOLDS, LOGGER, POLICY_DESK } from '../tokens.ts'
import { CastVote } from './cast-vote.handler.ts'
import { Refusals } from './refusals.ts'

const MINUTE_MS = 60_000

@Controller('api/v1/requests')
@UseGuards(SignInGuard)
export class CastVoteController {
  readonly #refusals = new Refusals()

  constructor(
    @Inject(CommandBus) private readonly commands: CommandBus,
    @Inject(ReadRequests) private readonly requests: ReadRequests,
    @Inject(HOLDS) private readonly holds: HoldConfig,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(POLICY_DESK) private readonly policyDesk: PolicyDesk,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  @Post(':id/votes')
  @HttpCode(200)
  async cast(
    @Caller() caller: Principal,
    @Param(new InputPipe(RequestPath)) { id }: z.output<typeof RequestPath>,
    @Body(new InputPipe(VoteInput)) input: VoteInput,
  ) {
    const refusal = await this.#decide(caller, id, input)
    if (refusal) throw new ApiError(refusal, MESSAGES[refusal].message, MESSAGES[refusal].remedy)
    await this.#enforce()
    return this.requests.show(caller, id)
  }

  /** What was granted with this vote comes into force at once; where it cannot, soon (control.ts). The vote counts. */
  async #enforce(): Promise<void> {
    await this.policyDesk.enforceGranted().catch((error: unknown) => {
      this.logger.warn('will publish soon', faultOf(error))
    })
  }

  async #decide(caller: Principal, requestId: RequestId, input: VoteInput): Promise<Objection | undefined> {
    const at = this.clock()
    if (this.#refusals.isTooMany(caller.id, Date.parse(at))) {
      throw new ApiError('too-many-refusals', 'too many of your votes were refused', 'wait a minute')
    }
    const usableUntil = later(at, this.holds.rerunMinutes * MINUTE_MS)
    const { id, kind } = caller
    const voter = kind === 'service' ? caller : { id, kind, person: personOf(caller) }
    const events = await this.commands.execute(
      new CastVote({ type: 'vote', requestId, voter, usableUntil, at, ...input }),
    )
    const [first] = events
    if (first?.type !== 'approval.vote-refused') return undefined
    this.#refusals.add(caller.id, Date.parse(at))
    return first.data.because
  }
}
