/** The topics of the log, who writes them and what they are keyed by (DESIGN.md, section 4). */
export const TOPICS = {
  /** Sessions, statements, credentials and node heartbeats. Written by nodes, keyed by node worker. */
  access: 'cs.access.v1',
  /** Approvals and grants. Written by control, keyed by request. */
  approvals: 'cs.approvals.v1',
  /** Policies, classifications, owners, identities, configuration, quarantine. Written by control, keyed by subject. */
  governance: 'cs.governance.v1',
  /** The state that nodes obey now. Written by control, keyed by subject, compacted. */
  decisions: 'cs.decisions.v1',
  /** Checkpoints, coverage, integrity verdicts. Written by audit, keyed by log. */
  seals: 'cs.seals.v1',
} as const

export type Topic = (typeof TOPICS)[keyof typeof TOPICS]

export const ALL_TOPICS: readonly Topic[] = Object.values(TOPICS)
