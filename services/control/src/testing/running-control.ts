import { createHash, randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  commitHeaders,
  CredentialId,
  decodeCommit,
  encodeCommit,
  Instant,
  PrincipalId,
  readApprovalEvent,
  readDecisionEvent,
  readGovernanceEvent,
  RequestId,
  SessionId,
  StatementId,
  TOPICS,
  WorkerId,
  writeAccessEvent,
  type AccessEvent,
  type ApprovalEvent,
  type DecisionEvent,
  type Digest,
  type GovernanceEvent,
  type StoredEvent,
  type Topic,
} from '@countersign/contracts'
import { accepts, LogUnavailableError, type EventLog, type Heads, type NewRecord } from '@countersign/eventlog'
import type { Logger, RestrictionConfig } from '@countersign/platform'
import { later, type Clock } from '../clock.ts'
import { startControl, type Control } from '../control.ts'

/** The people of the stories: ana asks, bo and cy own, cy is in security too, dee and eve look on. */
export const PEOPLE = [
  { id: 'ana', kind: 'person', groups: ['developers'] },
  { id: 'bo', kind: 'person', groups: ['shop-owners'] },
  { id: 'cy', kind: 'person', groups: ['shop-owners', 'security'] },
  { id: 'dee', kind: 'person', groups: ['sre'] },
  { id: 'eve', kind: 'person', groups: ['auditors'] },
  { id: 'fay', kind: 'person', groups: ['developers'] },
  { id: 'copilot', kind: 'agent', onBehalfOf: 'ana', groups: ['agents'] },
  { id: 'bot', kind: 'agent', onBehalfOf: 'bo', groups: ['agents'] },
  { id: 'etl', kind: 'service', groups: ['services'] },
] as const
export type Name = (typeof PEOPLE)[number]['id']

export const OWNERS = 'demo/shop.*  @shop-owners\ndemo/shop.public.payments* @security\n'

export const tokenOf = (name: string): string => `cs_token-of-${name}`

const digestOf = (text: string): string => createHash('sha256').update(text).digest('hex')

export const identitiesOf = (
  people: readonly { id: string; kind: string; groups: readonly string[]; onBehalfOf?: string }[],
) =>
  JSON.stringify({
    principals: people.map((one) => ({
      ...one,
      credential: {
        id: `${one.id}-1`,
        tokenDigest: digestOf(tokenOf(one.id)),
        expiresAt: '2099-01-01T00:00:00Z',
        roles: { '*': 'shop_app' },
      },
    })),
  })

/** A folder with the files that control reads. */
export const configFolder = () => {
  const folder = mkdtempSync(join(tmpdir(), 'cs-control-'))
  const at = (name: string) => join(folder, name)
  const files = { identities: at('identities.yaml'), owners: at('DATAOWNERS') }
  writeFileSync(files.identities, identitiesOf(PEOPLE))
  writeFileSync(files.owners, OWNERS)
  return { folder, at, ...files, remove: () => rmSync(folder, { recursive: true, force: true }) }
}

export type ConfigFolder = ReturnType<typeof configFolder>

/** A clock that stands until it is moved. */
export const handClock = (start = '2026-11-22T12:00:00.000Z') => {
  let time = Date.parse(start)
  const clock: Clock = () => Instant.parse(new Date(time).toISOString())
  const move = (seconds: number) => {
    time += seconds * 1_000
  }
  return { clock, move }
}

export const silent: Logger = { info: () => {}, warn: () => {}, error: () => {} }

export const runControl = async (
  log: EventLog,
  folder: ConfigFolder,
  {
    clock,
    policies,
    logger = silent,
    changes = 'files',
    restrictions = { attempts: 10, withinMinutes: 10, forMinutes: 30 },
  }: {
    clock: Clock
    policies?: string
    logger?: Logger
    changes?: 'files' | 'signatures'
    restrictions?: RestrictionConfig
  },
) => {
  const control: Control = await startControl({
    config: {
      control: {
        listen: { host: '127.0.0.1', port: 0 },
        identities: folder.identities,
        owners: folder.owners,
        restrictions,
        ...(policies !== undefined && { policies }),
        policyChanges: { by: changes, approvers: ['security'], quorum: 1, openHours: 72 },
      },
      holds: { inlineSeconds: 30, heartbeatSeconds: 10, requestMinutes: 15, rerunMinutes: 15 },
    },
    log,
    logger,
    clock,
    newId: randomUUID,
    failed: (error) => {
      throw error
    },
  })
  return { ...control, ...apiAt(`http://127.0.0.1:${control.port}`) }
}

