import { writeFileSync } from 'node:fs'
import {
  Digest,
  PrincipalId,
  type AccessEvent,
  type Instant,
  type SessionId,
  type StatementId,
} from '@countersign/contracts'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { MemoryLog } from '../testing/memory-log.ts'
import {
  configFolder,
  decisionsIn,
  governanceIn,
  handClock,
  identitiesOf,
  newestDecisionsIn,
  newSession,
  nodeOn,
  opened,
  runControl,
  until,
  type ConfigFolder,
  type Name,
} from '../testing/running-control.ts'

/*
 * Who has too much denied may do nothing for a while: as a node writes it, as nodes are told, and who may end it.
 */

let log: MemoryLog
let folder: ConfigFolder
let time: ReturnType<typeof handClock>
let node: ReturnType<typeof nodeOn>
let running: Control[]

type Control = Awaited<ReturnType<typeof runControl>>

beforeEach(() => {
  log = new MemoryLog()
  folder = configFolder()
  time = handClock()
  node = nodeOn(log, time.clock)
  running = []
})

afterEach(async () => {
  for (const control of running) await control.close()
  folder.remove()
})

const start = async () => {
  const restrictions = { attempts: 3, withinMinutes: 10, forMinutes: 30 }
  const control = await runControl(log, folder, { ...time, restrictions })
  running.push(control)
  return control
}
const stop = async (control: Control) => {
  running.splice(running.indexOf(control), 1)
  await control.close()
}

/** Statements of a session of theirs that are denied, each in a text of its own. */
const tries = async (name: string, times: number, more: Partial<Denied> = {}) => {
  const { sessionId, statement } = newSession()
  const session = opened(sessionId, node.worker, name as Name, time.clock())
  if (session.type === 'session.opened') session.data.principal.id = PrincipalId.parse(name)
  await node.write(session)
  for (let n = 1; n <= times; n++) {
    time.move(1)
    await node.write(denied(sessionId, statement(n), time.clock(), more))
  }
}

type Denied = Extract<AccessEvent, { type: 'statement.intended' }>['data']

const denied = (sessionId: SessionId, statementId: StatementId, at: Instant, more: Partial<Denied>): AccessEvent => ({
  type: 'statement.intended',
  data: {
    statementId,
    sessionId,
    sequence: Number(statementId.split('.')[1]),
    protocol: 'simple',
    text: 'copy t to program x',
    textBytes: 20,
    digest: Digest.parse('d'.repeat(64)),
    shape: Digest.parse('e'.repeat(64)),
    actions: ['administer'],
    relations: [],
    readOnly: false,
    transaction: 'idle',
    verdict: 'deny',
    policies: ['deny-host'],
    policyVersion: 'p1',
    catalogueVersion: 'c1',
    at,
    ...more,
  },
})

const told = async (name: string) => {
  const decision = (await decisionsIn(log)).get(`restriction/${name}`)
  return decision?.type === 'restriction.in-force' ? decision.data : undefined
}
const restrictedSoon = (name: string) => until(async () => (await told(name))?.restricted)
const freeSoon = (name: string) => until(async () => (await told(name))?.restricted === false)
const story = async () =>
  (await governanceIn(log)).flatMap(({ type, data }) =>
    type === 'principal.restricted' || type === 'principal.released' ? [`${type} ${data.principalId}`] : [],
  )
const caughtUp = async (control: Control) => {
  // A session that is opened behind it is seen: so everything before it was, too.
  const { sessionId } = newSession()
  await node.write(opened(sessionId, node.worker, 'dee', time.clock()))
  await until(async () => (await control.get('dee', '/api/v1/sessions')).text.includes(sessionId))
}

