import type { AccessEvent } from '@countersign/contracts'
import type { Attempt } from './failed-logins.ts'
import { Recent } from './recent.ts'

export type AuthFailed = Extract<AccessEvent, { type: 'auth.failed' }>

const PER_SECOND = 50
const BURST = 500
const REFUSED_MAX = 20_000

/**
 * Writes failed logins down so that nobody can fill the log with them: of those refused by a lock the first, the tenth,
 * the hundredth …, and of all no more than so many a second. Each event says how many it stands for, so none is missing
 * from the sum.
 */
export class FailureRecord {
  readonly #record: (event: AuthFailed) => void
  readonly #now: () => number
  readonly #refused = new Recent<{ count: number; recorded: number }>(REFUSED_MAX)
  #allowance = BURST
  #asOf: number
  #unrecorded = 0

  /** `now`: milliseconds of any clock that only goes forward. */
  constructor(record: (event: AuthFailed) => void, now: () => number) {
    this.#record = record
    this.#now = now
    this.#asOf = now()
  }

  /** Returns false when it stands in no event of its own. */
  add(event: AuthFailed): boolean {
    return this.#add(event, 1)
  }

  /** One of many that a lock refuses. */
  addRefused(event: AuthFailed, { address, user }: Attempt, until: number): boolean {
    const key = `${until} ${address} ${user.slice(0, 64)}`
    const refused = this.#refused.get(key) ?? { count: 0, recorded: 0 }
    refused.count += 1
    this.#refused.set(key, refused)
    if (!Number.isInteger(Math.log10(refused.count))) return false
    const attempts = refused.count - refused.recorded
    refused.recorded = refused.count
    return this.#add(event, attempts)
  }

  #add(event: AuthFailed, count: number): boolean {
    this.#refill()
    const attempts = count + this.#unrecorded
    // A lock is the news of it all.
    if (this.#allowance < 1 && !event.data.lock) {
      this.#unrecorded = attempts
      return false
    }
    this.#allowance -= 1
    this.#unrecorded = 0
    this.#record(attempts > 1 ? { ...event, data: { ...event.data, attempts } } : event)
    return true
  }

  #refill(): void {
    const now = this.#now()
    this.#allowance = Math.min(BURST, this.#allowance + ((now - this.#asOf) * PER_SECOND) / 1000)
    this.#asOf = now
  }
}
