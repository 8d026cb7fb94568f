import { accessFamily } from './access.ts'
import { approvalFamily } from './approvals.ts'
import type { Contract, Family } from './contract.ts'
import { decisionFamily } from './decisions.ts'
import { governanceFamily } from './governance.ts'
import { TOPICS, type Topic } from './topics.ts'

/** Which events a topic holds. Nothing is written to cs.seals yet. */
export const FAMILIES: ReadonlyMap<Topic, Family<Contract>> = new Map<Topic, Family<Contract>>([
  [TOPICS.access, accessFamily],
  [TOPICS.approvals, approvalFamily],
  [TOPICS.governance, governanceFamily],
  [TOPICS.decisions, decisionFamily],
])