describe('who has too much denied', () => {
  it('may do nothing for a while, in any session and at the API; others go on', async () => {
    const control = await start()
    await tries('ana', 2)
    await tries('ana', 1)
    await restrictedSoon('ana')
    expect(await told('ana')).toMatchObject({
      because: '3 of its statements were denied within 10 minutes',
      until: '2026-11-22T12:30:03.000Z',
    })
    const { status, body } = await control.get('ana', '/api/v1/me')
    expect([status, body.error.code]).toEqual([403, 'restricted'])
    expect(body.error.message).toContain('until 2026-11-22T12:30:03.000Z')
    expect((await control.get('bo', '/api/v1/me')).status).toBe(200)
    expect(await story()).toEqual(['principal.restricted ana'])
  })

  it('is free again by itself when the time is up', async () => {
    const control = await start()
    await tries('copilot', 3)
    await restrictedSoon('copilot')
    time.move(30 * 60 + 1)
    expect((await control.get('copilot', '/api/v1/me')).status).toBe(200)
    await freeSoon('copilot')
    expect(await story()).toEqual(['principal.restricted copilot', 'principal.released copilot'])
  })

  it.each<[string, Partial<Denied>]>([
    ['slips of the pen', { policies: [], actions: ['unknown'] }],
    ['what is held', { verdict: 'hold' }],
  ])('is not restricted for %s', async (_, more) => {
    const control = await start()
    await tries('ana', 5, more)
    await caughtUp(control)
    expect(await story()).toEqual([])
  })

  it('is nobody who has not logged in: what comes in no known session counts for no one', async () => {
    const control = await start()
    const { sessionId, statement } = newSession()
    for (let n = 1; n <= 5; n++) await node.write(denied(sessionId, statement(n), time.clock(), {}))
    await node.write({
      type: 'auth.failed',
      data: {
        worker: node.worker,
        user: 'bo',
        database: 'shop',
        address: '203.0.113.7',
        port: 1,
        because: 'wrong-token',
        attempts: 50,
        at: time.clock(),
      },
    })
    await caughtUp(control)
    expect(await story()).toEqual([])
  })
})

describe('a restriction is lifted', () => {
  it('by a person of security, who says why; then attempts are counted anew', async () => {
    const control = await start()
    await tries('ana', 4)
    await restrictedSoon('ana')
    const [listed] = (await control.get('cy', '/api/v1/restrictions')).body.restrictions
    expect(listed).toMatchObject({ principalId: 'ana', since: '2026-11-22T12:00:04.000Z' })

    const lifted = await control.post('cy', '/api/v1/restrictions/ana/lift', { reason: 'it was a drill' })
    expect(lifted.status).toBe(200)
    await freeSoon('ana')
    expect(await told('ana')).toMatchObject({ because: 'lifted by cy' })
    expect((await governanceIn(log)).at(-1)).toMatchObject({ data: { by: 'cy', reason: 'it was a drill' } })
    expect((await control.get('ana', '/api/v1/me')).status).toBe(200)

    await tries('ana', 2)
    await caughtUp(control)
    expect((await story()).length).toBe(2)
    await tries('ana', 1)
    await restrictedSoon('ana')
  })

  it.each<[string, Name, Name, number]>([
    ['nobody of another group', 'ana', 'dee', 403],
    ['not who only owns data', 'ana', 'bo', 403],
    ['no program', 'ana', 'etl', 404],
    ['not themselves: they do not get so far', 'cy', 'cy', 403],
  ])('by %s', async (_, restricted, by, status) => {
    const control = await start()
    await tries(restricted, 3)
    await restrictedSoon(restricted)
    expect((await control.post(by, `/api/v1/restrictions/${restricted}/lift`, { reason: 'please' })).status).toBe(
      status,
    )
    expect(await told(restricted)).toMatchObject({ restricted: true })
  })

  it('by another one when it is one of security that is restricted, and not by the human behind an agent', async () => {
    const people = [
      { id: 'cy', kind: 'person', groups: ['security'] },
      { id: 'cy-laptop', kind: 'person', person: 'cy', groups: ['security'] },
      { id: 'gil', kind: 'person', groups: ['security'] },
      { id: 'cybot', kind: 'agent', onBehalfOf: 'cy', groups: [] },
      { id: 'dee', kind: 'person', groups: ['sre'] },
    ]
    writeFileSync(folder.identities, identitiesOf(people))
    const control = await start()
    const lift = async (by: string, whom: string) =>
      (await control.post(by, `/api/v1/restrictions/${whom}/lift`, { reason: 'please' })).status
    await tries('cy', 3)
    await restrictedSoon('cy')
    expect(await lift('cy-laptop', 'cy')).toBe(403)
    expect(await lift('gil', 'cy')).toBe(200)
    await freeSoon('cy')

    await tries('cybot', 3)
    await restrictedSoon('cybot')
    expect([await lift('cy', 'cybot'), await lift('gil', 'cybot')]).toEqual([403, 200])
  })

  it('not without a reason, and not where there is none', async () => {
    const control = await start()
    expect((await control.post('cy', '/api/v1/restrictions/ana/lift', { reason: 'x' })).status).toBe(404)
    await tries('ana', 3)
    await restrictedSoon('ana')
    expect((await control.post('cy', '/api/v1/restrictions/ana/lift', { reason: ' ' })).status).toBe(400)
    expect((await control.post('cy', '/api/v1/restrictions/ana/lift', {})).status).toBe(400)
  })
})

