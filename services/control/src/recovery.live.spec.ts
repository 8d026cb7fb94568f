import { writeFileSync } from 'node:fs'
import { approval, inForce, type Asked } from '@countersign/approval'
import { Digest, TOPICS, writeApprovalEvent, writeDecisionEvent, type StoredEvent } from '@countersign/contracts'
import { fold } from '@countersign/kernel'
import type { Fields } from '@countersign/platform'
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
  newestDecisionsIn,
  newRequestId,
  newSession,
  nodeOn,
  opened,
  PEOPLE,
  recordOf,
  runControl,
  silent,
  until,
  type ConfigFolder,
} from './testing/running-control.ts'

/*
 * What is left behind by a crash, what another replica does at the same time, and what cannot be read.
 */

let log: MemoryLog
let folder: ConfigFolder
let time: ReturnType<typeof handClock>
let running: Control[]
const DIGEST = Digest.parse('d'.repeat(64))

type Control = Awaited<ReturnType<typeof runControl>>

beforeEach(() => {
  log = new MemoryLog(3)
  folder = configFolder()
  time = handClock()
  running = []
})

afterEach(async () => {
  for (const control of running) await control.close()
  folder.remove()
})

describe('starting again', () => {
  it('finds the request that was open, and its votes', async () => {
    const before = await start()
    const requestId = await hold(before, { quorum: 2 })
    await before.vote('bo', requestId, { vote: 'grant', digest: DIGEST })
    await stop(before)

    const after = await start()
    expect((await after.get('cy', `/api/v1/requests/${requestId}`)).body).toMatchObject({
      phase: 'pending',
      signatures: [{ person: 'bo', vote: 'grant' }],
    })
    expect((await after.vote('cy', requestId, { vote: 'grant', digest: DIGEST })).body.phase).toBe('granted')
    expect(await stories(requestId)).toEqual([
      'approval.requested',
      'approval.voted',
      'approval.voted',
      'approval.granted',
    ])
  })

  it('writes nothing when nothing has happened', async () => {
    const first = await start()
    await hold(first)
    await stop(first)
    const sizes = sizesOf()
    await stop(await start())
    expect(sizesOf()).toEqual(sizes)
  })

  it('ends what ended while nobody was there', async () => {
    const before = await start()
    const requestId = await hold(before)
    await stop(before)
    time.move(16 * 60)
    await start()
    await until(async () => (await stories(requestId)).at(-1) === 'approval.expired')
  })

  it('opens what was asked for while nobody was there', async () => {
    const requestId = await writeHeld()
    await start()
    expect(await stories(requestId)).toEqual(['approval.requested'])
  })

  it('tells nodes what was decided and not told', async () => {
    const requestId = newRequestId()
    await appendApproval(requestId)
    await start()
    const state = await stateOf(requestId)
    expect((await decisionsIn(log)).get(`approval/${requestId}`)).toEqual(inForce(state))
  })

  it('puts right what another told late', async () => {
    const control = await start()
    const requestId = await hold(control)
    const pending = inForce(await stateOf(requestId))
    await control.vote('bo', requestId, { vote: 'grant', digest: DIGEST })
    const granted = inForce(await stateOf(requestId))
    const subject = `approval/${requestId}`

    for (const revision of [2, 3]) {
      await log.append(TOPICS.decisions, recordOf(subject, revision, pending ? [writeDecisionEvent(pending)] : []))
    }
    await until(async () => {
      const [one, other] = [await decisionsIn(log), await newestDecisionsIn(log)].map((all) => all.get(subject))
      return JSON.stringify(one) === JSON.stringify(granted) && JSON.stringify(other) === JSON.stringify(granted)
    })
  })

  it('knows the sessions that are open, also those whose end another worker told', async () => {
    const first = await start()
    const node = nodeOn(log, time.clock, 'node-1/0/a')
    const [stays, goes, dies] = [newSession(), newSession(), newSession()]
    await node.write(opened(stays.sessionId, node.worker, 'ana', time.clock()))
    await node.write(opened(goes.sessionId, node.worker, 'bo', time.clock()))
    const requestId = await hold(first)
    const doomed = nodeOn(log, time.clock, 'node-1/1/b')
    await doomed.write(opened(dies.sessionId, doomed.worker, 'cy', time.clock()))
    await nodeOn(log, time.clock, 'node-1/1/c').write(
      {
        type: 'session.closed',
        data: { sessionId: goes.sessionId, because: 'node-died', statements: 1, at: time.clock() },
      },
      { type: 'node.stopped', data: { worker: doomed.worker, because: 'found-dead', at: time.clock() } },
    )
    await first.vote('bo', requestId, { vote: 'grant', digest: DIGEST })
    const sessionsOf = async (control: Control) =>
      (await control.get('eve', '/api/v1/sessions')).body.sessions.map(({ id }: { id: string }) => id).sort()
    await until(async () => !(await sessionsOf(first)).includes(dies.sessionId))
    const known = await sessionsOf(first)
    expect(known).toContain(stays.sessionId)
    expect(known).not.toContain(goes.sessionId)
    await stop(first)
    expect(await sessionsOf(await start())).toEqual(known)
  })
})

