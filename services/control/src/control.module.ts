import { Module, type DynamicModule, type Provider } from '@nestjs/common'
import { CqrsModule } from '@nestjs/cqrs'
import { OpenapiController } from './api/openapi.controller.ts'
import { CastVoteController } from './cast-vote/cast-vote.controller.ts'
import { CastVoteHandler } from './cast-vote/cast-vote.handler.ts'
import { ClaimGrantHandler } from './claim-grant/claim-grant.handler.ts'
import { HealthController } from './health/health.controller.ts'
import { LiftRestrictionHandler } from './lift-restriction/lift-restriction.handler.ts'
import { RestrictionsController } from './lift-restriction/restrictions.controller.ts'
import { ObserveDatabaseHandler } from './observe-database/observe-database.handler.ts'
import { OpenRequestHandler } from './open-request/open-request.handler.ts'
import { ProposePoliciesController } from './propose-policies/propose-policies.controller.ts'
import { ReadRequestsController } from './read-requests/read-requests.controller.ts'
import { ReadRequests } from './read-requests/read-requests.ts'
import { ReadStateController } from './read-state/read-state.controller.ts'
import { RestrictPrincipalHandler } from './restrict-principal/restrict-principal.handler.ts'
import { TailEventsController } from './tail-events/tail-events.controller.ts'
import { WhatIfController } from './whatif/whatif.controller.ts'
import { CancelRequestController } from './withdraw-request/cancel-request.controller.ts'
import { WithdrawRequestHandler } from './withdraw-request/withdraw-request.handler.ts'

/** Commands and controllers. What they work on is made in `control.ts` and comes in by token. */
@Module({})
export class ControlModule {
  static of(parts: readonly Provider[]): DynamicModule {
    return {
      module: ControlModule,
      imports: [CqrsModule.forRoot()],
      controllers: [
        ReadRequestsController,
        CastVoteController,
        CancelRequestController,
        ReadStateController,
        ProposePoliciesController,
        WhatIfController,
        RestrictionsController,
        TailEventsController,
        OpenapiController,
        HealthController,
      ],
      providers: [
        ...parts,
        ReadRequests,
        OpenRequestHandler,
        CastVoteHandler,
        WithdrawRequestHandler,
        ClaimGrantHandler,
        ObserveDatabaseHandler,
        RestrictPrincipalHandler,
        LiftRestrictionHandler,
      ],
    }
  }
}
