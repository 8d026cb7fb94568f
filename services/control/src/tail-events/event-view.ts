import {
  readAccessEvent,
  readApprovalEvent,
  readDecisionEvent,
  readGovernanceEvent,
  TOPICS,
  type AccessEvent,
  type ApprovalEvent,
  type DecisionEvent,
  type GovernanceEvent,
  type SessionId,
  type StoredEvent,
} from '@countersign/contracts'
import type { LogRecord } from '@countersign/eventlog'
import type { Session } from '../access/open-sessions.ts'
import type { EventView } from '../api/schemas.ts'

type Shown = Omit<EventView, 'topic' | 'partition' | 'offset' | 'index' | 'type'>
type Who = (sessionId: SessionId) => Session | undefined

/** An event as people see it: chosen fields only, so that nothing is shown because it happened to be there. */
export const eventView = (record: LogRecord, index: number, stored: StoredEvent, who: Who): EventView => {
  const { topic, partition, offset } = record
  return { topic, partition, offset, index, type: stored.type, ...shown(topic, stored, who) }
}

const shown = (topic: string, stored: StoredEvent, who: Who): Shown => {
  try {
    switch (topic) {
      case TOPICS.access:
        return accessShown(readAccessEvent(stored), who)
      case TOPICS.approvals:
        return approvalShown(readApprovalEvent(stored))
      case TOPICS.decisions:
        return decisionShown(readDecisionEvent(stored))
      case TOPICS.governance:
        return governanceShown(readGovernanceEvent(stored))
      default:
        return { summary: stored.type }
    }
  } catch {
    return { summary: 'no contract knows this event' }
  }
}

const accessShown = ({ type, data }: AccessEvent, who: Who): Shown => {
  const session = 'sessionId' in data ? who(data.sessionId) : undefined
  const name = session?.principal.id ?? 'someone'
  const common = {
    at: 'at' in data ? data.at : data.recoveredAt,
    ...('sessionId' in data && { sessionId: data.sessionId }),
    ...('statementId' in data && { statementId: data.statementId }),
    ...('requestId' in data && data.requestId !== undefined && { requestId: data.requestId }),
    ...(session && { principal: session.principal.id }),
  }
  switch (type) {
    case 'node.started':
      return { ...common, summary: `node ${data.worker} started` }
    case 'node.heartbeat':
      return { ...common, summary: `node ${data.worker}: ${data.sessions} sessions, ${data.statements} statements` }
    case 'node.stopped':
      return { ...common, summary: `node ${data.worker} stopped (${data.because})` }
    case 'node.reloaded':
      return { ...common, summary: `node ${data.worker} reloaded its configuration: ${data.changed.join(', ')}` }
    case 'audit.degraded':
      return { ...common, summary: `node ${data.worker} refuses statements: ${data.reason}` }
    case 'audit.recovered':
      return { ...common, summary: `node ${data.worker} works again; ${data.refused} statements were refused` }
    case 'session.opened':
      return {
        ...common,
        principal: data.principal.id,
        summary: `${data.principal.id} connected to ${data.target.environment}/${data.target.database} from ${data.client.address}`,
      }
    case 'session.closed':
      return { ...common, summary: `${name} left (${data.because}) after ${data.statements} statements` }
    case 'auth.failed':
      return {
        ...common,
        summary: `sign-in refused for ${data.user} on ${data.database} from ${data.address}: ${data.because}`,
      }
    case 'credential.used':
      return {
        ...common,
        principal: data.principalId,
        summary: `${data.principalId} used credential ${data.credentialId}`,
      }
    case 'statement.intended':
      return { ...common, text: data.text, summary: `${name} ${data.verdict}: ${data.text}` }
    case 'statement.guarded': {
      const kept = data.kept ? '' : ` (cannot be kept: ${data.because ?? 'unknown'})`
      return { ...common, summary: `${name} may change ${data.rowsMax} rows${kept}` }
    }
    case 'statement.settled':
      return {
        ...common,
        outcome: data.outcome,
        summary: `${name} ${data.outcome}${data.sqlstate === undefined ? '' : ` ${data.sqlstate}`}: ${data.command ?? 'no command'}`,
      }
    case 'statement.held': {
      const { principal, statementId, text, sessionId } = data.statement
      return {
        ...common,
        principal: principal.id,
        statementId,
        sessionId,
        text,
        summary: `${principal.id} waits for ${data.approvers.join(' and ')} (${data.requestId}): ${text}`,
      }
    }
    case 'statement.withdrawn':
      return { ...common, summary: `${data.requestId} taken back (${data.because})` }
    case 'grant.claim-asked':
      return { ...common, principal: data.principalId, summary: `${data.principalId} runs ${data.requestId}` }
    case 'undo.captured':
      return { ...common, summary: `${data.requestId} can be undone until ${data.expiresAt}` }
    case 'undo.used':
      return { ...common, summary: `${name} has undone ${data.requestId}` }
    case 'undo.expired':
      return { ...common, summary: `${data.requestId} cannot be undone any more` }
    case 'database.observed':
      return {
        ...common,
        summary: `${data.target.environment}/${data.target.database} looked at: ${data.columns.length} columns`,
      }
  }
}

