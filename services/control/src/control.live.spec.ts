import { writeFileSync } from 'node:fs'
import {
  Digest,
  PrincipalId,
  SessionId,
  type AccessEvent,
  type ApprovalEvent,
  type RequestId,
  type StatementId,
} from '@countersign/contracts'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { MemoryLog } from './testing/memory-log.ts'
import {
  approvalsIn,
  configFolder,
  decisionsIn,
  governanceIn,
  handClock,
  held,
  identitiesOf,
  newRequestId,
  newSession,
  nodeOn,
  opened,
  PEOPLE,
  runControl,
  until,
  type ConfigFolder,
  type Hold,
  type Name,
} from './testing/running-control.ts'

/*
 * Control as a whole: a node writes to the log, people call the API, and nodes learn from the log what was decided.
 */

let log: MemoryLog
let folder: ConfigFolder
let time: ReturnType<typeof handClock>
let control: Awaited<ReturnType<typeof runControl>>
let node: ReturnType<typeof nodeOn>

beforeEach(async () => {
  log = new MemoryLog()
  folder = configFolder()
  time = handClock()
  node = nodeOn(log, time.clock)
  control = await runControl(log, folder, time)
})

afterEach(async () => {
  await control.close()
  folder.remove()
})

describe('a statement of a program that is held', () => {
  it('is granted by an owner, used once, and nodes are told each step', async () => {
    const { requestId, statement } = await hold('copilot')
    expect(await phaseInForce(requestId)).toMatchObject({ phase: 'pending', principalId: 'copilot', digest: DIGEST })

    const { status, body } = await control.vote('bo', requestId, { vote: 'grant', digest: DIGEST })
    expect([status, body.phase]).toEqual([200, 'granted'])
    expect(await phaseInForce(requestId)).toMatchObject({
      phase: 'granted',
      people: ['bo'],
      usableUntil: '2026-11-22T12:15:00.000Z',
    })

    await node.write(claim(requestId, statement(2)))
    await until(async () => (await phaseInForce(requestId))?.phase === 'claimed')
    expect(await phaseInForce(requestId)).toMatchObject({ claimedBy: statement(2) })

    await node.write(claim(requestId, statement(3)))
    await until(async () => (await phaseInForce(requestId))?.refusedClaim)
    expect(await phaseInForce(requestId)).toMatchObject({
      phase: 'claimed',
      claimedBy: statement(2),
      refusedClaim: { statementId: statement(3), because: 'spent' },
    })
    expect(await storyOf(requestId)).toEqual([
      'approval.requested',
      'approval.voted',
      'approval.granted',
      'grant.claimed',
      'grant.claim-refused',
    ])
  })

  it('tells each of two that claim at once how it went', async () => {
    const { requestId, statement } = await hold('copilot')
    await control.vote('bo', requestId, { vote: 'grant', digest: DIGEST })
    await node.write(claim(requestId, statement(2)), claim(requestId, statement(3)), claim(requestId, statement(4)))
    const told = await until(async () => {
      const records = await decisionRecords(requestId)
      return records.some(({ refusedClaim }) => refusedClaim?.statementId === statement(4)) ? records : undefined
    })
    expect(told.map(({ claimedBy }) => claimedBy)).toContain(statement(2))
    expect(told.map(({ refusedClaim }) => refusedClaim?.statementId)).toContain(statement(3))
  })

  it('is denied by an owner with the reason', async () => {
    const { requestId } = await hold('copilot')
    const denial = { vote: 'deny', digest: DIGEST, reason: 'not today', channel: 'console' }
    const { status, body } = await control.vote('cy', requestId, denial)
    expect([status, body.phase, body.endedBecause]).toEqual([200, 'denied', 'owner'])
    expect(await phaseInForce(requestId)).toMatchObject({ phase: 'denied', people: ['cy'], reason: 'not today' })
  })

  it('expires, without anybody looking', async () => {
    const { requestId } = await hold('copilot')
    time.move(15 * 60)
    await until(async () => (await phaseInForce(requestId))?.phase === 'expired')
    const { status, body } = await control.vote('bo', requestId, { vote: 'grant', digest: DIGEST })
    expect([status, body.error.code]).toEqual([410, 'expired'])
  })

  it('loses its grant when nobody uses it', async () => {
    const { requestId, statement } = await hold('copilot')
    await control.vote('bo', requestId, { vote: 'grant', digest: DIGEST })
    time.move(15 * 60)
    await node.write(claim(requestId, statement(2)))
    await until(async () => (await phaseInForce(requestId))?.refusedClaim)
    expect(await phaseInForce(requestId)).toMatchObject({ phase: 'expired', refusedClaim: { because: 'expired' } })
  })

  it('can be taken back by the person for whom the agent acts, and by nobody else', async () => {
    const { requestId } = await hold('copilot')
    const cancel = (name: Name) => control.post(name, `/api/v1/requests/${requestId}/cancel`, {})
    expect(await cancel('bo')).toMatchObject({ status: 403, body: { error: { code: 'forbidden' } } })
    expect(await cancel('fay')).toMatchObject({ status: 404 })
    expect(await cancel('ana')).toMatchObject({ status: 200, body: { phase: 'withdrawn' } })
    expect(await cancel('ana')).toMatchObject({ status: 200, body: { phase: 'withdrawn' } })
    expect(await storyOf(requestId)).toEqual(['approval.requested', 'approval.withdrawn'])
  })
})

