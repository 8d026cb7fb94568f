import { randomUUID } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { Digest, SessionId, StatementId, TOPICS, type AccessEvent } from '@countersign/contracts'
import { defaultPolicies } from '@countersign/policy'
import type { Logger } from '@countersign/platform'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { WhatIfLine } from './api/schemas.ts'
import { MemoryLog } from './testing/memory-log.ts'
import {
  approvalsIn,
  configFolder,
  decisionsIn,
  governanceIn,
  handClock,
  nodeOn,
  opened,
  OWNERS,
  runControl,
  tokenOf,
  until,
  type ConfigFolder,
  type Name,
} from './testing/running-control.ts'

/*
 * Policies change when somebody else has signed for them, and not otherwise.
 */

type Running = Awaited<ReturnType<typeof runControl>>

let log: MemoryLog
let folder: ConfigFolder
let time: ReturnType<typeof handClock>
let running: Running[] = []
const said: string[] = []

const logger: Logger = {
  info: () => {},
  warn: (message, facts) => said.push(`${message} ${JSON.stringify(facts)}`),
  error: (message, facts) => said.push(`${message} ${JSON.stringify(facts)}`),
}

const start = async (more: { changes?: 'files' | 'signatures'; policies?: string } = {}): Promise<Running> => {
  const control = await runControl(log, folder, { clock: time.clock, changes: 'signatures', logger, ...more })
  running.push(control)
  return control
}

const stop = async (control: Running) => {
  running = running.filter((each) => each !== control)
  await control.close()
}

beforeEach(() => {
  log = new MemoryLog()
  folder = configFolder()
  time = handClock()
  said.length = 0
})

afterEach(async () => {
  for (const control of running) await control.close()
  running = []
  folder.remove()
})

const SHIPPED = defaultPolicies()
const HOLD_DELETES = `@id("hold-deletes")
@effect("hold")
@approvers("owners")
@because("nobody deletes alone")
forbid (principal, action == Action::"delete", resource);
`
const WITH_HOLD = [...SHIPPED, { name: '50-deletes.cedar', text: HOLD_DELETES }]

const propose = (control: Running, by: Name, body: object = {}) =>
  control.post(by, '/api/v1/policies/proposals', { files: WITH_HOLD, reason: 'SEC-1', ...body })

const inForce = async () => {
  const decision = (await decisionsIn(log)).get('policy')
  if (decision?.type !== 'policy.in-force') throw new Error('no policy is in force')
  return decision.data
}

const published = async () =>
  (await governanceIn(log)).flatMap(({ type, data }) => (type === 'policy.published' ? [data] : []))

const storyOf = async (id: string) => (await approvalsIn(log, id)).map(({ type }) => type)

const sign = (control: Running, who: Name, { id, digest }: { id: string; digest: string }) =>
  control.vote(who, id, { vote: 'grant', digest })

