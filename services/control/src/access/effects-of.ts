import type { AccessEvent, RequestId, SessionId } from '@countersign/contracts'
import type { Cursor } from '@countersign/eventlog'
import type { Observed } from '../observe-database/catalogue.ts'
import { isDenied, type DeniedStatement, type Intended } from '../restrictions/attempts.ts'
import type { OpenSessions } from './open-sessions.ts'

export type Held = Extract<AccessEvent, { type: 'statement.held' }>['data']
export type ClaimAsked = Extract<AccessEvent, { type: 'grant.claim-asked' }>['data']
export type WithdrawnBecause = Extract<AccessEvent, { type: 'statement.withdrawn' }>['data']['because']

/** What control has to do about something that a node wrote. */
export type Effect =
  | { readonly type: 'open'; readonly requestId: RequestId; readonly held: Held }
  | { readonly type: 'claim'; readonly requestId: RequestId; readonly asked: ClaimAsked }
  | { readonly type: 'withdraw'; readonly requestId: RequestId; readonly because: WithdrawnBecause }
  /** Whoever waited on this session waits no more. */
  | { readonly type: 'abandon'; readonly sessionId: SessionId; readonly because: WithdrawnBecause }
  | { readonly type: 'observe'; readonly observed: Observed }
  | { readonly type: 'count'; readonly denied: DeniedStatement }
  /** Who was denied something in this session knows it now. */
  | { readonly type: 'answered'; readonly sessionId: SessionId }

/** Takes one event into the open sessions, and says what is to be done about it. */
export const effectsOf = ({ type, data }: AccessEvent, sessions: OpenSessions, before: Cursor): readonly Effect[] => {
  switch (type) {
    case 'session.opened':
      sessions.opened(data, before)
      return []
    case 'session.closed':
      sessions.closed(data.sessionId)
      return [{ type: 'abandon', sessionId: data.sessionId, because: gone(data.because) }]
    case 'node.stopped':
      return sessions.stopped(data.worker).map((sessionId) => ({ type: 'abandon', sessionId, because: 'node-died' }))
    case 'statement.held':
      return opened(data, sessions)
    case 'statement.withdrawn':
      return [{ type: 'withdraw', requestId: data.requestId, because: data.because }]
    case 'grant.claim-asked':
      return [{ type: 'claim', requestId: data.requestId, asked: data }]
    case 'database.observed':
      return [{ type: 'observe', observed: data }]
    case 'statement.intended':
      return isDenied(data) ? counted(data, sessions, before) : []
    case 'statement.settled':
      return data.outcome === 'refused' ? [{ type: 'answered', sessionId: data.sessionId }] : []
    case 'node.started':
    case 'node.heartbeat':
    case 'node.reloaded':
    case 'audit.degraded':
    case 'audit.recovered':
    case 'auth.failed':
    case 'credential.used':
    case 'statement.guarded':
    case 'undo.captured':
    case 'undo.used':
    case 'undo.expired':
      return []
  }
}

/** The end of a session may be read before what it held, when another worker wrote it for one that died. */
const opened = (held: Held, sessions: OpenSessions): readonly Effect[] => {
  const { requestId, mode, statement } = held
  const open: Effect = { type: 'open', requestId, held }
  const isAbandoned = mode === 'inline' && sessions.hasEnded(statement.sessionId)
  return isAbandoned ? [open, { type: 'withdraw', requestId, because: 'client-gone' }] : [open]
}

/** In a session that nobody opened nobody has logged in: it counts for no one. */
const counted = (
  { sessionId, statementId, digest, at }: Intended,
  sessions: OpenSessions,
  before: Cursor,
): readonly Effect[] => {
  const session = sessions.recent(sessionId)
  if (!session) return []
  const began = sessions.beganBefore(sessionId) ?? before
  const { id: principalId } = session.principal
  return [{ type: 'count', denied: { principalId, sessionId, statementId, digest, at, before: began } }]
}

const gone = (because: Extract<AccessEvent, { type: 'session.closed' }>['data']['because']): WithdrawnBecause => {
  switch (because) {
    case 'restricted':
      return 'revoked'
    case 'revoked':
    case 'node-stopping':
    case 'node-died':
      return because
    default:
      return 'client-gone'
  }
}
