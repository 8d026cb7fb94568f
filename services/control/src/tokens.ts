/*
 * What Nest injects, by name: so no class of ours needs emitted metadata to be constructed.
 */
export const DESK = Symbol('ApprovalDesk')
export const BOOK = Symbol('ApprovalsBook')
export const BOARD = Symbol('DecisionBoard')
export const DIRECTORY = Symbol('Directory')
export const POLICIES = Symbol('PoliciesInForce')
export const SESSIONS = Symbol('OpenSessions')
export const TELL = Symbol('Tell')
export const CLOCK = Symbol('Clock')
export const HOLDS = Symbol('HoldConfig')
export const READERS = Symbol('Readers')
export const EVENT_HUB = Symbol('EventHub')
export const HEALTH = Symbol('Health')
export const METRICS = Symbol('Metrics')
