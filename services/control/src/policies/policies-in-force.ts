import type { PolicySet } from './policy-files.ts'

/** The set that this replica reads, as it was when it last compiled. */
export class PoliciesInForce {
  #current: PolicySet

  constructor(current: PolicySet) {
    this.#current = current
  }

  get current(): PolicySet {
    return this.#current
  }

  replace(set: PolicySet): void {
    this.#current = set
  }
}
