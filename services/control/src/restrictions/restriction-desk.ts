import type { Instant, PrincipalId } from '@countersign/contracts'
import { faultOf, type Logger } from '@countersign/platform'
import type { DecisionBoard } from '../decisions/decision-board.ts'
import type { Record, Tell } from '../governance/governance.ts'
import { release, restrict, restrictionInForce, type Release, type Restrict } from './restriction.ts'
import { restrictionStream, type RestrictionsBook } from './restrictions-book.ts'

export interface RestrictionDeskOptions {
  readonly tell: Tell
  readonly board: DecisionBoard
  readonly book: RestrictionsBook
  readonly logger: Logger
  readonly clock: () => Instant
}

/** Decides about restrictions, and sees to it that nodes are told how each stands. */
export class RestrictionDesk {
  readonly #options: RestrictionDeskOptions
  /**
   * Principals of whom it is not certain that nodes have been told: whoever wrote something down, this process before
   * its start or another replica, may have ended before it told.
   */
  readonly #doubtful = new Set<PrincipalId>()

  constructor(options: RestrictionDeskOptions) {
    this.#options = options
  }

  restrict(command: Restrict): Promise<void> {
    return this.#decide(command.principalId, restrict(command))
  }

  release(command: Release): Promise<void> {
    return this.#decide(command.principalId, release(command))
  }

  /** Ends those whose time is up, and tells nodes what they should have been told and were not. */
  async upkeep(): Promise<void> {
    const at = this.#options.clock()
    for (const { principalId, until } of this.#options.book.restricted()) {
      if (until <= at) await this.release({ principalId, because: 'expired', at })
    }
    for (const principalId of this.#options.book.changed()) this.#doubtful.add(principalId)
    for (const principalId of this.#doubtful) {
      this.#doubtful.delete(principalId)
      await this.#tell(principalId)
    }
  }

  async #decide(principalId: PrincipalId, record: Record): Promise<void> {
    await this.#options.tell(restrictionStream(principalId), record)
    await this.#tell(principalId)
  }

  /** What is decided is in the log already, so an error here takes nothing back: it is told as soon as that is possible. */
  async #tell(principalId: PrincipalId): Promise<void> {
    const { board, book, logger } = this.#options
    const inForce = () => restrictionInForce(book.past(principalId))
    try {
      const written = await board.put(restrictionStream(principalId), inForce)
      const restricted = book.get(principalId) !== undefined
      if (written) logger.info(restricted ? 'a principal is restricted' : 'a principal is free again', { principalId })
    } catch (error) {
      logger.warn('will tell nodes later', { principal: principalId, ...faultOf(error) })
      this.#doubtful.add(principalId)
    }
  }
}