/** Calls the API as somebody. */
export const apiAt = (url: string) => {
  const call = async (name: string | undefined, method: string, path: string, body?: unknown) => {
    const response = await fetch(url + path, {
      method,
      headers: {
        ...(name !== undefined && { authorization: `Bearer ${tokenOf(name)}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    return { status: response.status, headers: response.headers, text, body: jsonOf(text) }
  }
  return {
    url,
    get: (name: string | undefined, path: string) => call(name, 'GET', path),
    post: (name: string | undefined, path: string, body: unknown) => call(name, 'POST', path, body),
    vote: (name: string, requestId: string, body: object) =>
      call(name, 'POST', `/api/v1/requests/${requestId}/votes`, body),
  }
}

// oxlint-disable-next-line typescript/no-explicit-any -- answers are looked into by specs, which fail on what is not there
const jsonOf = (text: string): any => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** What a node would write. */
export const nodeOn = (log: EventLog, clock: Clock, name = 'node-1/0/boot-1') => {
  const worker = WorkerId.parse(name)
  let revision = 0
  const write = async (...events: AccessEvent[]) => {
    revision += 1
    await insistently(log, recordOf(worker, revision, events.map(writeAccessEvent)))
  }
  return { worker, write, at: clock }
}

/** As a node does: the same commit again, until the log has it. */
const insistently = async (log: EventLog, record: NewRecord): Promise<void> => {
  for (;;) {
    try {
      await log.append(TOPICS.access, record)
      return
    } catch (error) {
      if (!(error instanceof LogUnavailableError)) throw error
    }
  }
}

export const recordOf = (stream: string, revision: number, events: StoredEvent[]): NewRecord => {
  const commitId = randomUUID()
  return {
    key: stream,
    headers: commitHeaders({ commitId, stream }, '/spec', new Date().toISOString(), events[0]?.type ?? 'none'),
    value: encodeCommit({ stream, revision, commitId, events }),
  }
}

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz'

export const newRequestId = () =>
  RequestId.parse(`rq_${Array.from({ length: 10 }, () => ALPHABET[Math.floor(Math.random() * 32)]).join('')}`)

export const newSession = (sessionId = SessionId.parse(randomUUID())) => {
  const statement = (sequence: number) => StatementId.parse(`${sessionId}.${sequence}`)
  return { sessionId, statement }
}

const TARGET = { environment: 'demo', database: 'shop' }

export const principalOf = (name: Name) => {
  const { id, kind, groups } = PEOPLE.find((one) => one.id === name) ?? PEOPLE[0]
  return {
    id: PrincipalId.parse(id),
    kind,
    ...(kind === 'person' && { person: id }),
    ...(kind === 'agent' && { person: 'ana', onBehalfOf: PrincipalId.parse('ana') }),
    groups: [...groups],
  }
}

export const opened = (sessionId: SessionId, worker: WorkerId, name: Name, at: Instant): AccessEvent => ({
  type: 'session.opened',
  data: {
    sessionId,
    worker,
    principal: principalOf(name),
    credentialId: CredentialId.parse(`${name}-1`),
    client: { address: '127.0.0.1', port: 5, tls: null },
    target: TARGET,
    upstream: { server: 'localhost', role: 'shop_app', processId: 1 },
    at,
  },
})

export interface Hold {
  readonly mode?: 'inline' | 'rerun'
  readonly relations?: readonly string[]
  readonly quorum?: number
  readonly policyVersion?: string
  readonly digest: Digest
  readonly at: Instant
  readonly holdSeconds?: number
}

export const held = (requestId: RequestId, statementId: StatementId, name: Name, hold: Hold): AccessEvent => {
  const { mode = 'rerun', relations = ['public.orders'], quorum = 1, policyVersion = 'p1', digest, at } = hold
  const expiresAt = later(at, (hold.holdSeconds ?? (mode === 'inline' ? 30 : 900)) * 1_000)
  return {
    type: 'statement.held',
    data: {
      requestId,
      statement: {
        statementId,
        sessionId: SessionId.parse(statementId.slice(0, 36)),
        principal: principalOf(name),
        target: TARGET,
        role: 'shop_app',
        digest,
        text: 'drop table orders',
        actions: ['drop'],
        relations: relations.map((relation) => ({ name: relation, actions: ['drop'] })),
        policies: ['drop'],
        policyVersion,
        catalogueVersion: 'c1',
        because: 'it drops a table',
      },
      mode,
      approvers: ['owners'],
      quorum,
      expiresAt,
      at,
    },
  }
}

/** What stands in a topic, read as anybody would who follows it from its start and passes over what they do not know. */
const standing = async <Event>(log: EventLog, topic: Topic, read: (stored: StoredEvent) => Event) => {
  const heads: Heads = new Map()
  const records = await log.read(topic, {}, 1_000_000)
  const commits = records.flatMap(({ value }) => readable(() => decodeCommit(value)))
  return commits
    .filter((commit) => accepts(heads, commit))
    .flatMap(({ stream, events }) =>
      events.flatMap((stored) => readable(() => read(stored))).map((event) => ({ stream, event })),
    )
}

const readable = <Value>(read: () => Value): Value[] => {
  try {
    return [read()]
  } catch {
    return []
  }
}

export const approvalsIn = async (log: EventLog, requestId?: string): Promise<ApprovalEvent[]> =>
  (await standing(log, TOPICS.approvals, readApprovalEvent))
    .filter(({ stream }) => requestId === undefined || stream === requestId)
    .map(({ event }) => event)

export const governanceIn = async (log: EventLog): Promise<GovernanceEvent[]> =>
  (await standing(log, TOPICS.governance, readGovernanceEvent)).map(({ event }) => event)

/** By subject, as a node that passes over void commits sees it. */
export const decisionsIn = async (log: EventLog): Promise<Map<string, DecisionEvent>> =>
  new Map((await standing(log, TOPICS.decisions, readDecisionEvent)).map(({ stream, event }) => [stream, event]))

/** By key, as a reader sees it for whom older records were compacted away. */
export const newestDecisionsIn = async (log: EventLog): Promise<Map<string, DecisionEvent>> =>
  new Map(
    (await log.read(TOPICS.decisions, {}, 1_000_000)).flatMap(({ key, value }) =>
      readable(() => decodeCommit(value))
        .flatMap(({ events }) => events)
        .map((stored) => [key, readDecisionEvent(stored)] as const),
    ),
  )

/** Asks until the answer is there. Fails with the last answer when it does not come. */
export const until = async <Value>(
  look: () => Promise<Value | undefined> | Value | undefined,
  timeoutMs = 10_000,
): Promise<Value> => {
  const end = Date.now() + timeoutMs
  for (;;) {
    const found = await look()
    if (found !== undefined && found !== false) return found
    if (Date.now() > end) throw new Error(`did not come to pass within ${timeoutMs} ms: ${look.toString()}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