describe('a statement whose client waits', () => {
  it('is granted and used in one commit', async () => {
    const { requestId, statement } = await hold('ana', { mode: 'inline' })
    await control.vote('bo', requestId, { vote: 'grant', digest: DIGEST })
    expect(await phaseInForce(requestId)).toMatchObject({ phase: 'claimed', claimedBy: statement(1) })
    const [, decided] = await log.read('cs.approvals.v1', {}, 10)
    expect(JSON.parse(Buffer.from(decided!.value).toString()).events.map(({ type }: ApprovalEvent) => type)).toEqual([
      'approval.voted',
      'approval.granted',
      'grant.claimed',
    ])
  })

  it.each([
    ['the client takes it back', 'cancelled'],
    ['the hold is over', 'hold-over'],
  ] as const)('is withdrawn when %s', async (_, because) => {
    const { requestId, statement } = await hold('ana', { mode: 'inline' })
    await node.write({
      type: 'statement.withdrawn',
      data: { requestId, statementId: statement(1), because, at: time.clock() },
    })
    await until(async () => (await phaseInForce(requestId))?.phase === 'withdrawn')
    expect(await control.vote('bo', requestId, { vote: 'grant', digest: DIGEST })).toMatchObject({ status: 409 })
  })

  it('is withdrawn when its session ends, and what the same session will run again is not', async () => {
    const waiting = await hold('ana', { mode: 'inline' })
    const { sessionId } = waiting
    const later = await hold('ana', { sessionId })
    await node.write(closed(sessionId))
    await until(async () => (await phaseInForce(waiting.requestId))?.phase === 'withdrawn')
    expect(await phaseInForce(later.requestId)).toMatchObject({ phase: 'pending' })
  })

  it('is withdrawn when its node is found dead', async () => {
    const { requestId } = await hold('ana', { mode: 'inline' })
    const heir = nodeOn(log, time.clock, 'node-1/0/boot-2')
    await heir.write({
      type: 'node.stopped',
      data: { worker: node.worker, because: 'found-dead', at: time.clock() },
    })
    await until(async () => (await phaseInForce(requestId))?.phase === 'withdrawn')
    const { body } = await control.get('eve', '/api/v1/sessions')
    expect(body.sessions).toEqual([])
  })
})

