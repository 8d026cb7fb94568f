import type { Principal } from '@countersign/contracts'
import { Controller, Get, Inject, Param, Query, UseGuards } from '@nestjs/common'
import type { z } from 'zod'
import { InputPipe } from '../api/input.pipe.ts'
import { RequestFilter, RequestPath } from '../api/schemas.ts'
import { Caller, SignInGuard } from '../api/sign-in.guard.ts'
import { ReadRequests } from './read-requests.ts'

@Controller('api/v1/requests')
@UseGuards(SignInGuard)
export class ReadRequestsController {
  constructor(@Inject(ReadRequests) private readonly requests: ReadRequests) {}

  @Get()
  list(@Caller() caller: Principal, @Query(new InputPipe(RequestFilter)) filter: RequestFilter) {
    return this.requests.list(caller, filter)
  }

  @Get(':id')
  show(@Caller() caller: Principal, @Param(new InputPipe(RequestPath)) { id }: z.output<typeof RequestPath>) {
    return this.requests.show(caller, id)
  }
}
