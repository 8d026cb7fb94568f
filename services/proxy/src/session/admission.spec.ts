import {
  Blast,
  type CredentialId,
  type Principal,
  type RequestId,
  type SessionId,
  type WorkerId,
} from '@countersign/contracts'
import { memoryLog } from '@countersign/testing'
import { v7 as uuidv7 } from 'uuid'
import { beforeEach, describe, expect, it } from 'vitest'
import { Recorder } from '../record/recorder.ts'
import type { Judgement, TransactionStatus } from '../statement/judgement.ts'
import { StatementRefusedError } from '../statement/refusal.ts'
import { AT } from '../testing/decisions.ts'
import { HeldLog } from '../testing/held-log.ts'
import { Admission, type Ask } from './admission.ts'
import type { Identity } from './identity.ts'
import { StatementAccount } from './statement-account.ts'

class Account extends StatementAccount<Judgement> {
  readonly status: TransactionStatus = 'idle'
  readonly reason = undefined
  readonly ticket = undefined
}

let log: HeldLog
let recorder: Recorder
let admission: Admission<Judgement>

beforeEach(() => {
  log = new HeldLog(memoryLog())
  const keys = { seal: () => ({ keyId: 'k', iv: '', tag: '', data: '' }) }
  recorder = new Recorder({
    log: log.log,
    worker: WORKER,
    keys,
    newId: uuidv7,
    now: () => AT,
  })
  admission = new Admission({
    identity: IDENTITY,
    account: new Account(IDENTITY, recorder),
    recorder,
    holds: {
      requestFor: () => ({ requestId: REQUEST, known: undefined, isNew: true }),
      answer: async () => ({ granted: REQUEST, rows: undefined }),
    },
    notice: () => undefined,
    notUnderstood: () => HELD,
    prepare: async () => undefined,
  })
})

/** Judged as held at first, and then, when it was approved, like this. */
const judgedThen = (again: Ask<Judgement>): Ask<Judgement> => {
  let judged = 0
  return async (signal) => (judged++ === 0 ? [HELD] : again(signal))
}

const admit = (ask: Ask<Judgement>) =>
  admission.admit({ sql: 'drop it', text: Buffer.from('drop it'), protocol: 'simple', received: 0 }, ask)

const settlements = async () => {
  await recorder.flushed()
  return log.of('statement.settled').map(({ outcome, sqlstate }) => `${outcome} ${sqlstate ?? ''}`)
}

describe('what was approved and is looked at again', () => {
  it('may run when it is still the same', async () => {
    const { executions } = await admit(judgedThen(async () => [HELD]))
    expect(executions).toHaveLength(1)
    expect(await settlements()).toEqual([])
  })

  it('is settled as refused when it cannot be understood any more', async () => {
    const refusal = new StatementRefusedError('57P03', 'the schema cannot be read')
    await expect(admit(judgedThen(async () => Promise.reject(refusal)))).rejects.toBe(refusal)
    expect(await settlements()).toEqual(['refused 57P03'])
  })

  it('is settled as withdrawn when its client takes it back meanwhile', async () => {
    const taken = judgedThen(async () => {
      admission.abort('cancelled')
      return [HELD]
    })
    await expect(admit(taken)).rejects.toMatchObject({ sqlstate: '57014' })
    expect(await settlements()).toEqual(['withdrawn 57014'])
  })

  it('is settled as refused when it would touch something else', async () => {
    const other = judgedThen(async () => [{ ...HELD, relations: [{ name: 'public.other', actions: ['drop'] }] }])
    await expect(admit(other)).rejects.toMatchObject({ sqlstate: 'ZA003' })
    expect(await settlements()).toEqual(['refused ZA003'])
  })
})

describe('what was approved with what it would reach', () => {
  const shown = { name: 'public.it', effect: 'drops', lock: 'SHARE', rows: { rows: 3, exact: true } }
  const reaching = (changes: object, more: object = {}): Judgement => ({
    ...HELD,
    blast: Blast.parse({
      summary: '',
      relations: [{ ...shown, ...changes }],
      dependents: [],
      stops: [],
      unknown: [],
      ...more,
    }),
  })
  const admitThen = (now: Judgement) => {
    let judged = 0
    return admit(async () => [judged++ === 0 ? reaching({}) : now])
  }

  it('runs when it reaches that or less', async () => {
    expect((await admitThen(reaching({}))).executions).toHaveLength(1)
    expect((await admitThen(reaching({ rows: { rows: 1, exact: true } }))).executions).toHaveLength(1)
  })

  it.each<[string, Judgement]>([
    ['more rows than were approved: public.it (more-rows)', reaching({ rows: { rows: 4, exact: true } })],
    ['something that was not approved: public.other (wider-reach)', reaching({ name: 'public.other' })],
    ['lock more strongly than was approved: public.it (stronger-lock)', reaching({ lock: 'ACCESS EXCLUSIVE' })],
    ['which was not approved: public.it (new-rewrite)', reaching({ rewrites: true })],
    [
      'something that was not approved: view public.v (wider-reach)',
      reaching({}, { dependents: [{ kind: 'view', name: 'public.v', cascade: true }] }),
    ],
    ['what it reaches is not known any more (wider-reach)', HELD],
  ])('is settled as refused when it would reach %s', async (message, now) => {
    await expect(admitThen(now)).rejects.toMatchObject({ sqlstate: 'ZA003', message: expect.stringContaining(message) })
    expect(await settlements()).toEqual(['refused ZA003'])
  })
})

const WORKER = 'node-1/w0/boot' as WorkerId
const REQUEST = 'rq_0123456789' as RequestId

const IDENTITY: Identity = {
  sessionId: '0192f7a0-0000-7000-8000-000000000001' as SessionId,
  principal: { id: 'ana', kind: 'person', groups: [] } as unknown as Principal,
  credentialId: 'c1' as CredentialId,
  target: { environment: 'prod', database: 'shop' },
  role: 'app',
  processId: 7,
  application: '',
  holdSeconds: 30,
  now: () => AT,
  clock: () => performance.now(),
}

const HELD: Judgement = {
  tag: 'DROP TABLE',
  hidden: undefined,
  span: undefined,
  actions: ['drop'],
  relations: [{ name: 'public.it', actions: ['drop'] }],
  readOnly: false,
  shape: 'a'.repeat(64),
  verdict: 'hold',
  policies: ['rule'],
  policyVersion: 'p1',
  catalogueVersion: 'c1',
  approvers: ['owners'],
  quorum: 1,
  because: 'the rule says so',
  advice: undefined,
  rows: undefined,
  counts: false,
  replacement: undefined,
  sensitive: false,
  touches: [],
}