describe('a restriction outlives control', () => {
  it('that is started again, with the attempts that still counted', async () => {
    const before = await start()
    await tries('ana', 3)
    await tries('bo', 2)
    await restrictedSoon('ana')
    await caughtUp(before)
    await stop(before)

    const after = await start()
    expect((await after.get('ana', '/api/v1/me')).status).toBe(403)
    expect(await story()).toEqual(['principal.restricted ana'])
    await tries('bo', 1)
    await restrictedSoon('bo')
    time.move(31 * 60)
    await freeSoon('ana')
    await freeSoon('bo')
    expect((await story()).toSorted()).toEqual([
      'principal.released ana',
      'principal.released bo',
      'principal.restricted ana',
      'principal.restricted bo',
    ])
  })

  it('that was stopped after somebody had lifted it, and does not take the same attempts for new ones', async () => {
    const before = await start()
    await tries('ana', 3)
    await restrictedSoon('ana')
    time.move(1)
    await before.post('cy', '/api/v1/restrictions/ana/lift', { reason: 'a drill' })
    await stop(before)
    const after = await start()
    await caughtUp(after)
    expect(await story()).toEqual(['principal.restricted ana', 'principal.released ana'])
    expect(await told('ana')).toMatchObject({ restricted: false })
  })

  it('and is written down once by several replicas, whichever is first', async () => {
    const replicas = [await start(), await start(), await start()]
    for (const name of ['ana', 'bo', 'fay'] as const) await tries(name, 5)
    for (const name of ['ana', 'bo', 'fay'] as const) await restrictedSoon(name)
    for (const replica of replicas) await caughtUp(replica)
    expect((await story()).toSorted()).toEqual(['ana', 'bo', 'fay'].map((name) => `principal.restricted ${name}`))
    time.move(31 * 60)
    for (const name of ['ana', 'bo', 'fay'] as const) await freeSoon(name)
    expect((await story()).length).toBe(6)
    for (const [, newest] of await newestDecisionsIn(log)) {
      if (newest.type === 'restriction.in-force') expect(newest.data.restricted).toBe(false)
    }
  })

  it('and reaches nodes when the one that decided is gone before it has told them', async () => {
    const { sessionId, statement } = newSession()
    await node.write(opened(sessionId, node.worker, 'ana', time.clock()))
    const control = await start()
    log.closed.add('cs.decisions.v1')
    for (let n = 1; n <= 3; n++) {
      time.move(1)
      await node.write(denied(sessionId, statement(n), time.clock(), {}))
    }
    await until(async () => (await story()).length === 1)
    await stop(control)
    expect(await told('ana')).toBeUndefined()
    log.closed.delete('cs.decisions.v1')
    await start()
    await restrictedSoon('ana')
    expect(await story()).toEqual(['principal.restricted ana'])
  })
})
