import type { PolicyRequest } from '@countersign/approval'
import { policyTexts, type PolicyFile } from '@countersign/policy'
import type { PolicyProposalView } from '../api/schemas.ts'
import type { PoliciesInForce } from '../policies/policies-in-force.ts'
import type { PolicyHistory } from '../policies/policy-history.ts'

/**
 * What a change of policies is about, with the texts of what differs as long as they are at hand: before, while it
 * still is what is in force and for those who may read that.
 */
export const proposalView = (
  { requestId, proposal }: PolicyRequest,
  {
    history,
    policies,
    mayReadPolicies,
  }: { history: PolicyHistory; policies: PoliciesInForce; mayReadPolicies: boolean },
): PolicyProposalView => {
  const { version, base, changes, owners, replayed } = proposal
  const { current } = policies
  const before = mayReadPolicies && current.version === base ? textsOf(current.files) : NONE
  const proposed = history.proposed(requestId)
  const after = proposed ? textsOf(proposed.files) : NONE
  return {
    version,
    base,
    changes: changes.map((change) => ({
      ...change,
      before: before.get(change.id)?.text,
      after: after.get(change.id)?.text,
    })),
    owners,
    replayed,
  }
}

type Texts = ReturnType<typeof policyTexts>

const NONE: Texts = new Map()

/** Asked again with every look at a list: taking a set apart is work. */
const known = new WeakMap<readonly PolicyFile[], Texts>()

const textsOf = (files: readonly PolicyFile[]): Texts => {
  const texts = known.get(files) ?? policyTexts(files)
  known.set(files, texts)
  return texts
}