describe('two replicas', () => {
  it('come to one decision, whoever is asked, and tell it once', async () => {
    const [a, b] = [await start(), await start()]
    const requestIds = []
    for (let i = 0; i < 10; i++) requestIds.push(await hold(a, { quorum: 2 }))
    await Promise.all(
      requestIds.flatMap((id) => [
        a.vote('bo', id, { vote: 'grant', digest: DIGEST }),
        b.vote('bo', id, { vote: 'grant', digest: DIGEST }),
        b.vote('cy', id, { vote: 'grant', digest: DIGEST }),
        a.vote('cy', id, { vote: 'deny', digest: DIGEST, reason: 'no' }),
      ]),
    )
    for (const id of requestIds) {
      const state = await stateOf(id)
      expect(['granted', 'denied']).toContain(state.phase)
      const outcomes = (await stories(id)).filter((type) => type === 'approval.granted' || type === 'approval.denied')
      expect(outcomes).toHaveLength(1)
      await until(async () => {
        const told = (await decisionsIn(log)).get(`approval/${id}`)
        const newest = (await newestDecisionsIn(log)).get(`approval/${id}`)
        const expected = JSON.stringify(inForce(state))
        return JSON.stringify(told) === expected && JSON.stringify(newest) === expected
      })
    }
  })

  it('agree on what is in force, and write it once', async () => {
    await Promise.all([start(), start()])
    const all = await governanceIn(log)
    for (const type of ['policy.published', 'owner.assigned']) {
      expect([type, all.filter((event) => event.type === type).length]).toEqual([type, 1])
    }
    expect(all.filter(({ type }) => type === 'identity.registered')).toHaveLength(PEOPLE.length)
  })
})

