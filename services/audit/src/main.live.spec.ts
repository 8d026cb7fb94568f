import { fork, type ChildProcess } from 'node:child_process'
import { existsSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { TOPICS } from '@countersign/contracts'
import { openEventLog, type EventLog } from '@countersign/eventlog'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { AuditDatabase } from './store/generations.ts'
import { access, intended, opened, settled } from './testing/events.ts'
import { eventually } from './testing/eventually.ts'
import { command, freePort, select, TestServer } from './testing/test-server.ts'

/* The service as it is started: built, as a process of its own. */

const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url))
const W = 'node-1/0/b1'

let server: TestServer
let home: string
let port: number
let log: EventLog
let database: AuditDatabase
beforeAll(async () => {
  if (!existsSync(MAIN)) throw new Error(`${MAIN} is not there: build first (npm run build)`)
  server = await TestServer.start()
  home = mkdtempSync(join(tmpdir(), 'audit-main-'))
  port = await freePort()
  database = server.database('countersign')
  log = await openEventLog({ kind: 'embedded', directory: join(home, 'log') })
  writeFileSync(join(home, 'countersign.yaml'), config(database))
})
afterAll(async () => {
  await log.close()
  await server.end()
  rmSync(home, { recursive: true, force: true })
})

const config = ({ url, user, password, database }: AuditDatabase) => `
log: { kind: embedded, directory: log }
databases:
  - name: shop
    environment: demo
    upstream: { host: 127.0.0.1, port: 5432, database: shop, tls: disable, roles: {}, guard: { role: g, password: p } }
node: { listen: { port: 1 }, admin: { port: 2 }, state: node }
control: { listen: { port: 3 }, owners: DATAOWNERS, identities: identities.yaml }
audit:
  listen: { port: ${port} }
  clickhouse: { url: '${url}', user: ${user}, password: ${password}, database: ${database} }
`

interface Started {
  readonly child: ChildProcess
  readonly ready: Promise<unknown>
  readonly ended: Promise<number | null>
  readonly said: () => string
}

const children: ChildProcess[] = []
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
})

const start = (...args: string[]): Started => {
  const child = fork(MAIN, ['--config', join(home, 'countersign.yaml'), ...args], {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  children.push(child)
  let said = ''
  child.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString()))
  const exit = new Promise<number | null>((resolve) => child.once('exit', resolve))
  const saidAll = new Promise((resolve) => child.stderr?.once('end', resolve))
  const ended = saidAll.then(() => exit)
  return { child, ready: new Promise((resolve) => child.once('message', resolve)), ended, said: () => said }
}

const get = async (path: string) => {
  const answer = await fetch(`http://127.0.0.1:${port}${path}`)
  return { status: answer.status, type: answer.headers.get('content-type'), text: await answer.text() }
}

const append = async (from: number, to: number) => {
  for (let n = from; n <= to; n++) {
    const events = n === 1 ? [opened('s', W)] : [intended('s', n), settled('s', n)]
    const { topic, ...record } = access(W, n, events)
    await log.append(topic, record)
  }
}

const statements = async () => (await select(database, 'SELECT count() AS n FROM statements'))[0]?.['n']