describe('a proposed set of policies', () => {
  it('comes into force, as it was proposed, when somebody else signs', async () => {
    const control = await start()
    const before = await inForce()
    const { status, body } = await propose(control, 'ana')
    expect(status).toBe(200)
    expect(body).toMatchObject({
      kind: 'policy',
      phase: 'pending',
      requester: { id: 'ana' },
      reason: 'SEC-1',
      policyVersion: before.version,
      groups: [{ name: 'security', people: ['cy'] }],
      proposal: {
        base: before.version,
        changes: [{ id: 'hold-deletes', change: 'added', after: HOLD_DELETES.trim() }],
      },
    })
    expect(body.text).toContain('+ hold-deletes (50-deletes.cedar)')

    expect((await sign(control, 'ana', body)).body.error.code).toBe('own-request')
    expect((await sign(control, 'bo', body)).body.error.code).toBe('not-an-owner')
    expect((await inForce()).version).toBe(before.version)

    expect((await sign(control, 'cy', body)).body).toMatchObject({ phase: 'claimed' })
    expect(await inForce()).toMatchObject({ version: body.proposal.version, files: WITH_HOLD, owners: OWNERS })
    expect((await published()).at(-1)).toMatchObject({ by: 'ana', requestId: body.id, signedBy: ['cy'] })
    expect(await storyOf(body.id)).toEqual([
      'approval.policy-requested',
      'approval.vote-refused',
      'approval.vote-refused',
      'approval.voted',
      'approval.granted',
      'grant.used',
    ])
  })

  it('may be of owners alone, and shows which rules differ', async () => {
    const control = await start()
    const owners = 'demo/shop.* @security\n'
    const { body } = await propose(control, 'ana', { files: undefined, owners })
    expect(body.proposal).toMatchObject({
      changes: [],
      owners: {
        added: ['demo/shop.* @security'],
        removed: ['demo/shop.* @shop-owners', 'demo/shop.public.payments* @security'],
      },
    })
    await sign(control, 'cy', body)
    expect(await inForce()).toMatchObject({ owners, files: SHIPPED })
    expect((await control.get('ana', '/api/v1/owners')).body.text).toBe(owners)
    expect((await governanceIn(log)).filter(({ type }) => type === 'owner.assigned').at(-1)?.data).toMatchObject({
      by: 'ana',
    })
  })

  it('is of no effect when it is denied, taken back, or expires', async () => {
    const control = await start()
    const { version } = await inForce()
    const denied = (await propose(control, 'ana')).body
    await control.vote('cy', denied.id, { vote: 'deny', digest: denied.digest, reason: 'no' })
    const taken = (await propose(control, 'ana')).body
    await control.post('ana', `/api/v1/requests/${taken.id}/cancel`, {})
    const late = (await propose(control, 'ana')).body
    time.move(73 * 3_600)
    expect((await sign(control, 'cy', late)).body.error.code).toBe('expired')
    for (const { id, digest } of [denied, taken]) expect((await sign(control, 'cy', { id, digest })).status).toBe(409)
    expect((await inForce()).version).toBe(version)
    expect(await published()).toHaveLength(1)
  })

  it('is void when another came into force since', async () => {
    const control = await start()
    const first = (await propose(control, 'ana')).body
    const second = (await propose(control, 'fay', { files: undefined, owners: 'demo/shop.* @security\n' })).body
    await sign(control, 'cy', second)
    await until(async () => (await storyOf(first.id)).at(-1) === 'approval.voided')
    expect((await sign(control, 'cy', first)).status).toBe(409)
    expect((await inForce()).version).toBe(second.proposal.version)
  })

  it('is what was shown: a signature for other texts does not count', async () => {
    const control = await start()
    const { body } = await propose(control, 'ana')
    const other = await sign(control, 'cy', { id: body.id, digest: 'f'.repeat(64) })
    expect(other.body.error.code).toBe('other-statement')
  })

  it('proposed twice is one request', async () => {
    const control = await start()
    const [one, two] = [await propose(control, 'ana'), await propose(control, 'ana')]
    expect(one.body.id).toBe(two.body.id)
  })

  it.each<[string, Name, object, number, string]>([
    ['is proposed by people only', 'etl', {}, 403, 'not-a-person'],
    ['is not for agents, whoever they act for', 'copilot', {}, 403, 'not-a-person'],
    ['must compile', 'ana', { files: [{ name: 'a.cedar', text: 'permit (principal' }] }, 422, 'invalid-policy'],
    [
      'must fit the schema',
      'ana',
      { files: [{ name: 'a.cedar', text: '@id("a") permit (principal is Robot, action, resource);' }] },
      422,
      'invalid-policy',
    ],
    ['must have owners that can be read', 'ana', { owners: 'nonsense' }, 422, 'invalid-policy'],
    ['must be another one', 'ana', { files: SHIPPED }, 409, 'nothing-changes'],
    ['must be something', 'ana', { files: undefined }, 400, 'invalid-input'],
    ['says what it is for', 'ana', { reason: ' ' }, 400, 'invalid-input'],
    ['has one file of each name', 'ana', { files: [...WITH_HOLD, ...WITH_HOLD] }, 400, 'invalid-input'],
    ['lies in no other folder', 'ana', { files: [{ name: '../a.cedar', text: '' }] }, 400, 'invalid-input'],
  ])('%s', async (_, by, body, status, code) => {
    const control = await start()
    const answer = await propose(control, by, body)
    expect([answer.status, answer.body.error.code]).toEqual([status, code])
  })

  it('may be large, but not larger than that', async () => {
    const control = await start()
    const padded = (kilobytes: number) =>
      Array.from({ length: 10 }, (_, n) => ({ name: `z${n}.cedar`, text: `// ${'x'.repeat(kilobytes * 100)}\n` }))
    expect((await propose(control, 'ana', { files: [...WITH_HOLD, ...padded(500)] })).status).toBe(200)
    expect((await propose(control, 'ana', { files: [...WITH_HOLD, ...padded(2_500)] })).status).toBe(413)
  })

  it('is one of twenty an hour at most', async () => {
    const control = await start()
    const owners = (n: number) => ({ files: undefined, owners: `demo/shop.* @g${n}\n` })
    for (let n = 0; n < 20; n++) expect((await propose(control, 'ana', owners(n))).status).toBe(200)
    const answer = await propose(control, 'ana', owners(20))
    expect([answer.status, answer.body.error.code]).toEqual([429, 'too-many-proposals'])
    expect((await propose(control, 'fay', owners(20))).status).toBe(200)
    time.move(3_601)
    expect((await propose(control, 'ana', owners(21))).status).toBe(200)
  })

  it('is denied at once when nobody is there to sign', async () => {
    const control = await start()
    const { body } = await propose(control, 'cy')
    expect(body).toMatchObject({ phase: 'denied', endedBecause: 'no-approver' })
  })

  it('shows what is in force only to those who may read it', async () => {
    const control = await start()
    const changed = SHIPPED.map(({ name, text }) => ({
      name,
      text: text.replace('50 rows or more', '50 rows, or more'),
    }))
    const { id, proposal } = (await propose(control, 'ana', { files: changed })).body
    expect(proposal.changes).toMatchObject([{ id: 'hold-many-rows', change: 'changed' }])
    expect(proposal.changes[0].before).toBeUndefined()
    const seen = (await control.get('cy', `/api/v1/requests/${id}`)).body.proposal.changes[0]
    expect(seen.before).toContain('50 rows or more')
    expect(seen.after).toContain('50 rows, or more')
    expect((await control.get('fay', `/api/v1/requests/${id}`)).status).toBe(404)
  })
})

