import type { Open } from '@countersign/approval'
import type { Instant } from '@countersign/contracts'
import type { Held } from '../access/effects-of.ts'
import type { Directory } from '../directory/directory.ts'
import type { PolicySet } from '../policies/policy-files.ts'
import { approverGroups } from './approver-groups.ts'

/** The request for what a node holds, with the people who may sign for it as they are known now. */
export const requestFrom = (
  { requestId, statement, mode, approvers, quorum, expiresAt }: Held,
  { directory, ownersOf, at }: { directory: Directory; ownersOf: PolicySet['ownersOf']; at: Instant },
): Open => {
  const excluded = [...directory.humansBehind(statement.principal)]
  const peopleIn = (group: string) => directory.peopleIn(group, at)
  const groups = approverGroups(approvers, statement, excluded, { ownersOf, peopleIn })
  return { type: 'request', requestId, kind: 'statement', statement, mode, groups, quorum, excluded, expiresAt, at }
}
