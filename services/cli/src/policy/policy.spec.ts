import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { policySetDigest } from '@countersign/policy'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startFakeApi, type Answer, type Call, type FakeApi } from '../testing/fake-api.ts'
import { runCli } from '../testing/run-cli.ts'

let folder: string
let api: FakeApi | undefined

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cs-policy-'))
})
afterEach(async () => {
  await api?.close()
  api = undefined
  rmSync(folder, { recursive: true })
})

const PERMIT = '@id("all") permit (principal, action, resource);\n'
const HOLD =
  '@id("hold") @effect("hold") @approvers("owners") forbid (principal, action == Action::"drop", resource);\n'
const OWNERS = 'demo/shop.* @shop-owners\n'

const write = (files: Readonly<Record<string, string>>): string => {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  return folder
}

const run = async (args: readonly string[], answer?: (call: Call) => Answer) => {
  if (answer) api = await startFakeApi(answer)
  return runCli(args, { env: api ? { COUNTERSIGN_API: api.origin, COUNTERSIGN_TOKEN: 'cs_ana' } : {} })
}

describe('policy check', () => {
  it('says that nothing is wrong', async () => {
    const { code, out } = await run(['policy', 'check', write({ 'a.cedar': PERMIT, DATAOWNERS: OWNERS })])
    expect([code, out]).toEqual([0, `${folder}: 1 files and owners, no faults`])
  })

  it('says all that is wrong, with file, line and remedy', async () => {
    write({
      'a.cedar': `${PERMIT}\n@id("b") permit (principal, action, resource) when { context.rowz };\npermit (principal, action, resource);`,
      'b.cedar': 'permit (',
      'c.cedar': `// again\n${PERMIT}`,
      DATAOWNERS: `${OWNERS}nonsense\n\ndemo/shop.x bo\n`,
    })
    const { code, err } = await run(['policy', 'check', folder])
    const places = err.split('\n').flatMap((line) => /^\S+\/(\w[\w.]*:\d+): /.exec(line)?.[1] ?? [])
    expect(places).toEqual(['DATAOWNERS:2', 'DATAOWNERS:4', 'a.cedar:3', 'a.cedar:4', 'b.cedar:1', 'c.cedar:2'])
    expect(err).toContain('countersign policy schema')
    expect(err).toMatch(/6 faults$/)
    expect(code).toBe(1)
    const json = JSON.parse((await run(['policy', 'check', folder, '--json'])).out) as { ok: boolean; errors: object[] }
    expect(json).toMatchObject({
      ok: false,
      errors: [{ code: 'OWNERS_SYNTAX', line: 2 }, {}, { code: 'POLICY_SCHEMA' }, {}, {}, {}],
    })
  })

  it.each([
    ['a folder that is not there', 'none', /none: cannot be read/],
    ['a folder that holds nothing', 'empty', /empty: holds neither .cedar files nor DATAOWNERS/],
  ])('fails for %s', async (_, name, message) => {
    mkdirSync(join(folder, 'empty'))
    const { code, err } = await run(['policy', 'check', join(folder, name)])
    expect([code, err]).toEqual([1, expect.stringMatching(message)])
  })
})

describe('policy test', () => {
  const CASES = `cases:
  - name: dropping waits
    principal: { id: ana, kind: person, groups: [developers] }
    target: demo/shop
    facts: { statement: DROP TABLE, uses: [{ action: drop, kind: relation, schema: public, name: orders }] }
    expect: { verdict: hold, policies: [hold] }
`

  it('passes', async () => {
    const { code, out } = await run(['policy', 'test', write({ 'a.cedar': PERMIT + HOLD, 'a.test.yaml': CASES })])
    expect([code, out]).toEqual([0, '1 cases, 0 failed'])
  })

  it('fails with the place and the difference, and in JSON as well', async () => {
    write({
      'a.cedar': PERMIT,
      'a.test.yaml': CASES,
      'b.test.json': '{"cases":[{"name":"by text","sql":"drop table orders","expect":"hold"}]}',
    })
    const { code, out, err } = await run(['policy', 'test', folder])
    expect([code, out]).toEqual([1, '2 cases, 2 failed'])
    expect(err).toContain(`${folder}/a.test.yaml:2: dropping waits\n    verdict: expected hold, got allow by all`)
    expect(err).toMatch(/b\.test\.json:1: by text\n {4}sql: a text is understood only where its names are/)
    const json = JSON.parse((await run(['policy', 'test', folder, '--json'])).out) as object
    expect(json).toMatchObject({ ok: false, cases: 2, failed: 2, results: [{ name: 'dropping waits' }, {}] })
  })

  it('fails where there are no cases, cases that cannot be read, or policies that do not compile', async () => {
    write({ 'a.cedar': PERMIT })
    expect((await run(['policy', 'test', folder])).err).toMatch(/holds no cases/)
    write({ 'a.test.yaml': 'cases: [' })
    expect((await run(['policy', 'test', folder])).err).toMatch(/a\.test\.yaml:1: cannot be read/)
    write({ 'a.cedar': 'permit (' })
    expect((await run(['policy', 'test', folder])).err).toMatch(/a\.cedar:1: /)
  })
})

