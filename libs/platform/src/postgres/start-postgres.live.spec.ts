import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isAlive } from '../supervisor/process-identity.ts'
import { postgresAccount } from './account.ts'
import { dataAt, dropPostgres } from './places.ts'
import { startPostgres } from './start-postgres.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'countersign-postgres-'))
})
afterAll(() => {
  dropPostgres(join(folder, 'data'))
  dropPostgres(join(folder, 'second'))
  rmSync(folder, { recursive: true })
})

describe('PostgreSQL as npm brings it', () => {
  it('starts, asks for the password, keeps its data over a restart, and is not lax about durability', async () => {
    const first = await start('data')
    const version = await first.query('select version() as it')
    expect(version).toMatch(/^PostgreSQL 18/)
    await first.query('create table kept as select 42 as it')
    for (const name of ['fsync', 'full_page_writes', 'synchronous_commit']) {
      expect(await first.query(`select current_setting('${name}') as it`)).toBe('on')
    }
    await expect(first.query('select 1', 'wrong')).rejects.toThrow('password authentication failed')
    await first.server.stop(5_000)
    expect(await first.server.ended).toBe('exit code 0')

    const second = await start('data')
    expect(await second.query('select it from kept')).toBe(42)
    await second.server.stop(5_000)
  })

  it('runs twice at once', async () => {
    const [one, two] = await Promise.all([start('data'), start('second')])
    expect(await one.query('select 1 as it')).toBe(1)
    expect(await two.query('select 2 as it')).toBe(2)
    await Promise.all([one.server.stop(5_000), two.server.stop(5_000)])
  })

  it('says what its own log said when it cannot start', async () => {
    const occupant = createServer().listen(0, '127.0.0.1')
    await once(occupant, 'listening')
    const { port } = occupant.address() as AddressInfo
    await expect(start('data', port)).rejects.toThrow(/^PostgreSQL did not start: .*; all of it is in .*postgres.log$/)
    occupant.close()
  })

  it('stops by itself when whoever started it is killed', async () => {
    const { pid } = await startAndKillStarter(await freePort())
    await expect.poll(() => isAlive(pid), { timeout: 10_000 }).toBe(false)
  })

  it('stops what a killed start left behind, when that has not noticed yet', async () => {
    const port = await freePort()
    const { pid } = await startAndKillStarter(port, { switchOff: true })
    expect(isAlive(pid)).toBe(true)
    const next = await start('data', port)
    expect(isAlive(pid)).toBe(false)
    expect(await next.query('select it from kept')).toBe(42)
    await next.server.stop(5_000)
  })

  it('gives way to a process that has its old number by now', async () => {
    const stranger = spawn('sleep', ['60'], { ...postgresAccount() })
    writeFileSync(join(dataAt(join(folder, 'data')), 'postmaster.pid'), `${stranger.pid}\n/elsewhere\n`)
    const { server, query } = await start('data')
    expect(await query('select it from kept')).toBe(42)
    await server.stop(5_000)
    expect(stranger.exitCode ?? stranger.signalCode).toBeNull()
    stranger.kill('SIGKILL')
  })

  it('keeps data where its account can reach it, below a folder that only root may enter', async () => {
    const closed = join(folder, 'closed')
    mkdirSync(closed, { mode: 0o700 })
    const directory = join(closed, 'home', 'postgres')
    const { server, query } = await start('closed/home/postgres')
    await query('create table kept as select 1 as it')
    await server.stop(5_000)
    // Root hands PostgreSQL to another account; anybody else runs it as themselves, where it was asked for.
    const place = process.getuid?.() === 0 ? /^\/var\/lib\/countersign\/data\/home-/ : directory
    const data = dataAt(directory)
    expect(data).toMatch(place)
    expect(statSync(data).mode & 0o777).toBe(0o700)

    const again = await start('closed/home/postgres')
    expect(await again.query('select it from kept')).toBe(1)
    await again.server.stop(5_000)
    dropPostgres(directory)
    expect(() => statSync(data)).toThrow('ENOENT')
  })
})

const PASSWORD = "it's a 'password'"

const start = async (name: string, wanted?: number) => {
  const port = wanted ?? (await freePort())
  const server = await startPostgres(optionsFor(name, port))
  const query = async (sql: string, password = PASSWORD): Promise<unknown> => {
    const client = new Client({ host: '127.0.0.1', port, user: 'postgres', database: 'postgres', password })
    try {
      await client.connect()
      const { rows } = await client.query<{ it: unknown }>(sql)
      return rows[0]?.it
    } finally {
      await client.end()
    }
  }
  return { server, query }
}

const optionsFor = (name: string, port: number) => ({
  directory: join(folder, name),
  port,
  password: PASSWORD,
  logFile: join(folder, 'postgres.log'),
})

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

/** Starts it in a process of its own, which is then killed; its dead man's switch before it, if that is asked for. */
const startAndKillStarter = async (port: number, { switchOff = false } = {}) => {
  const starter = spawn(process.execPath, [script('data', port)], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = (await once(starter.stdout, 'data')) as [Buffer]
  const pid = Number(line.toString())
  if (switchOff) killSwitch(pid)
  starter.kill('SIGKILL')
  await once(starter, 'exit')
  return { pid }
}

const killSwitch = (pid: number): void => {
  const words = ['countersign-watch', String(pid)].join(' ')
  const processes = execFileSync('ps', ['-eo', 'pid=,args='], { encoding: 'utf8' }).split('\n')
  const watcher = processes.find((line) => line.endsWith(words))
  process.kill(Number(watcher?.trim().split(' ')[0]), 'SIGKILL')
}

const script = (name: string, port: number): string => {
  const file = join(folder, 'starter.ts')
  const module = new URL('./start-postgres.ts', import.meta.url).href
  writeFileSync(
    file,
    `import { startPostgres } from ${JSON.stringify(module)}
     const { pid } = await startPostgres(${JSON.stringify(optionsFor(name, port))})
     console.log(pid)`,
  )
  return file
}
