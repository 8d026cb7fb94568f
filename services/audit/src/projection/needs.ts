import type { Placed } from './read-batch.ts'
import type { Memory } from './memory.ts'
import { isApprovalEvent } from './read-record.ts'

/** What a batch speaks of that is neither in it nor remembered. */
export interface Needs {
  readonly sessions: readonly string[]
  readonly statements: readonly string[]
  readonly approvals: readonly string[]
  /** Statements and sessions that begin in the batch, and whose ends may have been read before. */
  readonly beginnings: readonly string[]
}

export const needsOf = (placed: readonly Placed[], memory: Memory): Needs => {
  const begun = { sessions: new Set<string>(), statements: new Set<string>(), approvals: new Set<string>() }
  const named = { sessions: new Set<string>(), statements: new Set<string>(), approvals: new Set<string>() }
  for (const { event } of placed) note(event, begun, named)
  return {
    sessions: missing(named.sessions, begun.sessions, memory.sessions),
    statements: missing(named.statements, begun.statements, memory.statements),
    // Also when it is requested in this batch: after a crash it may have been through more than the batch tells.
    approvals: missing(named.approvals, new Set(), memory.approvals),
    beginnings: memory.sawEarly ? [...begun.sessions, ...begun.statements] : [],
  }
}

type Ids = Readonly<Record<'sessions' | 'statements' | 'approvals', Set<string>>>

const note = (event: Placed['event'], begun: Ids, named: Ids): void => {
  switch (event.type) {
    case 'session.opened':
      begun.sessions.add(event.data.sessionId)
      break
    case 'session.closed':
      named.sessions.add(event.data.sessionId)
      break
    case 'statement.intended':
      begun.statements.add(event.data.statementId)
      named.sessions.add(event.data.sessionId)
      break
    case 'statement.settled':
      named.statements.add(event.data.statementId)
      break
    case 'statement.held':
      named.statements.add(event.data.statement.statementId)
      break
    default:
      if (isApprovalEvent(event)) named.approvals.add(event.data.requestId)
  }
}

const missing = (named: Set<string>, begun: Set<string>, known: ReadonlyMap<string, unknown>) =>
  [...named].filter((id) => !begun.has(id) && !known.has(id))
