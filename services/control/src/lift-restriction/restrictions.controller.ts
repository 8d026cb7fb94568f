import type { Principal, PrincipalId } from '@countersign/contracts'
import { Body, Controller, Get, HttpCode, Inject, Param, Post, UseGuards } from '@nestjs/common'
import { CommandBus } from '@nestjs/cqrs'
import type { z } from 'zod'
import { ApiError } from '../api/api-error.ts'
import { InputPipe } from '../api/input.pipe.ts'
import { isOneOf, type Readers } from '../api/readers.ts'
import { LiftInput, RestrictionPath, type RestrictionList, type RestrictionView } from '../api/schemas.ts'
import { Caller, SignInGuard } from '../api/sign-in.guard.ts'
import type { Clock } from '../clock.ts'
import { personOf, type Directory } from '../directory/directory.ts'
import type { Restricted } from '../restrictions/restriction.ts'
import type { RestrictionsBook } from '../restrictions/restrictions-book.ts'
import { CLOCK, DIRECTORY, READERS, RESTRICTIONS } from '../tokens.ts'
import { LiftRestriction } from './lift-restriction.handler.ts'

/** The group whose people may lift a restriction. */
const SECURITY = 'security'

/** Who may do nothing for now, and who gives that up. Whoever is restricted does not get as far as this. */
@Controller('api/v1/restrictions')
@UseGuards(SignInGuard)
export class RestrictionsController {
  constructor(
    @Inject(CommandBus) private readonly commands: CommandBus,
    @Inject(RESTRICTIONS) private readonly book: RestrictionsBook,
    @Inject(DIRECTORY) private readonly directory: Directory,
    @Inject(READERS) private readonly readers: Readers,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  @Get()
  list(@Caller() caller: Principal): RestrictionList {
    const at = this.clock()
    const standing = this.book.restricted().filter(({ until }) => until > at)
    return { restrictions: standing.filter((each) => this.#mayRead(caller, each)).map(viewOf) }
  }

  @Post(':id/lift')
  @HttpCode(200)
  async lift(
    @Caller() caller: Principal,
    @Param(new InputPipe(RestrictionPath)) { id: principalId }: z.output<typeof RestrictionPath>,
    @Body(new InputPipe(LiftInput)) { reason }: LiftInput,
  ): Promise<RestrictionView> {
    const restricted = this.book.get(principalId)
    if (!restricted || !this.#mayRead(caller, restricted)) {
      throw new ApiError('not-found', `${principalId} is not restricted`, 'see countersign restrictions ls')
    }
    this.#mustBeAllowed(caller, principalId)
    await this.commands.execute(
      new LiftRestriction({ principalId, because: 'lifted', by: caller.id, reason, at: this.clock() }),
    )
    return viewOf(restricted)
  }

  #mayRead(caller: Principal, { principalId }: Restricted): boolean {
    const principal = this.directory.principal(principalId)
    const isOwn = principal !== undefined && isOneOf(caller, principal)
    return isOwn || caller.groups.includes(SECURITY) || this.readers.mayReadAll(caller)
  }

  /** CONTROL four-eyes: nobody lifts their own, that of another identity of theirs, or that of an agent of theirs. */
  #mustBeAllowed(caller: Principal, principalId: PrincipalId): void {
    if (caller.kind !== 'person' || !caller.groups.includes(SECURITY)) {
      throw new ApiError('forbidden', `only a person of the group ${SECURITY} lifts a restriction`)
    }
    const principal = this.directory.principal(principalId)
    const humans: readonly string[] = principal ? this.directory.humansBehind(principal) : []
    if (caller.id === principalId || humans.includes(personOf(caller))) {
      throw new ApiError('forbidden', 'nobody lifts their own restriction', `ask another person of ${SECURITY}`)
    }
  }
}

const viewOf = ({ principalId, because, attempts, until, at }: Restricted): RestrictionView => ({
  principalId,
  because,
  attempts: [...attempts],
  since: at,
  until,
})
