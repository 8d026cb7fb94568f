import type { Instant, Principal } from '@countersign/contracts'
import { Controller, Get, Inject, UseGuards } from '@nestjs/common'
import type { OpenSessions } from '../access/open-sessions.ts'
import { ApiError } from '../api/api-error.ts'
import { isOneOf, type Readers } from '../api/readers.ts'
import type { CatalogueView, Me, OwnersView, PolicyView, SessionList } from '../api/schemas.ts'
import { Caller, SignInGuard } from '../api/sign-in.guard.ts'
import type { Clock } from '../clock.ts'
import type { DecisionBoard } from '../decisions/decision-board.ts'
import type { Directory } from '../directory/directory.ts'
import type { PoliciesInForce } from '../policies/policies-in-force.ts'
import { BOARD, CLOCK, DIRECTORY, POLICIES, READERS, SESSIONS } from '../tokens.ts'

/** How things stand: who is connected, and what is in force. */
@Controller('api/v1')
@UseGuards(SignInGuard)
export class ReadStateController {
  constructor(
    @Inject(READERS) private readonly readers: Readers,
    @Inject(SESSIONS) private readonly openSessions: OpenSessions,
    @Inject(BOARD) private readonly board: DecisionBoard,
    @Inject(DIRECTORY) private readonly directory: Directory,
    @Inject(POLICIES) private readonly policiesInForce: PoliciesInForce,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  @Get('me')
  me(@Caller() caller: Principal): Me {
    return { principal: caller, readsAll: this.readers.mayReadAll(caller) }
  }

  @Get('sessions')
  sessions(@Caller() caller: Principal): SessionList {
    const seesAll = this.readers.mayReadAll(caller)
    const visible = this.openSessions.all().filter(({ principal }) => seesAll || isOneOf(caller, principal))
    return {
      sessions: visible.map(({ sessionId, principal, target, upstream, client, worker, at }) => ({
        id: sessionId,
        principal,
        target,
        role: upstream.role,
        client,
        worker,
        openedAt: at,
      })),
    }
  }

  @Get('policies')
  policies(@Caller() caller: Principal): PolicyView {
    if (!this.readers.mayReadPolicies(caller)) {
      throw new ApiError(
        'forbidden',
        'you may not read the policies',
        'ask `EXPLAIN (POLICY) <statement>` what applies',
      )
    }
    const policy = this.board.decision('policy')
    if (policy?.type !== 'policy.in-force') throw new ApiError('not-found', 'no policy is in force')
    const { version, files, at } = policy.data
    return { version, files, at }
  }

  @Get('owners')
  owners(): OwnersView {
    const { owners, ownerGroups } = this.policiesInForce.current
    const at: Instant = this.clock()
    return {
      text: owners,
      groups: [...ownerGroups].sort().map((name) => ({ name, people: [...this.directory.peopleIn(name, at)] })),
    }
  }

  @Get('catalogue')
  catalogue(): CatalogueView {
    const databases = this.board
      .decisions()
      .flatMap((decision) => (decision.type === 'catalogue.in-force' ? [decision.data] : []))
    return { databases }
  }
}