const approvalShown = ({ type, data }: ApprovalEvent): Shown => {
  const { requestId, at } = data
  const common = { at, requestId }
  switch (type) {
    case 'approval.requested': {
      const { principal, text, sessionId, statementId } = data.statement
      const groups = data.groups.map(({ name }) => name).join(' and ')
      return {
        ...common,
        principal: principal.id,
        sessionId,
        statementId,
        text,
        summary: `${requestId} opened for ${principal.id}, to be signed by ${groups}: ${text}`,
      }
    }
    case 'approval.policy-requested': {
      const { principal, version, changes } = data.proposal
      const groups = data.groups.map(({ name }) => name).join(' and ')
      return {
        ...common,
        principal: principal.id,
        summary: `${requestId} opened for ${principal.id}: policy ${version} (${changes.length} policies differ), to be signed by ${groups}`,
      }
    }
    case 'approval.voted':
      return { ...common, principal: data.voter, summary: `${data.voter} voted ${data.vote} on ${requestId}` }
    case 'approval.vote-refused':
      return {
        ...common,
        principal: data.voter,
        summary: `vote of ${data.voter} on ${requestId} refused: ${data.because}`,
      }
    case 'approval.granted':
      return { ...common, summary: `${requestId} granted by ${data.people.join(', ')}` }
    case 'approval.denied':
      return { ...common, summary: `${requestId} denied by ${data.person ?? 'rule: nobody may approve it'}` }
    case 'approval.expired':
      return { ...common, summary: `${requestId} expired` }
    case 'approval.withdrawn':
      return { ...common, summary: `${requestId} withdrawn (${data.because})` }
    case 'approval.voided':
      return { ...common, summary: `${requestId} void (${data.because})` }
    case 'grant.claimed':
      return {
        ...common,
        sessionId: data.sessionId,
        statementId: data.statementId,
        summary: `${requestId} is being used`,
      }
    case 'grant.claim-refused':
      return {
        ...common,
        sessionId: data.sessionId,
        statementId: data.statementId,
        summary: `use of ${requestId} refused: ${data.because}`,
      }
    case 'grant.used':
      return { ...common, summary: `${requestId} is in force` }
    case 'grant.expired':
      return { ...common, summary: `${requestId} was not used in time` }
  }
}

const decisionShown = ({ type, data }: DecisionEvent): Shown => {
  const { at } = data
  switch (type) {
    case 'policy.in-force':
      return { at, summary: `policy ${data.version} is in force` }
    case 'catalogue.in-force':
      return { at, summary: `catalogue of ${data.target.environment}/${data.target.database} is in force` }
    case 'credential.in-force':
      return {
        at,
        principal: data.principal.id,
        summary: `credential ${data.credentialId} of ${data.principal.id} is ${data.revoked ? 'revoked' : 'in force'}`,
      }
    case 'approval.in-force':
      return {
        at,
        requestId: data.requestId,
        principal: data.principalId,
        summary: `${data.requestId} is ${data.phase}`,
      }
    case 'restriction.in-force':
      return {
        at,
        principal: data.principalId,
        summary: `${data.principalId} is ${data.restricted ? 'restricted' : 'free again'}: ${data.because}`,
      }
  }
}

const governanceShown = ({ type, data }: GovernanceEvent): Shown => {
  const { at } = data
  switch (type) {
    case 'policy.published':
      return {
        at,
        ...(data.by !== undefined && { principal: data.by }),
        ...(data.requestId !== undefined && { requestId: data.requestId }),
        summary: `policy ${data.version} published: ${data.files.length} files${
          data.signedBy ? `, proposed by ${data.by}, signed by ${data.signedBy.join(', ')}` : ''
        }`,
      }
    case 'policy.proposed':
      return {
        at,
        principal: data.by,
        requestId: data.requestId,
        summary: `${data.by} proposes policy ${data.version} in the place of ${data.base}`,
      }
    case 'owner.assigned':
      return { at, summary: `owners assigned: ${data.lines} lines` }
    case 'identity.registered':
      return { at, principal: data.principal.id, summary: `${data.principal.id} registered until ${data.expiresAt}` }
    case 'identity.revoked':
      return { at, principal: data.principalId, summary: `credential ${data.credentialId} revoked` }
    case 'principal.restricted':
      return {
        at,
        principal: data.principalId,
        summary: `${data.principalId} restricted until ${data.until}: ${data.because}`,
      }
    case 'principal.released':
      return {
        at,
        principal: data.principalId,
        summary: `${data.principalId} free again (${data.because}${data.by === undefined ? '' : ` by ${data.by}`})`,
      }
    case 'data.classified':
      return {
        at,
        summary: `${data.target.environment}/${data.target.database} classified: ${data.changed.length} columns changed`,
      }
    case 'config.loaded':
      return { at, summary: `${data.service} read its configuration` }
    case 'event.quarantined':
      return { at, summary: `unreadable record ${data.topic}/${data.partition}/${data.offset} set aside` }
  }
}
