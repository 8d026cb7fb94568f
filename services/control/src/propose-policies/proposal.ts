import type { PolicyProposal, Principal, Replayed } from '@countersign/contracts'
import { compareOwners, comparePolicies } from '@countersign/policy'
import type { PolicySet } from '../policies/policy-files.ts'

/** What approvers are to see of a change: in which policies and rules it differs from what is in force. */
export const proposalOf = (
  set: PolicySet,
  inForce: PolicySet,
  { principal, reason, replayed }: { principal: Principal; reason: string; replayed: Replayed | undefined },
): PolicyProposal => {
  const { added, removed } = compareOwners(inForce.owners, set.owners)
  return {
    principal,
    digest: set.digest,
    version: set.version,
    base: inForce.version,
    reason,
    changes: comparePolicies(inForce.files, set.files).map(({ id, file, change }) => ({ id, file, change })),
    owners: { added: [...added], removed: [...removed] },
    ...(replayed && { replayed }),
  }
}
