import { Inject } from '@nestjs/common'
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs'
import type { Release } from '../restrictions/restriction.ts'
import type { RestrictionDesk } from '../restrictions/restriction-desk.ts'
import { RESTRICTION_DESK } from '../tokens.ts'

/** Somebody who may gives a principal its rights back before the time is up. */
export class LiftRestriction extends Command<void> {
  readonly release: Release

  constructor(release: Release) {
    super()
    this.release = release
  }
}

@CommandHandler(LiftRestriction)
export class LiftRestrictionHandler implements ICommandHandler<LiftRestriction> {
  constructor(@Inject(RESTRICTION_DESK) private readonly desk: RestrictionDesk) {}

  execute({ release }: LiftRestriction) {
    return this.desk.release(release)
  }
}
