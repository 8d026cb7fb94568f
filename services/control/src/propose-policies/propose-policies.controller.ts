import type { Principal } from '@countersign/contracts'
import { Body, Controller, HttpCode, Inject, Post, UseGuards } from '@nestjs/common'
import { InputPipe } from '../api/input.pipe.ts'
import { ProposalInput } from '../api/schemas.ts'
import { Caller, SignInGuard } from '../api/sign-in.guard.ts'
import { ReadRequests } from '../read-requests/read-requests.ts'
import { PROPOSE_POLICIES } from '../tokens.ts'
import type { ProposePolicies } from './propose-policies.ts'

@Controller('api/v1/policies')
@UseGuards(SignInGuard)
export class ProposePoliciesController {
  constructor(
    @Inject(PROPOSE_POLICIES) private readonly policies: ProposePolicies,
    @Inject(ReadRequests) private readonly requests: ReadRequests,
  ) {}

  @Post('proposals')
  @HttpCode(200)
  async propose(@Caller() caller: Principal, @Body(new InputPipe(ProposalInput)) input: ProposalInput) {
    return this.requests.show(caller, await this.policies.propose(caller, input))
  }
}
