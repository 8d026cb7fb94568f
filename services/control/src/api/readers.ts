import { requesterOf, type Asked } from '@countersign/approval'
import type { Principal } from '@countersign/contracts'
import { Inject } from '@nestjs/common'
import { personOf } from '../directory/directory.ts'
import type { PoliciesInForce } from '../policies/policies-in-force.ts'
import { POLICIES } from '../tokens.ts'

/** Groups whose work it is to see everything. */
const OVERSIGHT = ['auditors', 'sre']

/**
 * Who may read what: those with oversight and the owners of any data everything, everyone else what they or their
 * agents asked for, and what they may sign.
 */
export class Readers {
  constructor(
    @Inject(POLICIES) private readonly policies: PoliciesInForce,
    /** Groups that sign for changes of policies. */
    private readonly policyApprovers: readonly string[] = [],
  ) {}

  mayReadAll({ groups }: Principal): boolean {
    const { ownerGroups } = this.policies.current
    return groups.some((group) => OVERSIGHT.includes(group) || ownerGroups.has(group))
  }

  /** The rules themselves say where the gaps are. */
  mayReadPolicies(reader: Principal): boolean {
    return this.mayReadAll(reader) || this.mayReplay(reader)
  }

  /** What everybody did, looked at with other policies: owning some data is no reason to. */
  mayReplay({ groups }: Principal): boolean {
    return groups.some((group) => OVERSIGHT.includes(group) || this.policyApprovers.includes(group))
  }

  mayRead(reader: Principal, { request }: Asked): boolean {
    if (this.mayReadAll(reader) || isOneOf(reader, requesterOf(request))) return true
    const person = personOf(reader)
    return reader.kind === 'person' && request.groups.some(({ people }) => people.includes(person))
  }
}

/** Oneself, another identity of the same human, or an agent that acts for them. */
export const isOneOf = (reader: Principal, other: Principal): boolean =>
  reader.id === other.id ||
  (reader.kind === 'person' && other.kind !== 'service' && personOf(reader) === personOf(other))
