import { afterEach, describe, expect, it } from 'vitest'
import { startFakeApi, type Answer, type Call, type FakeApi } from '../testing/fake-api.ts'
import { runCli } from '../testing/run-cli.ts'

let api: FakeApi | undefined
afterEach(() => api?.close())

const run = async (args: readonly string[], answer: (call: Call) => Answer) => {
  api = await startFakeApi(answer)
  return runCli(args, { env: { COUNTERSIGN_API: api.origin, COUNTERSIGN_TOKEN: 'cs_cy' } })
}

const ANA = {
  principalId: 'ana',
  because: '10 of its statements were denied within 10 minutes',
  attempts: ['01a1f83b-f806-7c3a-85f1-d29e4b7a6081.4'],
  since: '2026-11-22T11:58:00.000Z',
  until: '2026-11-22T12:28:00.000Z',
}

describe('restrictions ls', () => {
  it('shows who may do nothing, since when and until when', async () => {
    const { out, code } = await run(['restrictions', 'ls'], () => ({ body: { restrictions: [ANA] } }))
    expect(code).toBe(0)
    expect(out.split('\n')[0]).toMatch(/^WHO +SINCE +ENDS +BECAUSE$/)
    expect(out.split('\n')[1]).toMatch(/^ana +2026-.* in 28 min +10 of its statements were denied within 10 minutes$/)
    expect(api?.calls).toMatchObject([{ method: 'GET', path: '/api/v1/restrictions', token: 'Bearer cs_cy' }])
  })

  it('says when there is nobody, and gives programs what was sent', async () => {
    expect((await run(['restrictions'], () => ({ body: { restrictions: [] } }))).out).toBe('nobody is restricted')
    await api?.close()
    const { out } = await run(['restrictions', 'ls', '--json'], () => ({
      body: { restrictions: [{ ...ANA, more: 1 }] },
    }))
    expect(JSON.parse(out)).toEqual({ restrictions: [{ ...ANA, more: 1 }] })
  })
})

describe('restrictions lift', () => {
  it('lifts it, for a reason, whatever the principal is called', async () => {
    const { out, code } = await run(['restrictions', 'lift', 'ops/a b', '--reason', 'a drill'], () => ({
      body: { ...ANA, principalId: 'ops/a\u001bb' },
    }))
    expect([code, out]).toEqual([0, 'lifted: ops/a\\u001bb may sign in again'])
    expect(api?.calls).toMatchObject([
      { method: 'POST', path: '/api/v1/restrictions/ops%2Fa%20b/lift', body: { reason: 'a drill' } },
    ])
  })

  it('ends with 4 where one may not', async () => {
    const error = { code: 'forbidden', message: 'nobody lifts their own restriction' }
    const { code, err } = await run(['restrictions', 'lift', 'ana', '--reason', 'x'], () => ({
      status: 403,
      body: { error },
    }))
    expect([code, err]).toEqual([4, 'countersign: nobody lifts their own restriction'])
  })

  it.each([
    [['restrictions', 'lift'], 'needs the name of a principal'],
    [['restrictions', 'lift', 'ana'], 'needs a --reason'],
    [['restrictions', 'lift', 'ana', 'bo', '--reason', 'x'], 'too much: `bo`'],
    [['restrictions', 'drop', 'ana'], 'there is no `restrictions drop`'],
    [['restrictions', 'ls', 'ana'], 'too much: `ana`'],
  ])('%j is wrong usage', async (args, why) => {
    const { code, err } = await run(args, () => ({ body: {} }))
    expect([code, api?.calls]).toEqual([2, []])
    expect(err).toContain(why)
  })
})
