import { createHash } from 'node:crypto'
import type { LockoutConfig } from '@countersign/platform'
import { networkOf } from './network.ts'
import { Recent } from './recent.ts'

/** Who tries to get in: a name, as claimed, from an address. */
export interface Attempt {
  readonly address: string
  readonly user: string
}

export type LockScope = 'principal-at-address' | 'address' | 'principal'

export interface Lock {
  readonly scope: LockScope
  /** In the milliseconds of the clock that was given. */
  readonly until: number
}

interface Failures {
  count: number
  since: number
  lockedUntil: number
}

const ENTRIES_MAX = 20_000

/**
 * How often logins have failed, and who is locked out for it.
 *
 * Three things are counted, so that guessing is slow and nobody can lock out somebody else:
 *
 * - a name **at an address**: locked when there are too many, the right token included. Only who shares the address
 *   with the attacker can be kept out by this.
 * - an **address**, whatever the names: locked as well, but not for a name that has logged in from it before. So an
 *   attacker behind a shared address keeps out strangers only.
 * - a **name from everywhere**: never locked, because that would be a way to lock out a principal from outside. Wrong
 *   answers are answered slowly instead, and it is recorded that somebody is at it.
 *
 * INVARIANT: the memory is bounded whatever comes: names and addresses are kept as digests, and so many of them. What
 * was tried longest ago is forgotten first, and what is locked last.
 */
export class FailedLogins {
  readonly #now: () => number
  readonly #pairs: Recent<Failures>
  readonly #addresses: Recent<Failures>
  readonly #names: Recent<Failures>
  /** Pairs that have logged in. */
  readonly #known: Recent<true>

  constructor(now: () => number, entriesMax = ENTRIES_MAX) {
    this.#now = now
    const locked = ({ lockedUntil }: Failures) => lockedUntil > now()
    this.#pairs = new Recent(entriesMax, locked)
    this.#addresses = new Recent(entriesMax, locked)
    this.#names = new Recent(entriesMax, locked)
    this.#known = new Recent(entriesMax)
  }

  /** Until when this attempt is refused whatever it shows; undefined: it may go on. */
  lockedUntil({ address, user }: Attempt): number | undefined {
    const network = networkOf(address)
    const pair = keyOf(network, user)
    const own = this.#pairs.get(pair)?.lockedUntil ?? 0
    const shared = this.#known.get(pair) ? 0 : (this.#addresses.get(keyOf(network))?.lockedUntil ?? 0)
    const until = Math.max(own, shared)
    return until > this.#now() ? until : undefined
  }

  /** Counts a failure. Returns what is locked by it; of a name that is locked as well as its address, the address. */
  failed({ address, user }: Attempt, rules: LockoutConfig): Lock | undefined {
    const network = networkOf(address)
    const name = this.#count(this.#names, keyOf('', user), rules, rules.failuresPerPrincipalMax)
    const pair = this.#count(this.#pairs, keyOf(network, user), rules, rules.failuresMax)
    const all = this.#count(this.#addresses, keyOf(network), rules, rules.failuresPerAddressMax)
    if (all) return { scope: 'address', until: all }
    if (pair) return { scope: 'principal-at-address', until: pair }
    return name ? { scope: 'principal', until: name } : undefined
  }

  /** Somebody tries this name again and again, from wherever. */
  underAttack(user: string): boolean {
    return (this.#names.get(keyOf('', user))?.lockedUntil ?? 0) > this.#now()
  }

  succeeded({ address, user }: Attempt): void {
    const pair = keyOf(networkOf(address), user)
    this.#pairs.delete(pair)
    this.#known.set(pair, true)
  }

  /** Entries that are kept now. */
  get size(): number {
    return this.#pairs.size + this.#addresses.size + this.#names.size + this.#known.size
  }

  /** Returns until when it is locked, when this failure is the one that locks it. */
  #count(table: Recent<Failures>, key: string, rules: LockoutConfig, max: number): number | undefined {
    const now = this.#now()
    const before = table.get(key)
    const over = before === undefined || now - before.since > rules.windowSeconds * 1000
    const failures = over ? { count: 0, since: now, lockedUntil: before?.lockedUntil ?? 0 } : before
    failures.count += 1
    const locks = failures.count >= max && failures.lockedUntil <= now
    if (locks) Object.assign(failures, { count: 0, since: now, lockedUntil: now + rules.lockSeconds * 1000 })
    table.set(key, failures)
    return locks ? failures.lockedUntil : undefined
  }
}

/** Of one length, however long a name somebody thinks up. */
const keyOf = (network: string, user?: string): string =>
  createHash('sha256')
    .update(user === undefined ? network : `${network}\0${user}`)
    .digest('base64')
    .slice(0, 22)
