import {
  approvalFamily,
  decodeCommit,
  readAccessEvent,
  readApprovalEvent,
  readGovernanceEvent,
  TOPICS,
  type AccessEvent,
  type ApprovalEvent,
  type Commit,
  type GovernanceEvent,
  type StoredEvent,
  type Topic,
} from '@countersign/contracts'
import type { LogRecord } from '@countersign/eventlog'

/** The topics that the projection is made from. */
export const PROJECTED_TOPICS = [TOPICS.access, TOPICS.approvals, TOPICS.governance] as const

/** A record, and the commit in it or the reason why there is none. */
export type Reading =
  | { readonly record: LogRecord; readonly commit: Commit }
  | { readonly record: LogRecord; readonly because: string }

export const readRecord = (record: LogRecord): Reading => {
  try {
    return { record, commit: decodeCommit(record.value) }
  } catch (error) {
    return { record, because: reasonOf(error) }
  }
}

export type ProjectedEvent = AccessEvent | ApprovalEvent | GovernanceEvent

/** The event as today's code knows it, or the reason why no contract fits it. */
export const readEvent = (topic: Topic, stored: StoredEvent): ProjectedEvent | { readonly because: string } => {
  try {
    return readerOf(topic)(stored)
  } catch (error) {
    return { because: reasonOf(error) }
  }
}

const APPROVAL_EVENTS: ReadonlySet<string> = new Set(approvalFamily.current.map(({ type }) => type))

export const isApprovalEvent = (event: ProjectedEvent): event is ApprovalEvent => APPROVAL_EVENTS.has(event.type)

const readerOf = (topic: Topic): ((stored: StoredEvent) => ProjectedEvent) => {
  if (topic === TOPICS.access) return readAccessEvent
  if (topic === TOPICS.approvals) return readApprovalEvent
  return readGovernanceEvent
}

/** The errors of libs/contracts name types and fields, never values. */
const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
