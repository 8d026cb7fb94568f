import { createHash } from 'node:crypto'
import {
  commitHeaders,
  encodeCommit,
  TOPICS,
  type AccessEvent,
  type ApprovalEvent,
  type GovernanceEvent,
  type Topic,
} from '@countersign/contracts'
import { accessFamily, approvalFamily, governanceFamily } from '@countersign/contracts'
import type { NewRecord } from '@countersign/eventlog'

/*
 * Events and records as nodes and control write them, for tests. What is not given is made up, the same every time.
 */

export type AnyEvent = AccessEvent | ApprovalEvent | GovernanceEvent
export type DataOf<Type extends AnyEvent['type']> = Extract<AnyEvent, { type: Type }>['data']

/** Test data is plain; the brands of the contracts are put on by the readers. */
export type Plain<T> = T extends string
  ? string
  : T extends number | boolean | null | undefined
    ? T
    : T extends readonly (infer Item)[]
      ? readonly Plain<Item>[]
      : { readonly [Key in keyof T]: Plain<T[Key]> }

export interface RawEvent {
  readonly type: string
  readonly version: number
  readonly data: unknown
}

export const event = <Type extends AnyEvent['type']>(type: Type, data: Plain<DataOf<Type>>): RawEvent => ({
  type,
  version: VERSIONS.get(type) ?? 0,
  data,
})

const VERSIONS = new Map<string, number>(
  [...accessFamily.current, ...approvalFamily.current, ...governanceFamily.current].map((c) => [c.type, c.version]),
)

export interface TopicRecord extends NewRecord {
  readonly topic: Topic
}

/** One commit, as one record. */
export const record = (
  topic: Topic,
  stream: string,
  revision: number,
  events: readonly RawEvent[],
  time = at(0),
): TopicRecord => {
  const commitId = uuid(`${topic}/${stream}/${revision}`)
  const value = encodeCommit({ stream, revision, commitId, events: [...events] })
  const headers = commitHeaders({ commitId, stream }, 'spec', time, events[0]?.type ?? '')
  return { topic, key: stream, headers, value }
}

export const access = (worker: string, revision: number, events: readonly RawEvent[], time?: string) =>
  record(TOPICS.access, worker, revision, events, time)

export const approvals = (request: string, revision: number, events: readonly RawEvent[], time?: string) =>
  record(TOPICS.approvals, `approval/${request}`, revision, events, time)

/** The instant so many milliseconds after the beginning of the story. */
export const at = (ms: number): string => new Date(Date.UTC(2026, 10, 22, 10) + ms).toISOString()

export const digest = (text: string): string => createHash('sha256').update(text).digest('hex')

export const uuid = (text: string): string => {
  const hex = digest(text)
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

export const ana = { id: 'ana', kind: 'person', person: 'ana', groups: ['developers'] } as const
export const bo = { id: 'bo', kind: 'person', person: 'bo', groups: ['shop-owners'] } as const
export const copilot = {
  id: 'copilot',
  kind: 'agent',
  person: 'ana',
  onBehalfOf: 'ana',
  groups: ['agents'],
} as const
export const etl = { id: 'etl', kind: 'service', groups: ['services'] } as const

export const shop = { environment: 'demo', database: 'shop' } as const

export const opened = (
  session: string,
  worker: string,
  more: Partial<Plain<DataOf<'session.opened'>>> = {},
): RawEvent =>
  event('session.opened', {
    sessionId: uuid(session),
    worker,
    principal: ana,
    credentialId: 'cred-ana',
    client: { address: '127.0.0.1', port: 50_000, application: 'psql', tls: null },
    target: shop,
    upstream: { server: 'db:5432', role: 'shop_app', processId: 4711 },
    at: at(0),
    ...more,
  })

export const closed = (session: string, more: Partial<Plain<DataOf<'session.closed'>>> = {}): RawEvent =>
  event('session.closed', {
    sessionId: uuid(session),
    because: 'client-terminated',
    statements: 1,
    at: at(9_000),
    ...more,
  })

export const statementId = (session: string, sequence: number): string => `${uuid(session)}.${sequence}`

export const intended = (
  session: string,
  sequence: number,
  more: Partial<Plain<DataOf<'statement.intended'>>> = {},
): RawEvent =>
  event('statement.intended', {
    statementId: statementId(session, sequence),
    sessionId: uuid(session),
    sequence,
    protocol: 'simple',
    text: 'select * from customers limit 5',
    textBytes: 31,
    digest: digest(`${session} ${sequence}`),
    shape: digest('select'),
    actions: ['read'],
    relations: [{ name: 'public.customers', actions: ['read'] }],
    readOnly: true,
    transaction: 'idle',
    verdict: 'mask',
    policies: ['mask-personal-data'],
    policyVersion: 'a1b2c3d4e5f60718',
    catalogueVersion: '7',
    at: at(1_000 * sequence),
    ...more,
  })

export const settled = (
  session: string,
  sequence: number,
  more: Partial<Plain<DataOf<'statement.settled'>>> = {},
): RawEvent =>
  event('statement.settled', {
    statementId: statementId(session, sequence),
    sessionId: uuid(session),
    sequence,
    outcome: 'completed',
    command: 'SELECT 5',
    rowsReturned: 5,
    rowsAffected: 0,
    bytesReturned: 640,
    durations: { understand: 110, decide: 40, record: 900, hold: 0, database: 1_200, total: 2_400 },
    touches: [
      { relation: 'public.customers', how: 'read' },
      { relation: 'public.customers', column: 'email', how: 'returned-masked', class: 'email' },
    ],
    maskedColumns: ['email'],
    at: at(1_000 * sequence + 500),
    ...more,
  })

export const REQUEST = 'rq_0123456789'

export const heldStatement = (session: string, sequence: number) => ({
  statementId: statementId(session, sequence),
  sessionId: uuid(session),
  principal: ana,
  target: shop,
  role: 'shop_app',
  digest: digest(`${session} ${sequence}`),
  text: 'drop table customers',
  actions: ['drop'] as const,
  relations: [{ name: 'public.customers', actions: ['drop'] as const }],
  rows: { rows: 2_000, exact: true },
  policies: ['hold-destruction'],
  policyVersion: 'a1b2c3d4e5f60718',
  catalogueVersion: '7',
  because: 'dropping a table needs an owner',
})

export const requested = (
  requestId: string,
  session: string,
  sequence: number,
  more: Partial<Plain<DataOf<'approval.requested'>>> = {},
): RawEvent =>
  event('approval.requested', {
    requestId,
    kind: 'statement',
    statement: heldStatement(session, sequence),
    mode: 'inline',
    groups: [{ name: 'shop-owners', people: ['bo', 'cy'] }],
    quorum: 1,
    excluded: ['ana'],
    expiresAt: at(30_000),
    at: at(2_000),
    ...more,
  })

export const voted = (requestId: string, more: Partial<Plain<DataOf<'approval.voted'>>> = {}): RawEvent =>
  event('approval.voted', {
    requestId,
    person: 'bo',
    voter: 'bo',
    vote: 'grant',
    groups: ['shop-owners'],
    channel: 'cli',
    at: at(3_000),
    ...more,
  })
