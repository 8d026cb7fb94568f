import type { AccessEvent, Digest, Instant, PrincipalId, SessionId, StatementId } from '@countersign/contracts'
import type { Cursor } from '@countersign/eventlog'
import type { RestrictionConfig } from '@countersign/platform'
import { later } from '../clock.ts'
import { earlier } from '../follower.ts'
import type { Restrict } from './restriction.ts'

export type Intended = Extract<AccessEvent, { type: 'statement.intended' }>['data']

/** A denied statement of somebody whose session is known: only who has logged in can make one. */
export interface DeniedStatement {
  readonly principalId: PrincipalId
  readonly sessionId: SessionId
  readonly statementId: StatementId
  readonly digest: Digest
  readonly at: Instant
  /** From here on cs.access has to be read again to know of it. */
  readonly before: Cursor
}

/**
 * Whether policy has denied it. What no policy spoke of because it could not be understood is a slip of the pen; what
 * is held, or refused because the log is down, is denied by nobody.
 */
export const isDenied = ({ verdict, policies, actions }: Intended): boolean =>
  verdict === 'deny' && !(policies.length === 0 && actions.every((action) => action === 'unknown'))

const MINUTE_MS = 60_000
/** Statements of one text are written down one right after the other. */
const ONE_TEXT_MS = 10

/**
 * The latest denied statements of each principal, as far back as they count. The same log gives the same attempts,
 * however often it is read: their own times count, not ours.
 */
export class Attempts {
  readonly #config: RestrictionConfig
  readonly #clock: () => Instant
  readonly #of = new Map<PrincipalId, readonly DeniedStatement[]>()
  /** The last of each session that has not been answered: what comes now may belong to the same text. */
  readonly #unanswered = new Map<SessionId, DeniedStatement>()

  constructor(config: RestrictionConfig, clock: () => Instant) {
    this.#config = config
    this.#clock = clock
  }

  /** What is to be done about it, when it is one too many. May be told twice. */
  add(denied: DeniedStatement): Restrict | undefined {
    const { attempts: attemptsNeeded, withinMinutes, forMinutes } = this.#config
    if (attemptsNeeded === 0) return undefined
    const { principalId, sessionId, statementId, at } = denied
    const known = this.#of.get(principalId) ?? []
    const before = this.#unanswered.get(sessionId)
    this.#unanswered.set(sessionId, denied)
    const isKnown = known.some((one) => one.statementId === statementId)
    const all = isKnown || (before && isSameText(before, denied)) ? known : [...known, denied]
    const counted = all.filter((one) => one.at > later(at, -withinMinutes * MINUTE_MS)).slice(-attemptsNeeded)
    this.#of.set(principalId, counted)
    if (counted.length < attemptsNeeded) return undefined
    return {
      principalId,
      because: `${attemptsNeeded} of its statements were denied within ${withinMinutes} minutes`,
      attempts: counted,
      attemptsNeeded,
      until: later(at, forMinutes * MINUTE_MS),
      at: this.#clock(),
    }
  }

  /** The client has been told: whatever is denied to it from now on, it has tried once more. */
  answered(sessionId: SessionId): void {
    this.#unanswered.delete(sessionId)
  }

  /** Where another process should begin to read, so that it knows of every attempt that still counts. */
  resumeFrom(cursor: Cursor): Cursor {
    const since = later(this.#clock(), -this.#config.withinMinutes * MINUTE_MS)
    let from = cursor
    for (const [principalId, denied] of this.#of) {
      const counting = denied.filter(({ at }) => at > since)
      if (counting.length === 0) this.#of.delete(principalId)
      for (const { before } of counting) from = earlier(from, before)
    }
    return from
  }
}

const isSameText = (a: DeniedStatement, b: DeniedStatement): boolean =>
  a.digest === b.digest && Date.parse(b.at) - Date.parse(a.at) <= ONE_TEXT_MS