describe('what no contract knows', () => {
  const unknown: StoredEvent = { type: 'statement.dreamt', version: 1, data: { secret: 'hunter2' } }
  const newer: StoredEvent = { type: 'statement.settled', version: 99, data: {} }
  const malformed: StoredEvent = { type: 'statement.held', version: 1, data: { requestId: 'rq_1' } }
  const ordinary: StoredEvent = { type: 'statement.settled', version: 2, data: { rows: 'many' } }

  it('is pointed to once, by whoever finds it how often, and the rest is read', async () => {
    await log.append(TOPICS.access, recordOf('node-1/0/x', 1, [unknown, newer, malformed]))
    await log.append(TOPICS.access, recordOf('node-1/0/x', 2, [ordinary]))
    await log.append(TOPICS.access, { key: 'x', headers: {}, value: Buffer.from('not a commit') })
    await log.append(TOPICS.decisions, { key: 'x', headers: {}, value: Buffer.from('{}') })
    await log.append(TOPICS.approvals, recordOf('rq_0000000000', 1, [unknown]))
    await log.append(TOPICS.governance, { key: 'x', headers: {}, value: Buffer.from([0xff, 0xfe]) })
    const requestId = await writeHeld()

    await Promise.all([start(), start()])
    await until(async () => (await quarantined()).length === 8)
    for (const control of running.splice(0)) await control.close()
    await start()
    await new Promise((resolve) => setTimeout(resolve, 300))

    const found = await quarantined()
    expect(found).toHaveLength(8)
    expect(
      found.filter(({ topic }) => topic === TOPICS.access).map(({ index, type, version }) => [index, type, version]),
    ).toEqual(
      expect.arrayContaining([
        [0, 'statement.dreamt', 1],
        [1, 'statement.settled', 99],
        [2, 'statement.held', 1],
        [0, 'statement.settled', 2],
        [undefined, undefined, undefined],
      ]),
    )
    expect(JSON.stringify(found)).not.toContain('hunter2')
    expect(await stories(requestId)).toEqual(['approval.requested'])
  })
})

describe('a log that goes away', () => {
  it('is waited for: what nodes wrote meanwhile is done when it is back', async () => {
    const control = await start()
    const requestId = newRequestId()
    const session = newSession()
    const node = nodeOn(log, time.clock)
    await node.write(opened(session.sessionId, node.worker, 'ana', time.clock()))
    const stored = held(requestId, session.statement(1), 'ana', { digest: DIGEST, at: time.clock() })
    log.available = false
    log.put(TOPICS.access, recordOf(node.worker, 2, [{ type: stored.type, version: 1, data: stored.data }]))
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect(await stories(requestId)).toEqual([])
    log.available = true
    await until(async () => (await stories(requestId)).length === 1)
    expect((await control.get('eve', `/api/v1/requests/${requestId}`)).status).toBe(200)
  })

  it('is waited for when only nodes cannot be told: a vote counts, and they are told when they can be', async () => {
    const control = await start()
    const requestId = await hold(control)
    log.closed.add(TOPICS.decisions)
    expect((await control.vote('bo', requestId, { vote: 'grant', digest: DIGEST })).body.phase).toBe('granted')
    expect((await decisionsIn(log)).get(`approval/${requestId}`)).toMatchObject({ data: { phase: 'pending' } })
    await new Promise((resolve) => setTimeout(resolve, 1_500))
    log.closed.clear()
    await until(async () => {
      const told = (await decisionsIn(log)).get(`approval/${requestId}`)
      return told?.type === 'approval.in-force' && told.data.phase === 'granted'
    })
  })
})

