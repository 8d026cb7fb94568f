import { createHash, timingSafeEqual } from 'node:crypto'
import type { CredentialId, Instant, Principal, PrincipalId } from '@countersign/contracts'
import type { Identity } from './identities-file.ts'

/** Who there is, as `control.identities` said when it was last read and could be used. */
export class Directory {
  #identities: readonly Identity[]
  #digests: readonly Buffer[]

  constructor(identities: readonly Identity[] = []) {
    this.#identities = identities
    this.#digests = digestsOf(identities)
  }

  /** From now on these, and only these. */
  replace(identities: readonly Identity[]): void {
    this.#identities = identities
    this.#digests = digestsOf(identities)
  }

  get identities(): readonly Identity[] {
    return this.#identities
  }

  /**
   * Whose token it is. Every digest is compared, each in constant time, so that the time taken says nothing about
   * which of them was near.
   */
  holderOf(token: string, at: Instant): SignedIn | 'unknown' | 'expired' {
    const digest = createHash('sha256').update(token).digest()
    const matches = this.#digests.map((known) => timingSafeEqual(known, digest))
    const identity = this.#identities[matches.indexOf(true)]
    if (!identity) return 'unknown'
    const { principal, credential } = identity
    return at < credential.expiresAt ? { principal, credentialId: credential.id } : 'expired'
  }

  /** The humans in a group who can sign in now. Agents and services are in groups too, but nobody to sign. */
  peopleIn(group: string, at: Instant): readonly string[] {
    const people = this.#identities
      .filter(
        ({ principal, credential }) =>
          principal.kind === 'person' && at < credential.expiresAt && isIn(principal, group),
      )
      .map(({ principal }) => personOf(principal))
    return [...new Set(people)].sort()
  }

  /** CONTROL four-eyes: the humans who may not sign what this principal asks for. */
  humansBehind(principal: Principal): readonly string[] {
    const names = [principal, this.principal(principal.onBehalfOf), this.principal(principal.id)].map((one) =>
      one?.kind === 'service' ? one.person : one && personOf(one),
    )
    return [...new Set(names.filter((name) => name !== undefined))]
  }

  principal(id: PrincipalId | undefined): Principal | undefined {
    return this.#identities.find(({ principal }) => principal.id === id)?.principal
  }
}

export interface SignedIn {
  readonly principal: Principal
  readonly credentialId: CredentialId
}

/** The human who answers for it. */
export const personOf = ({ id, person }: Principal): string => person ?? id

const isIn = ({ groups }: Principal, group: string): boolean => groups.includes(group)

const digestsOf = (identities: readonly Identity[]): readonly Buffer[] =>
  identities.map(({ credential }) => Buffer.from(credential.tokenDigest, 'hex'))
