import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startNodeService } from './node-service.ts'
import { isAlive } from './process-identity.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'countersign-service-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

describe('a service', () => {
  it('is ready when it says so, and stops when it is asked to', async () => {
    const spawned: number[] = []
    const service = await start(`process.once('SIGTERM', () => process.exit(0)); ${READY}`, {
      onSpawn: (pid) => spawned.push(pid),
    })
    expect(isAlive(service.pid)).toBe(true)
    expect(spawned).toEqual([service.pid])
    await service.stop(5_000)
    expect(await service.ended).toBe('exit code 0')
    expect(isAlive(service.pid)).toBe(false)
  })

  it('is made to stop when it does not within its time', async () => {
    const service = await start(`process.on('SIGTERM', () => {}); ${READY}`)
    await service.stop(100)
    expect(await service.ended).toBe('SIGKILL')
  })

  it('that ends before it is ready is refused with what it said last', async () => {
    await expect(start(`console.error('{"message":"no such policy"}'); process.exit(3)`)).rejects.toThrow(
      /^svc did not start \(exit code 3\): no such policy; all of it is in .*svc.log$/,
    )
  })

  it('that is never ready is given up, and gone', async () => {
    let pid = 0
    const late = start(STAY, { readyTimeoutMs: 300, onSpawn: (given) => (pid = given) })
    await expect(late).rejects.toThrow('svc was not ready within 0.3 s')
    expect(isAlive(pid)).toBe(false)
  })

  it('is not waited for when everything stops', async () => {
    const stopping = new AbortController()
    let pid = 0
    const starting = start(STAY, { onSpawn: (given) => (pid = given) }, stopping.signal)
    stopping.abort()
    await expect(starting).rejects.toThrow('svc did not start (stopped)')
    expect(isAlive(pid)).toBe(false)
  })

  it('writes to its own file', async () => {
    const service = await start(`console.log('out'); console.error('err'); ${READY}`, { name: 'talker' })
    await service.stop(1_000)
    expect(readFileSync(join(folder, 'talker.log'), 'utf8')).toContain('out\nerr')
  })

  it('does not outlive its supervisor, not even one that listens to nothing yet', async () => {
    const script = join(folder, 'supervisor.ts')
    writeFileSync(script, SUPERVISOR(join(folder, 'stays.mjs')))
    writeFileSync(join(folder, 'stays.mjs'), `console.error('{}'); ${STAY}`)
    const supervisor = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] })
    const [line] = (await once(supervisor.stdout, 'data')) as [Buffer]
    const pid = Number(line.toString())
    expect(isAlive(pid)).toBe(true)
    supervisor.kill('SIGKILL')
    await expect.poll(() => isAlive(pid), { timeout: 20_000 }).toBe(false)
  })
})

const READY = 'process.send({ ready: true }); setInterval(() => {}, 1000);'
const STAY = 'setInterval(() => {}, 1000)'

interface Overrides {
  readonly name?: string
  readonly readyTimeoutMs?: number
  readonly onSpawn?: (pid: number) => void
}

const start = (
  code: string,
  { name = 'svc', readyTimeoutMs = 20_000, onSpawn }: Overrides = {},
  signal?: AbortSignal,
) => {
  const entry = join(folder, `${name}-${Math.random()}.mjs`)
  writeFileSync(entry, code)
  const logFile = join(folder, `${name}.log`)
  return startNodeService(
    { name, entry, args: [], env: process.env, logFile, readyTimeoutMs, ...(onSpawn && { onSpawn }) },
    signal ?? new AbortController().signal,
  )
}

const SUPERVISOR = (entry: string) => `
  import { startNodeService } from ${JSON.stringify(new URL('./node-service.ts', import.meta.url).href)}
  await startNodeService({
    name: 'stays', entry: ${JSON.stringify(entry)}, args: [], env: process.env, readyTimeoutMs: 60_000,
    logFile: ${JSON.stringify(entry)} + '.log', onSpawn: (pid) => console.log(pid),
  }, new AbortController().signal)
`
