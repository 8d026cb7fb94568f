import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ensureSelfSigned } from '@countersign/platform'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startFakeApi, type Answer, type Call } from '../testing/fake-api.ts'
import { runCli } from '../testing/run-cli.ts'
import { checkCertificate } from './check-certificate.ts'
import { lagsIn } from './check-clickhouse.ts'
import { checkService } from './check-service.ts'
import { reasonOf, runCheck } from './check.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'countersign-doctor-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

describe('the doctor', () => {
  it('fails, with file, line and remedy, when the configuration cannot be used', async () => {
    const file = join(folder, 'wrong.yaml')
    writeFileSync(file, 'log:\n  kind: paper\n')
    const { out, code } = await runCli(['doctor', '--config', file])
    expect(code).toBe(1)
    expect(out).toMatch(/^FAIL {2}configuration +.*wrong\.yaml:2: log\.kind: /)
    expect(out).toContain('→ correct it')
  })
})

describe('a check', () => {
  it('fails when it throws, and when it does not end', async () => {
    const throws = await runCheck({ name: 'a', run: () => Promise.reject(new Error('one\ntwo')) })
    expect(throws).toMatchObject({ name: 'a', status: 'fail', detail: 'one' })
    const hangs = await runCheck({ name: 'b', run: () => new Promise(() => {}) }, 10)
    expect(hangs).toMatchObject({ name: 'b', status: 'fail', detail: 'no answer within 0.01 s' })
  })

  it('finds the reason in an error that holds others', () => {
    const inner = new Error('connect ECONNREFUSED 127.0.0.1:1')
    expect(reasonOf(new AggregateError([inner]))).toBe('connect ECONNREFUSED 127.0.0.1:1')
    expect(reasonOf(new TypeError('fetch failed', { cause: inner }))).toBe('connect ECONNREFUSED 127.0.0.1:1')
    expect(reasonOf('odd')).toBe('odd')
  })
})

describe('a service', () => {
  const found = async (answer: (call: Call) => Answer) => {
    const api = await startFakeApi(answer)
    const { port } = new URL(api.origin)
    const finding = await checkService('control', { host: '0.0.0.0', port: Number(port) }).run()
    await api.close()
    return finding
  }
  const unready = (body: unknown) => found(({ path }) => (path === '/readyz' ? { status: 503, body } : { body: {} }))

  it('is well when it lives and is ready', async () =>
    expect(await found(() => ({ body: {} }))).toMatchObject({ status: 'ok' }))

  it('gives its reasons when it is not ready', async () => {
    expect(await unready({ reasons: ['clickhouse: away'] })).toMatchObject({
      status: 'warn',
      detail: expect.stringContaining('is not ready: clickhouse: away'),
    })
    const checks = { log: { ok: false, reason: 'gone' }, follower: { ok: true } }
    expect((await unready({ ready: false, checks })).detail).toMatch(/is not ready: log: gone$/)
    expect((await unready('odd')).detail).toMatch(/is not ready: it gives no reason$/)
  })

  it('fails when it does not answer', async () =>
    expect(await checkService('control', { host: '127.0.0.1', port: 1 }).run()).toMatchObject({
      status: 'fail',
      detail: 'http://127.0.0.1:1 does not answer',
    }))
})

describe('a certificate', () => {
  const now = new Date('2026-11-22T12:00:00.000Z')
  it.each([
    [0, 'ok', 'valid for 825 days'],
    [800, 'warn', 'expires in 25 days'],
    [900, 'fail', 'has expired'],
  ])('%d days after it was made is %s', async (days, status, detail) => {
    const files = { certificate: join(folder, 'node.crt'), key: join(folder, 'node.key') }
    await ensureSelfSigned(files, now)
    const then = new Date(now.getTime() + days * 86_400_000)
    expect(await checkCertificate(files.certificate, then).run()).toMatchObject({
      status,
      detail: expect.stringContaining(detail),
    })
  })

  it('that is not there fails', async () =>
    expect(await checkCertificate(join(folder, 'none'), now).run()).toMatchObject({ status: 'fail' }))
})

it('reads how far audit is behind from its metrics', () =>
  expect(
    lagsIn(
      '# HELP countersign_audit_lag_seconds x\ncountersign_audit_lag_seconds{topic="a"} 0.25\ncountersign_audit_lag_seconds{topic="b"} 12\nlag_records 5\n',
    ),
  ).toEqual([0.25, 12]))
