import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startFakeApi, type Answer, type FakeApi } from '../testing/fake-api.ts'
import { runCli } from '../testing/run-cli.ts'

let folder: string
let api: FakeApi | undefined

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cs-whatif-'))
  writeFileSync(join(folder, 'a.cedar'), '@id("all") permit (principal, action, resource);\n')
})
afterEach(async () => {
  await api?.close()
  api = undefined
  rmSync(folder, { recursive: true })
})

const run = async (args: readonly string[], answer: Answer) => {
  api = await startFakeApi(() => answer)
  return runCli(['whatif', folder, ...args], { env: { COUNTERSIGN_API: api.origin, COUNTERSIGN_TOKEN: 'cs_eve' } })
}

const change = {
  type: 'change',
  statementId: 'x',
  at: '2026-11-22T10:00:00.000Z',
  principal: { id: 'copilot', kind: 'agent', onBehalfOf: 'ana' },
  target: { environment: 'demo', database: 'shop' },
  text: 'delete\nfrom orders \u001b[2J',
  outcome: 'stricter',
  before: { verdict: 'allow', policies: ['write'] },
  after: { verdict: 'hold', policies: ['hold-all'], because: 'x' },
}
const summary = {
  type: 'summary',
  since: '2026-11-15T12:00:00.000Z',
  until: '2026-11-22T12:00:00.000Z',
  complete: true,
  statements: 1_204,
  unchanged: 1_200,
  stricter: 1,
  looser: 0,
  untold: 3,
  policies: [{ policy: 'hold-all', stricter: 1, looser: 0 }],
  principals: [{ principal: 'copilot', stricter: 1, looser: 0 }],
}
const lines =
  (...all: readonly object[]) =>
  (response: ServerResponse) =>
    void response
      .writeHead(200, { 'content-type': 'application/x-ndjson' })
      .end(all.map((line) => `${JSON.stringify(line)}\n`).join(''))

describe('whatif', () => {
  it('shows each changed verdict and a summary; progress goes elsewhere', async () => {
    const progress = { type: 'progress', statements: 500, at: '2026-11-16T12:00:00.000Z' }
    const { code, out, err } = await run([], lines(progress, change, summary))
    expect(code).toBe(0)
    const [first, second, ...rest] = out.split('\n')
    expect(first).toMatch(
      /^stricter {2}2026-11-22 .* {2}copilot for ana {2}demo\/shop {2}allow → hold {2}hold-all {2}delete from orders \\u001b\[2J$/,
    )
    expect(second).toMatch(/^1 stricter, 0 looser, 1,200 unchanged, 3 cannot be told, of 1,204 statements from/)
    expect(rest).toEqual(['  hold-all: 1 stricter', '  copilot: 1 stricter'])
    expect(err).toMatch(/^500 statements, up to 2026-11-16/)
    expect(api?.calls).toMatchObject([{ body: { since: '2026-11-15T12:00:00.000Z', files: [{ name: 'a.cedar' }] } }])
  })

  it('passes on with --json what the API sent, without progress', async () => {
    const sent = { ...change, later: 'field' }
    const { out } = await run(['--json'], lines({ type: 'progress', statements: 1, at: change.at }, sent, summary))
    expect(out.split('\n').map((line) => JSON.parse(line) as unknown)).toEqual([sent, summary])
  })

  it.each([
    ['30d', '2026-10-23T12:00:00.000Z'],
    ['12h', '2026-11-22T00:00:00.000Z'],
    ['2026-11-01', '2026-11-01T00:00:00.000Z'],
    ['2026-11-01T10:00:00+02:00', '2026-11-01T08:00:00.000Z'],
  ])('reads --since %s', async (since, expected) => {
    await run(['--since', since, '--until', '1m'], lines(summary))
    expect(api?.calls).toMatchObject([{ body: { since: expected, until: '2026-11-22T11:59:00.000Z' } }])
  })

  it('fails when it ends before the summary, or the service says so', async () => {
    expect(await run([], lines(change))).toMatchObject({ code: 1, err: expect.stringContaining('before the summary') })
    await api?.close()
    expect(await run([], lines({ type: 'failed', message: 'the log is away' }))).toMatchObject({
      code: 1,
      err: expect.stringContaining('the log is away'),
    })
  })

  it.each(['yesterday', '30', 'd', '-1d', '2026-99-01'])('does not take --since=%s', async (since) =>
    expect(await run([`--since=${since}`], lines(summary))).toMatchObject({ code: 2 }),
  )

  it('ends with 4 for those who may not', async () => {
    const fault = { error: { code: 'forbidden', message: 'you may not replay what others did' } }
    expect(await run([], { status: 403, body: fault })).toMatchObject({ code: 4 })
  })
})
