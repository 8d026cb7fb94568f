import { requesterOf } from '@countersign/approval'
import type { Principal } from '@countersign/contracts'
import { Controller, HttpCode, Inject, Param, Post, UseGuards } from '@nestjs/common'
import { CommandBus } from '@nestjs/cqrs'
import type { z } from 'zod'
import { ApiError } from '../api/api-error.ts'
import { InputPipe } from '../api/input.pipe.ts'
import { isOneOf } from '../api/readers.ts'
import { RequestPath } from '../api/schemas.ts'
import { Caller, SignInGuard } from '../api/sign-in.guard.ts'
import type { Clock } from '../clock.ts'
import { ReadRequests } from '../read-requests/read-requests.ts'
import { CLOCK } from '../tokens.ts'
import { WithdrawRequest } from './withdraw-request.handler.ts'

@Controller('api/v1/requests')
@UseGuards(SignInGuard)
export class CancelRequestController {
  constructor(
    @Inject(CommandBus) private readonly commands: CommandBus,
    @Inject(ReadRequests) private readonly requests: ReadRequests,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** Cancelling what is cancelled already is no error: the second click finds what the first one wanted. */
  @Post(':id/cancel')
  @HttpCode(200)
  async cancel(
    @Caller() caller: Principal,
    @Param(new InputPipe(RequestPath)) { id: requestId }: z.output<typeof RequestPath>,
  ) {
    const { request } = this.requests.find(caller, requestId)
    if (!isOneOf(caller, requesterOf(request))) {
      throw new ApiError('forbidden', 'only who asked takes it back', 'deny it instead, if you own the data')
    }
    await this.commands.execute(
      new WithdrawRequest({ type: 'withdraw', requestId, because: 'cancelled', at: this.clock() }),
    )
    const view = this.requests.show(caller, requestId)
    if (view.phase === 'withdrawn') return view
    throw new ApiError('not-open', `it cannot be taken back: it is ${view.phase}`)
  }
}