describe('who may sign', () => {
  it.each<[Name, number, string]>([
    ['ana', 403, 'own-request'],
    ['copilot', 403, 'not-a-person'],
    ['etl', 403, 'not-a-person'],
    ['fay', 403, 'not-an-owner'],
    ['eve', 403, 'not-an-owner'],
  ])('is not %s', async (name, status, code) => {
    const { requestId } = await hold('copilot')
    const answer = await control.vote(name, requestId, { vote: 'grant', digest: DIGEST })
    expect(answer).toMatchObject({ status, body: { error: { code } } })
    expect((await approvalsIn(log, requestId)).at(-1)).toMatchObject({
      type: 'approval.vote-refused',
      data: { voter: name, because: code, channel: 'api' },
    })
  })

  it('is nobody when the only owner asked: denied at once', async () => {
    const { requestId } = await hold('cy', { relations: ['public.payments'] }, 'denied')
    expect(await phaseInForce(requestId)).toMatchObject({ phase: 'denied', people: [] })
    expect(await storyOf(requestId)).toEqual(['approval.requested', 'approval.denied'])
  })

  it('is two people when relations have different owners, and one of them in both groups signs for one', async () => {
    const { requestId } = await hold('ana', { relations: ['public.orders', 'public.payments'] })
    expect((await control.vote('cy', requestId, { vote: 'grant', digest: DIGEST })).body.phase).toBe('pending')
    expect((await control.vote('bo', requestId, { vote: 'grant', digest: DIGEST })).body.phase).toBe('granted')
  })

  it('is bound to what was shown', async () => {
    const { requestId } = await hold('ana')
    const answer = await control.vote('bo', requestId, { vote: 'grant', digest: 'f'.repeat(64) })
    expect(answer).toMatchObject({ status: 409, body: { error: { code: 'other-statement' } } })
  })

  it('signs once, however often the button is pressed', async () => {
    const { requestId } = await hold('ana', { quorum: 2 })
    const press = () => control.vote('bo', requestId, { vote: 'grant', digest: DIGEST })
    const answers = await Promise.all([press(), press(), press(), press()])
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200])
    expect(await storyOf(requestId)).toEqual(['approval.requested', 'approval.voted'])
  })

  it('is told when too many of their votes were refused, and the record does not grow', async () => {
    const { requestId } = await hold('ana')
    const statuses = new Set<number>()
    for (let i = 0; i < 35; i++) {
      statuses.add((await control.vote('fay', requestId, { vote: 'grant', digest: DIGEST })).status)
    }
    expect(statuses).toEqual(new Set([403, 429]))
    expect(await storyOf(requestId)).toHaveLength(31)
    time.move(61)
    expect((await control.vote('fay', requestId, { vote: 'grant', digest: DIGEST })).status).toBe(403)
  })

  it('is told that there is no such request, and that is recorded', async () => {
    const requestId = newRequestId()
    expect(await control.vote('bo', requestId, { vote: 'grant', digest: DIGEST })).toMatchObject({
      status: 404,
      body: { error: { code: 'unknown-request' } },
    })
    expect(await storyOf(requestId)).toEqual(['approval.vote-refused'])
  })
})

describe('what an approval rests on', () => {
  it('is the policy: another one voids what is open', async () => {
    const { requestId } = await hold('ana', { policyVersion: await policyVersion() })
    writeFileSync(folder.owners, 'demo/shop.* @security\n')
    await until(async () => (await phaseInForce(requestId))?.phase === 'voided')
    expect((await approvalsIn(log, requestId)).at(-1)).toMatchObject({ data: { because: 'policy-changed' } })
  })

  it('is not a policy that nobody here has heard of: a node may know more', async () => {
    const { requestId } = await hold('ana', { policyVersion: 'from-the-future' })
    await new Promise((resolve) => setTimeout(resolve, 600))
    expect(await phaseInForce(requestId)).toMatchObject({ phase: 'pending' })
  })

  it('is the schema of the relations that it touches', async () => {
    await observe('c1', { 'public.orders.total': 'clear', 'public.customers.email': 'email' })
    const orders = await hold('ana', { relations: ['public.orders'] })
    const customers = await hold('ana', { relations: ['public.customers'] })
    time.move(1)
    await observe('c2', {
      'public.orders.total': 'clear',
      'public.orders.note': 'text',
      'public.customers.email': 'email',
    })
    expect(await phaseInForce(orders.requestId)).toMatchObject({ phase: 'voided' })
    expect(await phaseInForce(customers.requestId)).toMatchObject({ phase: 'pending' })
  })

  it('is the identity: what was asked by one who is out is withdrawn', async () => {
    const { requestId } = await hold('ana')
    writeFileSync(folder.identities, identitiesOf(PEOPLE.filter(({ id }) => id !== 'ana' && id !== 'copilot')))
    await until(async () => (await phaseInForce(requestId))?.phase === 'withdrawn')
    expect((await approvalsIn(log, requestId)).at(-1)).toMatchObject({ data: { because: 'revoked' } })
  })
})