describe('files that change', () => {
  it('let nobody in whose line is gone, within a second, and nobody is told twice', async () => {
    const control = await start()
    const begin = Date.now()
    // Whoever goes takes along what acts for them: the line of bo's agent is still there.
    writeFileSync(folder.identities, identitiesOf(PEOPLE.filter(({ id }) => id !== 'bo')))
    await until(async () => isRevoked(await credential('bo')))
    expect(Date.now() - begin).toBeLessThan(1_000)
    expect((await control.get('bo', '/api/v1/me')).status).toBe(401)
    expect((await control.get('bot', '/api/v1/me')).status).toBe(401)
    await until(async () => isRevoked(await credential('bot')))
    expect((await governanceIn(log)).filter(({ type }) => type === 'identity.revoked')).toHaveLength(2)

    writeFileSync(folder.identities, identitiesOf(PEOPLE))
    await until(async () => !isRevoked(await credential('bo')))
    expect((await control.get('bo', '/api/v1/me')).status).toBe(200)
  })

  it('end a token for which another was given', async () => {
    const control = await start()
    const text = identitiesOf(PEOPLE)
    const { principals } = JSON.parse(text) as { principals: { credential: { tokenDigest: string } }[] }
    writeFileSync(folder.identities, text.replace(principals[0]!.credential.tokenDigest, 'e'.repeat(64)))
    await until(async () => (await control.get('ana', '/api/v1/me')).status === 401)
    await until(async () => (await governanceIn(log)).filter(({ type }) => type === 'identity.revoked').length === 1)
    expect((await credential('ana'))!.tokenDigest).toBe('e'.repeat(64))
  })

  it.each([
    ['identities', 'principals: [{id: ana', 'identities.yaml:1'],
    ['owners', 'demo/shop.* shop-owners\n', 'DATAOWNERS:1'],
  ] as const)('change nothing while %s cannot be used', async (which, text, place) => {
    const errors: string[] = []
    const logger = { ...silent, error: (_: string, fields?: Fields) => errors.push(String(fields?.['error'])) }
    const control = await start({ logger })
    const policy = (await decisionsIn(log)).get('policy')
    writeFileSync(folder[which], text)
    await until(() => errors.length > 0)
    expect(errors[0]).toContain(place)
    expect((await control.get('bo', '/api/v1/me')).status).toBe(200)
    expect((await decisionsIn(log)).get('policy')).toEqual(policy)
  })

  it('stop the start when they cannot be used', async () => {
    writeFileSync(folder.owners, 'nonsense\n')
    await expect(start()).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('DATAOWNERS:1'),
    })
  })
})

// The vocabulary of the stories.

const start = async (options: { logger?: typeof silent } = {}) => {
  const control = await runControl(log, folder, { ...time, ...options })
  running.push(control)
  return control
}

const stop = async (control: Control) => {
  running = running.filter((one) => one !== control)
  await control.close()
}

const writeHeld = async (options: { quorum?: number } = {}) => {
  const requestId = newRequestId()
  const { sessionId, statement } = newSession()
  const node = nodeOn(log, time.clock, `node-1/0/${requestId}`)
  const at = time.clock()
  await node.write(
    opened(sessionId, node.worker, 'ana', at),
    held(requestId, statement(1), 'ana', { digest: DIGEST, at, ...options }),
  )
  return requestId
}

const hold = async (control: Control, options: { quorum?: number } = {}) => {
  const requestId = await writeHeld(options)
  await until(async () => (await control.get('eve', `/api/v1/requests/${requestId}`)).status === 200)
  await until(async () => (await decisionsIn(log)).has(`approval/${requestId}`))
  return requestId
}

/** As if a process had ended between deciding and telling. */
const appendApproval = async (requestId: ReturnType<typeof newRequestId>) => {
  const { statement } = newSession()
  const event = held(requestId, statement(1), 'ana', { digest: DIGEST, at: time.clock() })
  if (event.type !== 'statement.held') throw new Error('unexpected')
  const requested = writeApprovalEvent({
    type: 'approval.requested',
    data: {
      requestId,
      kind: 'statement',
      statement: event.data.statement,
      mode: 'rerun',
      groups: [{ name: 'shop-owners', people: ['bo'] }],
      quorum: 1,
      excluded: ['ana'],
      expiresAt: event.data.expiresAt,
      at: time.clock(),
    },
  })
  await log.append(TOPICS.approvals, recordOf(requestId, 1, [requested]))
}

const stateOf = async (requestId: string) => fold(approval, await approvalsIn(log, requestId)) as Asked

const stories = async (requestId: string) => (await approvalsIn(log, requestId)).map(({ type }) => type)

const quarantined = async () =>
  (await governanceIn(log)).flatMap(({ type, data }) => (type === 'event.quarantined' ? [data] : []))

const credential = async (name: string) => {
  const decision = (await decisionsIn(log)).get(`credential/${name}-1`)
  return decision?.type === 'credential.in-force' ? decision.data : undefined
}

const isRevoked = (data: Awaited<ReturnType<typeof credential>>) => data?.revoked === true

const sizesOf = () => [TOPICS.approvals, TOPICS.decisions, TOPICS.governance].map((topic) => log.all(topic).length)