describe('what was signed for', () => {
  it('stays in force after a restart, whatever the files say', async () => {
    const first = await start()
    const { body } = await propose(first, 'ana')
    await sign(first, 'cy', body)
    await stop(first)
    writeFileSync(folder.owners, 'demo/shop.* @developers\n')
    const second = await start()
    expect(await inForce()).toMatchObject({ version: body.proposal.version, owners: OWNERS })
    expect((await second.get('ana', '/api/v1/owners')).body.text).toBe(OWNERS)
    expect(said.join('\n')).toMatch(/the files have no effect.*countersign policy publish/)
    expect(await published()).toHaveLength(2)
  })

  it('is put in force by whoever finds it granted, when the one that heard the vote is gone', async () => {
    const first = await start()
    const { body } = await propose(first, 'ana')
    log.closed.add(TOPICS.governance)
    expect((await sign(first, 'cy', body)).body.phase).toBe('granted')
    await stop(first)
    log.closed.clear()
    await start()
    await until(async () => (await storyOf(body.id)).at(-1) === 'grant.used')
    expect((await inForce()).version).toBe(body.proposal.version)
  })

  it('is not put in force when that comes too late', async () => {
    const first = await start()
    const { version } = await inForce()
    const { body } = await propose(first, 'ana')
    log.closed.add(TOPICS.governance)
    await sign(first, 'cy', body)
    await stop(first)
    log.closed.clear()
    time.move(20 * 60)
    await start()
    await until(async () => (await storyOf(body.id)).at(-1) === 'grant.expired')
    expect((await inForce()).version).toBe(version)
  })

  it('reaches a replica that did not hear the vote', async () => {
    const [one, other] = [await start(), await start()]
    const { body } = await propose(one, 'ana', { files: undefined, owners: 'demo/shop.* @security\n' })
    await sign(one, 'cy', body)
    await until(async () => (await other.get('ana', '/api/v1/owners')).body.text === 'demo/shop.* @security\n')
  })

  it('keeps files from deciding from then on, also where they did before', async () => {
    const control = await start({ changes: 'files' })
    writeFileSync(folder.owners, 'demo/shop.* @security\n')
    await until(async () => (await inForce()).owners === 'demo/shop.* @security\n')
    const { body } = await propose(control, 'ana')
    await sign(control, 'cy', body)
    writeFileSync(folder.owners, 'demo/shop.* @developers\n')
    await until(() => said.some((line) => line.includes('the files have no effect')))
    expect(await inForce()).toMatchObject({ version: body.proposal.version, owners: 'demo/shop.* @security\n' })
  })
})

describe('files', () => {
  it('are where a new log begins', async () => {
    mkdirSync(folder.at('policies'))
    writeFileSync(folder.at('policies/a.cedar'), '@id("all") permit (principal, action, resource);')
    await start({ policies: folder.at('policies') })
    expect((await inForce()).files).toHaveLength(1)
  })

  it('have no effect afterwards, and the log of the service says so', async () => {
    const control = await start()
    const { version } = await inForce()
    writeFileSync(folder.owners, 'demo/shop.* @developers\n')
    await until(() => said.some((line) => line.includes('the files have no effect')))
    expect((await inForce()).version).toBe(version)
    expect((await control.get('ana', '/api/v1/owners')).body.text).toBe(OWNERS)
    expect(await published()).toHaveLength(1)
  })
})