describe('the catalogue', () => {
  it('is what was seen last, with what changed on record', async () => {
    await observe('c1', { 'public.customers.email': 'email', 'public.orders.total': 'clear' })
    time.move(1)
    await observe('c2', { 'public.customers.email': 'email', 'public.orders.total': 'money' })
    const { body } = await control.get('ana', '/api/v1/catalogue')
    expect(body.databases).toMatchObject([{ target: TARGET, version: 'c2' }])
    const classified = (await governanceIn(log)).filter(({ type }) => type === 'data.classified')
    expect(
      classified.map(({ data }) => (data as { changed: { column: string }[] }).changed.map(({ column }) => column)),
    ).toEqual([['public.customers.email', 'public.orders.total'], ['public.orders.total']])
  })

  it('is not taken back by a node that tells late what it saw earlier', async () => {
    time.move(10)
    await observe('c2', { 'public.orders.total': 'money' })
    time.move(-5)
    await write(observed('c1', { 'public.orders.total': 'clear' }))
    await control.get('ana', '/api/v1/catalogue')
    expect((await decisionsIn(log)).get('catalogue/demo/shop')).toMatchObject({ data: { version: 'c2' } })
  })
})

// The vocabulary of the stories.

const DIGEST = Digest.parse('d'.repeat(64))
const TARGET = { environment: 'demo', database: 'shop' }

const write = (...events: AccessEvent[]) => node.write(...events)

/** Opens a session, holds its first statement, and waits until nodes are told that the request is open. */
const hold = async (name: Name, options: Partial<Hold> & { sessionId?: SessionId } = {}, phase = 'pending') => {
  const { sessionId, statement } = newSession(options.sessionId)
  const requestId = newRequestId()
  const at = time.clock()
  await write(
    opened(sessionId, node.worker, name, at),
    held(requestId, statement(1), name, { digest: DIGEST, at, ...options }),
  )
  await until(async () => (await phaseInForce(requestId))?.phase === phase)
  return { requestId, sessionId, statement }
}

const claim = (requestId: RequestId, statementId: StatementId): AccessEvent => ({
  type: 'grant.claim-asked',
  data: {
    requestId,
    statementId,
    sessionId: SessionId.parse(statementId.slice(0, 36)),
    principalId: PrincipalId.parse('copilot'),
    digest: DIGEST,
    target: TARGET,
    role: 'shop_app',
    policyVersion: 'p1',
    at: time.clock(),
  },
})

const closed = (sessionId: SessionId): AccessEvent => ({
  type: 'session.closed',
  data: { sessionId, because: 'client-gone', statements: 1, at: time.clock() },
})

const observed = (catalogueVersion: string, columns: Record<string, string>): AccessEvent => ({
  type: 'database.observed',
  data: {
    worker: node.worker,
    target: TARGET,
    catalogueVersion,
    columns: Object.entries(columns).map(([column, name]) => ({
      column,
      dataType: 'text',
      class: name,
      confidence: 1,
      because: 'its name',
    })),
    at: time.clock(),
  },
})

const observe = async (version: string, columns: Record<string, string>) => {
  await write(observed(version, columns))
  await until(async () => {
    const decision = (await decisionsIn(log)).get('catalogue/demo/shop')
    return decision?.type === 'catalogue.in-force' && decision.data.version === version
  })
}

const phaseInForce = async (requestId: string) => {
  const decision = (await decisionsIn(log)).get(`approval/${requestId}`)
  return decision?.type === 'approval.in-force' ? decision.data : undefined
}

const decisionRecords = async (requestId: string) =>
  (await log.read('cs.decisions.v1', {}, 10_000))
    .filter(({ key }) => key === `approval/${requestId}`)
    .map(({ value }) => JSON.parse(Buffer.from(value).toString()).events[0].data)

const storyOf = async (requestId: string) => (await approvalsIn(log, requestId)).map(({ type }) => type)

const policyVersion = async () => {
  const policy = (await decisionsIn(log)).get('policy')
  return policy?.type === 'policy.in-force' ? policy.data.version : ''
}