describe('the audit service', () => {
  it('starts, projects, says how it is, and stops when it is asked to', async () => {
    const service = start()
    expect(await service.ready).toEqual({ ready: true, port })
    await append(1, 11)
    await eventually(async () => expect(await statements()).toBe(10))

    expect(await get('/healthz')).toMatchObject({ status: 200, text: '{"status":"ok"}' })
    expect(await get('/readyz')).toMatchObject({ status: 200, text: '{"ready":true,"reasons":[]}' })
    expect((await get('/nosuch')).status).toBe(404)
    // Rows can be seen a moment before they are counted as written.
    const isCounted = `countersign_audit_lag_records{topic="${TOPICS.access}"} 0\n`
    await eventually(async () => expect((await get('/metrics')).text).toContain(isCounted))
    const metrics = await get('/metrics')
    expect(metrics.type).toMatch(/^text\/plain; version=0.0.4/)
    expect(metrics.text).toContain(`countersign_audit_next_offset{topic="${TOPICS.access}",partition="0"} 11\n`)
    expect(metrics.text).toMatch(/^countersign_audit_events_total 21$/m)

    service.child.kill('SIGTERM')
    expect(await service.ended).toBe(0)
  })

  it('says what is in the way, and how far it is behind, while ClickHouse is gone', async () => {
    const service = start()
    await service.ready
    await server.stop()
    await append(12, 13)
    await eventually(async () => expect((await get('/readyz')).status).toBe(503))
    // What was under way when it went hears of it in other words than what comes later.
    expect((await get('/readyz')).text).toMatch(/clickhouse: .*(ECONNREFUSED|ECONNRESET|socket hang up)/)
    expect((await get('/healthz')).status).toBe(200)
    const { text } = await get('/metrics')
    expect(text).toMatch(/^countersign_audit_clickhouse_up 0$/m)
    expect(text).toContain(`countersign_audit_lag_records{topic="${TOPICS.access}"} 2\n`)
    expect(text).toMatch(/^countersign_audit_lag_seconds\{topic="cs.access.v1"\} [\d.]+$/m)

    await server.startAgain()
    await eventually(async () => expect(await statements()).toBe(12))
    expect((await get('/readyz')).status).toBe(200)
    expect(service.said().match(/"waiting"/g)?.length).toBeLessThan(5) // Not a line for each attempt.
    expect(service.said()).not.toContain('secret')

    await server.stop()
    service.child.kill('SIGTERM')
    expect(await service.ended).toBe(0)
    await server.startAgain()
  })

  it('says so when the log is gone, and goes on when it is back', async () => {
    const service = start()
    await service.ready
    renameSync(join(home, 'log'), join(home, 'elsewhere'))
    await eventually(async () => expect((await get('/readyz')).text).toMatch(/"ready":false.*log: /))
    expect((await get('/metrics')).text).toMatch(/^countersign_audit_log_up 0$/m)
    renameSync(join(home, 'elsewhere'), join(home, 'log'))
    await eventually(async () => expect((await get('/readyz')).status).toBe(200))
    await append(14, 15)
    await eventually(async () => expect(await statements()).toBe(14))
  })

  it('ends when the one who started it is gone', async () => {
    const service = start()
    await service.ready
    service.child.disconnect()
    expect(await service.ended).toBe(0)
  })

  it('rebuilds, and ends', async () => {
    const rebuilding = start('--rebuild')
    expect(await rebuilding.ended).toBe(0)
    expect(rebuilding.said()).toMatch(/"rebuilt","data":"countersign_g2"/)
    expect(await statements()).toBe(14)
  })

  it('refuses a configuration that is wrong, with its line', async () => {
    writeFileSync(join(home, 'wrong.yaml'), config(database).replace('database: countersign', 'databse: countersign'))
    const service = start('--config', join(home, 'wrong.yaml'))
    expect(await service.ended).toBe(1)
    expect(service.said()).toMatch(/wrong.yaml:1[01]: audit.clickhouse/)
  })

  it('refuses a port that is taken', async () => {
    const first = start()
    await first.ready
    const second = start()
    expect(await second.ended).toBe(1)
    expect(second.said()).toMatch(/EADDRINUSE/)
    first.child.kill('SIGTERM')
    await first.ended
  })

  it('refuses a database that had a migration which is not ours', async () => {
    const values = `(99, '099-next.sql', '${'0'.repeat(64)}')`
    await command(database, `INSERT INTO countersign_g2.schema_migrations (number, name, checksum) VALUES ${values}`)
    const service = start()
    expect(await service.ended).toBe(1)
    expect(service.said()).toMatch(/MIGRATION_UNKNOWN/)
  })
})