describe('what if', () => {
  const session = SessionId.parse(randomUUID())
  const statement = (sequence: number, verdict: 'allow' | 'hold', more: object): AccessEvent => ({
    type: 'statement.intended',
    data: {
      statementId: StatementId.parse(`${session}.${sequence}`),
      sessionId: session,
      sequence,
      protocol: 'simple',
      text: `statement ${sequence}`,
      textBytes: 3,
      digest: Digest.parse('a'.repeat(64)),
      shape: Digest.parse('a'.repeat(64)),
      actions: ['delete'],
      relations: [],
      readOnly: false,
      transaction: 'idle',
      verdict,
      policies: ['write'],
      policyVersion: 'p1',
      catalogueVersion: 'c1',
      at: time.clock(),
      ...more,
    },
  })
  const use = { kind: 'relation', schema: 'public', name: 'orders' }
  const deleting = {
    statement: 'DELETE',
    uses: [{ action: 'delete' as const, ...use, change: 'delete' as const, rows: 1 }],
  }
  const reading = { statement: 'SELECT', uses: [{ action: 'read' as const, ...use }] }

  const ask = async (control: Running, who: Name, body: object) => {
    const response = await fetch(`${control.url}/api/v1/policies/whatif`, {
      method: 'POST',
      headers: { authorization: `Bearer ${tokenOf(who)}`, 'content-type': 'application/json' },
      body: JSON.stringify({ files: WITH_HOLD, since: '2026-11-22T00:00:00.000Z', ...body }),
    })
    const lines = (await response.text())
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as WhatIfLine)
    return { status: response.status, lines: lines.filter(({ type }) => type !== 'progress') }
  }

  const record = async () => {
    const node = nodeOn(log, time.clock)
    await node.write(opened(session, node.worker, 'ana', time.clock()))
    await node.write(statement(1, 'allow', { facts: deleting }), statement(2, 'allow', { facts: reading }))
    await node.write(statement(3, 'hold', { facts: reading, policies: ['old-hold'] }), statement(4, 'allow', {}))
    time.move(1)
  }

  it('tells each verdict that would be another, what cannot be told, and a summary', async () => {
    const control = await start()
    await record()
    const { status, lines } = await ask(control, 'eve', {})
    expect(status).toBe(200)
    expect(lines).toMatchObject([
      {
        type: 'change',
        text: 'statement 1',
        principal: { id: 'ana' },
        outcome: 'stricter',
        before: { verdict: 'allow', policies: ['write'] },
        after: { verdict: 'hold', policies: ['hold-deletes'], because: 'nobody deletes alone' },
        facts: deleting,
      },
      {
        type: 'change',
        text: 'statement 3',
        outcome: 'looser',
        before: { verdict: 'hold' },
        after: { verdict: 'allow' },
      },
      {
        type: 'summary',
        complete: true,
        statements: 4,
        unchanged: 1,
        stricter: 1,
        looser: 1,
        untold: 1,
        policies: [
          { policy: 'hold-deletes', stricter: 1, looser: 0 },
          { policy: 'old-hold', stricter: 0, looser: 1 },
        ],
        principals: [{ principal: 'ana', stricter: 1, looser: 1 }],
      },
    ])
  })

  it('keeps to the time that was asked for', async () => {
    const control = await start()
    await record()
    for (const range of [
      { since: '2026-11-22T12:00:00.001Z' },
      { since: '2026-11-21T12:00:00.000Z', until: '2026-11-22T12:00:00.000Z' },
    ]) {
      expect((await ask(control, 'eve', range)).lines).toMatchObject([{ type: 'summary', statements: 0 }])
    }
  })

  it('is attached to a proposal, for approvers to see', async () => {
    const control = await start()
    await record()
    const { body } = await propose(control, 'ana')
    expect(body.proposal.replayed).toMatchObject({ complete: true, statements: 4, stricter: 1, looser: 1, untold: 1 })
  })

  it.each<[Name, number]>([
    ['eve', 200],
    ['dee', 200],
    ['cy', 200],
    ['bo', 403],
    ['ana', 403],
    ['copilot', 403],
  ])('is for auditors, SREs and those who sign for policies: %s %i', async (who, status) => {
    const control = await start()
    expect((await ask(control, who, {})).status).toBe(status)
  })

  it('is refused for policies that do not compile, with the place', async () => {
    const control = await start()
    const { status, lines } = await ask(control, 'eve', { files: [{ name: 'a.cedar', text: '\npermit (' }] })
    expect([status, JSON.stringify(lines)]).toEqual([422, expect.stringContaining('a.cedar:2')])
  })
})
