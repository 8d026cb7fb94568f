import { Inject } from '@nestjs/common'
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs'
import type { Restrict } from '../restrictions/restriction.ts'
import type { RestrictionDesk } from '../restrictions/restriction-desk.ts'
import { RESTRICTION_DESK } from '../tokens.ts'

/** Somebody has tried too often what policy denies. */
export class RestrictPrincipal extends Command<void> {
  readonly restriction: Restrict

  constructor(restriction: Restrict) {
    super()
    this.restriction = restriction
  }
}

@CommandHandler(RestrictPrincipal)
export class RestrictPrincipalHandler implements ICommandHandler<RestrictPrincipal> {
  constructor(@Inject(RESTRICTION_DESK) private readonly desk: RestrictionDesk) {}

  execute({ restriction }: RestrictPrincipal) {
    return this.desk.restrict(restriction)
  }
}
