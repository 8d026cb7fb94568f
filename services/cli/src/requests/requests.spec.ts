import { afterEach, describe, expect, it } from 'vitest'
import { startFakeApi, type Answer, type Call, type FakeApi } from '../testing/fake-api.ts'
import { runCli } from '../testing/run-cli.ts'

let api: FakeApi | undefined
afterEach(() => api?.close())

describe('requests ls', () => {
  it('shows what waits, a line each, and cannot be steered by a statement', async () => {
    const { out, code } = await run(['requests', 'ls'], () => page(request({ text: 'drop\u001b[2J table customers' })))
    expect(code).toBe(0)
    expect(out.split('\n')[0]).toMatch(/^ID +PHASE +SINCE +WHO +WHERE +STATEMENT$/)
    expect(out.split('\n')[1]).toMatch(
      /^rq_0000000001 +waits, ends in 30 s +2026-.* copilot for ana +demo\/shop +drop\\u001b\[2J table customers$/,
    )
    expect(api?.calls[0]).toMatchObject({ path: '/api/v1/requests?phase=pending&limit=50', token: 'Bearer cs_bo' })
  })

  it('shows those that are decided with --all, and says when there is nothing', async () => {
    expect((await run(['requests', 'ls', '--all', '--limit', '7'], () => page())).out).toBe('there are no requests')
    expect(api?.calls[0]?.path).toBe('/api/v1/requests?limit=7')
    expect((await run(['requests'], () => page())).out).toBe('nothing waits')
  })

  it('passes on with --json what the API sent, unknown fields included', async () => {
    const sent = page(request({ later: 'field' }))
    const { out } = await run(['requests', 'ls', '--json'], () => sent)
    expect(JSON.parse(out)).toEqual(sent.body)
  })
})

describe('requests show', () => {
  it('shows everything that one signs, the statement whole', async () => {
    const { out } = await run(['requests', 'show', ID], () => ({ body: request({ text: 'delete\n  from orders' }) }))
    expect(out).toContain('who         copilot for ana (agent, agents)')
    expect(out).toContain('does        delete public.orders')
    expect(out).toContain('rows        12,000')
    expect(out).toContain('needs       2 of: shop-owners (bo, cy) and security (cy)')
    expect(out).toContain(`digest      ${DIGEST}`)
    expect(out).toContain('    delete\n      from orders')
  })

  it('shows what it would reach, and cannot be steered by a row of it', async () => {
    const { out } = await run(['requests', 'show', ID], () => ({ body: request({ blast: BLAST }) }))
    expect(out).toContain('reaches     deletes 3 rows of public.customers; 41 rows of public.orders go with them')
    expect(out).toMatch(/^ {4}RELATION +EFFECT +ROWS +LOCK +THROUGH$/m)
    expect(out).toMatch(/^ {4}public\.orders +deletes +41 +ROW EXCLUSIVE +foreign key orders_customer_id_fkey$/m)
    expect(out).toMatch(/^ {4}public\.big +alters, writes all of it +about 1,000,000 +ACCESS EXCLUSIVE$/m)
    expect(out).toMatch(/^drops with it\n {4}view public\.seen$/m)
    expect(out).toContain('and 7 relations and 0 objects more')
    expect(out).toMatch(
      /^first rows of public\.customers, masked\n {4}id +email\n {4}1 +a\*\*\*@e\*\*\*\.com\n {4}2 +NULL\n {4}3 +\\u001b\[2J$/m,
    )
    const { out: json } = await run(['requests', 'show', ID, '--json'], () => ({ body: request({ blast: BLAST }) }))
    expect(JSON.parse(json)).toMatchObject({ blast: { ...BLAST, later: 'field' } })
  })

  it.each([
    ['pending', 3],
    ['granted', 0],
    ['claimed', 0],
    ['denied', 4],
    ['expired', 5],
    ['withdrawn', 1],
    ['voided', 1],
  ])('ends with the phase %s as %d when asked to', async (phase, code) => {
    const answer = () => ({ body: request({ phase }) })
    expect((await run(['requests', 'show', ID, '--exit-status'], answer)).code).toBe(code)
    expect((await run(['requests', 'show', ID], answer)).code).toBe(0)
  })
})

describe('requests approve', () => {
  it('shows the statement, and signs for the digest that it showed', async () => {
    const { out, code } = await run(['requests', 'approve', ID, '--reason', 'agreed'], (call) => ({
      body: request({ phase: call.method === 'POST' ? 'claimed' : 'pending' }),
    }))
    expect(code).toBe(0)
    expect(out).toContain('    drop table customers')
    expect(out).toMatch(/granted: it runs now$/)
    expect(api?.calls.at(-1)).toMatchObject({
      method: 'POST',
      path: `/api/v1/requests/${ID}/votes`,
      body: { vote: 'grant', digest: DIGEST, channel: 'cli', reason: 'agreed' },
    })
  })

  it('says how many signatures are still missing', async () => {
    const signed = request({ signatures: [{ person: 'bo', voter: 'bo', vote: 'grant', at: AT }] })
    const { out } = await run(['requests', 'approve', ID], ({ method }) => ({
      body: method === 'POST' ? signed : request(),
    }))
    expect(out).toMatch(/signed: 1 of 2; rq_0000000001 waits for the others$/)
  })

  it('asks control even when it was told that the signature will not count: a refused one is evidence', async () => {
    const { err, code } = await run(['requests', 'approve', ID], ({ method }) =>
      method === 'POST'
        ? refusal(403, 'own-request', 'you asked for this yourself')
        : { body: request({ you: { canSign: false, message: 'you asked for this yourself', canCancel: true } }) },
    )
    expect(code).toBe(4)
    expect(err).toBe('countersign: you asked for this yourself: ask an owner')
    expect(api?.calls.at(-1)?.method).toBe('POST')
  })

  it('ends with 5 when it came too late', async () => {
    const { code } = await run(['requests', 'approve', ID], ({ method }) =>
      method === 'POST' ? refusal(410, 'expired', 'the request has expired') : { body: request() },
    )
    expect(code).toBe(5)
  })

  it('takes the beginning of an id, among those that are open first', async () => {
    const ids = ['rq_ab00000001', 'rq_ac00000002', 'rq_zz00000003']
    const answer = ({ path, method }: Call): Answer => {
      if (method === 'POST') return { body: request({ phase: 'granted', usableUntil: AT }) }
      if (path.includes('/requests/')) return { body: request({ id: path.split('/').at(-1) }) }
      return path.includes('phase=pending')
        ? page(...ids.map((id) => request({ id })))
        : page(request({ id: 'rq_ab00000009' }))
    }
    expect((await run(['requests', 'approve', 'ab'], answer)).code).toBe(0)
    expect(api?.calls.at(-1)?.path).toBe('/api/v1/requests/rq_ab00000001/votes')
    const several = await run(['requests', 'approve', 'rq_a'], answer)
    expect(several.err).toBe('countersign: several requests begin with `rq_a`: rq_ab00000001, rq_ac00000002')
    expect(several.code).toBe(1)
    expect((await run(['requests', 'approve', 'q'], answer)).err).toBe('countersign: no request begins with `q`')
  })

  it('looks through every page for it', async () => {
    const { code } = await run(['requests', 'show', 'zz'], ({ path }) => {
      if (path.includes('/requests/')) return { body: request({ id: 'rq_zz00000003' }) }
      if (!path.includes('cursor')) return { body: { requests: [request()], next: 'a b' } }
      return page(request({ id: 'rq_zz00000003' }))
    })
    expect(code).toBe(0)
    expect(api?.calls[1]?.path).toContain('cursor=a%20b')
  })
})

describe('requests deny and cancel', () => {
  it('needs a reason to deny', async () => {
    const { err, code } = await run(['requests', 'deny', ID], () => ({ body: request() }))
    expect([code, err.split('\n')[0]]).toEqual([2, 'countersign: a denial needs a --reason'])
    expect(api?.calls).toEqual([])
  })

  it('sends the denial and its reason', async () => {
    const { out } = await run(['requests', 'deny', ID, '--reason', 'not today'], ({ method }) => ({
      body: request({ phase: method === 'POST' ? 'denied' : 'pending' }),
    }))
    expect(out).toMatch(/denied: copilot is told so$/)
    expect(api?.calls.at(-1)?.body).toMatchObject({ vote: 'deny', reason: 'not today' })
  })

  it('takes a request back', async () => {
    const { out } = await run(['requests', 'cancel', ID], ({ method }) => ({
      body: request({ phase: method === 'POST' ? 'withdrawn' : 'pending' }),
    }))
    expect(out).toBe('withdrawn: rq_0000000001 will not run')
    expect(api?.calls.at(-1)?.path).toBe(`/api/v1/requests/${ID}/cancel`)
  })
})

describe('an API that does not do its part', () => {
  it('is told apart: not there, not for you, not understood', async () => {
    const gone = await runCli(['requests', 'ls'], {
      env: { COUNTERSIGN_API: 'http://127.0.0.1:1', COUNTERSIGN_TOKEN: 't' },
    })
    expect(gone.err).toMatch(/^countersign: http:\/\/127.0.0.1:1 does not answer: is the system running\?/)
    const wrong = await run(['requests', 'ls', '--json'], () =>
      refusal(401, 'unauthenticated', 'nobody has this token'),
    )
    expect(JSON.parse(wrong.err)).toEqual({
      error: { code: 'CLI_API_REFUSED', message: 'nobody has this token: ask an owner' },
    })
    const other = await run(['requests', 'ls'], () => ({ body: { requests: [{ id: 7 }] } }))
    expect(other.err).toMatch(
      /^countersign: the API's answer to \/requests.* is of another version \(at `requests.0.id`\)$/,
    )
    expect([gone.code, wrong.code, other.code]).toEqual([1, 1, 1])
  })
})

const ID = 'rq_0000000001'
const DIGEST = 'ab'.repeat(32)
const AT = '2026-11-22T12:00:00.000Z'

const request = (changes: object = {}) => ({
  id: ID,
  phase: 'pending',
  mode: 'rerun',
  requester: { id: 'copilot', kind: 'agent', person: 'ana', onBehalfOf: 'ana', groups: ['agents'] },
  target: { environment: 'demo', database: 'shop' },
  role: 'shop_agent',
  text: 'drop table customers',
  digest: DIGEST,
  actions: ['delete'],
  relations: [{ name: 'public.orders', actions: ['delete'] }],
  rows: { rows: 12_000, exact: true },
  because: 'it drops a table',
  groups: [
    { name: 'shop-owners', people: ['bo', 'cy'] },
    { name: 'security', people: ['cy'] },
  ],
  quorum: 2,
  signatures: [],
  requestedAt: AT,
  expiresAt: '2026-11-22T12:00:30.000Z',
  you: { canSign: true, canCancel: false },
  ...changes,
})

const BLAST = {
  summary: 'deletes 3 rows of public.customers; 41 rows of public.orders go with them',
  relations: [
    { name: 'public.customers', effect: 'deletes', rows: { rows: 3, exact: true }, lock: 'ROW EXCLUSIVE' },
    {
      name: 'public.orders',
      effect: 'deletes',
      through: 'foreign key orders_customer_id_fkey',
      rows: { rows: 41, exact: true },
      lock: 'ROW EXCLUSIVE',
    },
    {
      name: 'public.big',
      effect: 'alters',
      rows: { rows: 1_000_000, exact: false },
      lock: 'ACCESS EXCLUSIVE',
      rewrites: true,
    },
  ],
  dependents: [{ kind: 'view', name: 'public.seen', cascade: true }],
  stops: [],
  unknown: [],
  more: { relations: 7, dependents: 0, digest: 'd' },
  sample: {
    relation: 'public.customers',
    columns: ['id', 'email'],
    rows: [
      ['1', 'a***@e***.com'],
      ['2', null],
      ['3', '\u001b[2J'],
    ],
  },
  later: 'field',
}

const page = (...requests: object[]) => ({ body: { requests } })

const refusal = (status: number, code: string, message: string) => ({
  status,
  body: { error: { code, message, remedy: 'ask an owner' } },
})

const run = async (args: readonly string[], answer: (call: Call) => Answer) => {
  await api?.close()
  api = await startFakeApi(answer)
  return runCli(args, { env: { COUNTERSIGN_API: api.origin, COUNTERSIGN_TOKEN: 'cs_bo' } })
}