describe('policy diff', () => {
  const inForce = ({ path }: Call): Answer => ({
    body: path.endsWith('owners')
      ? { text: OWNERS, groups: [] }
      : { version: 'x', files: [{ name: 'a.cedar', text: PERMIT }], at: '2026-11-22T12:00:00.000Z' },
  })

  it('names what differs, and both digests', async () => {
    write({ 'a.cedar': `${PERMIT}\n${HOLD}`, DATAOWNERS: `${OWNERS}demo/shop.x @bo\n` })
    const { code, out } = await run(['policy', 'diff', folder], inForce)
    expect(code).toBe(0)
    expect(out).toContain(policySetDigest([{ name: 'a.cedar', text: PERMIT }], OWNERS))
    expect(out).toContain(
      policySetDigest([{ name: 'a.cedar', text: `${PERMIT}\n${HOLD}` }], `${OWNERS}demo/shop.x @bo\n`),
    )
    expect(out).toMatch(/\+ hold {2}\(a\.cedar\)\n\+ DATAOWNERS {2}demo\/shop\.x @bo$/)
  })

  it('shows texts, and ends with 1 when asked to', async () => {
    write({ 'a.cedar': PERMIT.replace('all', 'every') })
    const { code, out } = await run(['policy', 'diff', folder, '--texts', '--exit-status'], inForce)
    expect(code).toBe(1)
    expect(out).toMatch(/- all {2}\(a\.cedar\)\n {2}- @id\("all"\) permit/)
    expect(out).toMatch(/\+ every {2}\(a\.cedar\)\n {2}\+ @id\("every"\) permit/)
  })

  it('takes what the folder does not hold as it is in force', async () => {
    const { code, out } = await run(['policy', 'diff', write({ DATAOWNERS: OWNERS }), '--exit-status'], inForce)
    expect([code, out]).toEqual([0, expect.stringMatching(/they are the same$/)])
  })
})

describe('policy publish', () => {
  const proposal = {
    version: 'b'.repeat(16),
    base: 'a'.repeat(16),
    changes: [{ id: 'hold', file: 'a.cedar', change: 'added', after: HOLD.trim() }],
    owners: { added: [], removed: [] },
  }
  const request = (phase: string, more: object = {}) => ({
    id: 'rq_0000000001',
    kind: 'policy',
    phase,
    requester: { id: 'ana', kind: 'person', groups: ['developers'] },
    text: 'policy',
    digest: 'd'.repeat(64),
    proposal,
    actions: [],
    relations: [],
    because: 'a change of policies needs signatures',
    reason: 'SEC-1',
    groups: [{ name: 'security', people: ['cy'] }],
    quorum: 1,
    signatures: [],
    requestedAt: '2026-11-22T12:00:00.000Z',
    expiresAt: '2026-11-25T12:00:00.000Z',
    you: { canSign: false, message: 'own' },
    ...more,
  })

  it('asks for signatures, with what the folder holds and the reason', async () => {
    write({ 'b.cedar': HOLD, 'a.cedar': PERMIT, 'README.md': 'x' })
    const { code, out } = await run(['policy', 'publish', folder, '--reason', 'SEC-1'], () => ({
      body: request('pending'),
    }))
    expect(code).toBe(0)
    expect(api?.calls).toMatchObject([
      {
        method: 'POST',
        path: '/api/v1/policies/proposals',
        body: {
          reason: 'SEC-1',
          files: [
            { name: 'a.cedar', text: PERMIT },
            { name: 'b.cedar', text: HOLD },
          ],
        },
      },
    ])
    expect(out).toContain('+ hold  (a.cedar)')
    expect(out).toMatch(/rq_0000000001 waits to be signed: countersign requests approve rq_0000000001$/)
  })

  it.each([
    ['claimed', 0, /the policies are in force$/],
    ['denied', 4, /denied/],
    ['expired', 5, /the policies stay as they are$/],
    ['voided', 1, /propose it again$/],
  ])('waits until it is %s, and ends with %i', async (phase, code, last) => {
    write({ 'a.cedar': PERMIT })
    const answers = ['pending', 'pending', phase]
    const ran = await run(['policy', 'publish', folder, '--reason', 'x', '--wait'], () => ({
      body: request(answers.shift() ?? phase),
    }))
    expect([ran.code, ran.out]).toEqual([code, expect.stringMatching(last)])
  })

  it('sends nothing that does not compile, and nothing without a reason', async () => {
    write({ 'a.cedar': 'permit (' })
    expect(await run(['policy', 'publish', folder, '--reason', 'x'], () => ({ body: {} }))).toMatchObject({ code: 1 })
    expect(api?.calls).toEqual([])
    expect(await run(['policy', 'publish', folder])).toMatchObject({ code: 2 })
  })
})

it('the schema is printed, and a wrong word is wrong usage', async () => {
  expect((await run(['policy', 'schema'])).out).toMatch(/entity Person in \[Group\]/)
  expect((await run(['policy', 'publsh'])).code).toBe(2)
  expect((await run(['policy'])).code).toBe(2)
})
