import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { closing, openClickhouse, type ClickhouseServer } from '../client.ts'
import { startClickhouse, type RunningClickhouse } from '../embedded/start-clickhouse.ts'
import { migrate } from './migrate.ts'
import { readMigrations } from './read-migrations.ts'

const freePort = () =>
  new Promise<number>((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo
      probe.close(() => resolve(port))
    })
  })

let home: string
let running: RunningClickhouse
let server: ClickhouseServer
beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'migrate-'))
  const account = { user: 'countersign', password: 'secret' }
  running = await startClickhouse({ directory: join(home, 'clickhouse'), httpPort: await freePort(), ...account })
  server = { url: running.url, ...account }
})
afterAll(async () => {
  await running.stop()
  rmSync(home, { recursive: true, force: true })
})

let folder: string
let database: string
let count = 0
beforeEach(() => {
  count += 1
  database = `d${count}`
  folder = mkdtempSync(join(home, 'migrations-'))
  write('001-first.sql', 'CREATE TABLE IF NOT EXISTS t (a UInt8) ENGINE = MergeTree ORDER BY a;')
  write(
    '002-second.sql',
    'ALTER TABLE t ADD COLUMN IF NOT EXISTS b UInt8;\nALTER TABLE t ADD COLUMN IF NOT EXISTS c UInt8;',
  )
})

const write = (name: string, sql: string) => writeFileSync(join(folder, name), sql)
const run = () => migrate(server, database, readMigrations(folder))
const select = async (query: string) => {
  await using inside = closing(openClickhouse(server, database))
  return await (await inside.client.query({ query, format: 'JSONCompactEachRow' })).json<unknown[]>()
}
const columns = () => select("SELECT name FROM system.columns WHERE database = currentDatabase() AND table = 't'")

describe('migrate', () => {
  it('runs each once, and says which', async () => {
    expect(await run()).toEqual(['001-first.sql', '002-second.sql'])
    expect(await columns()).toEqual([['a'], ['b'], ['c']])
    expect(await run()).toEqual([])
    write('003-third.sql', 'ALTER TABLE t ADD COLUMN IF NOT EXISTS d UInt8;')
    expect(await run()).toEqual(['003-third.sql'])
    expect(await columns()).toEqual([['a'], ['b'], ['c'], ['d']])
    expect(await select('SELECT number, name, length(checksum) FROM schema_migrations FINAL ORDER BY number')).toEqual([
      [1, '001-first.sql', 64],
      [2, '002-second.sql', 64],
      [3, '003-third.sql', 64],
    ])
  })

  it('refuses one that was edited after it had been run, and does nothing', async () => {
    await run()
    write('001-first.sql', 'CREATE TABLE IF NOT EXISTS t (a UInt16) ENGINE = MergeTree ORDER BY a;')
    write('003-third.sql', 'ALTER TABLE t ADD COLUMN IF NOT EXISTS d UInt8;')
    await expect(run()).rejects.toMatchObject({
      code: 'MIGRATION_CHANGED',
      message: expect.stringContaining('001-first.sql'),
    })
    expect(await columns()).toEqual([['a'], ['b'], ['c']])
  })

  it('refuses a database of a newer version', async () => {
    await run()
    rmSync(join(folder, '002-second.sql'))
    await expect(run()).rejects.toMatchObject({ code: 'MIGRATION_UNKNOWN' })
  })

  it('goes on after one that failed half-way, from its beginning', async () => {
    const half =
      'ALTER TABLE t ADD COLUMN IF NOT EXISTS d UInt8;\nALTER TABLE nowhere ADD COLUMN IF NOT EXISTS e UInt8;'
    write('003-third.sql', half)
    await expect(run()).rejects.toMatchObject({
      code: 'MIGRATION_FAILED',
      message: expect.stringMatching(/003-third.sql.*nowhere/),
    })
    write('003-third.sql', half.replace('nowhere', 't'))
    expect(await run()).toEqual(['003-third.sql'])
    expect(await columns()).toEqual([['a'], ['b'], ['c'], ['d'], ['e']])
  })

  it('may be run by several at once', async () => {
    await Promise.all(Array.from({ length: 6 }, run))
    expect(await columns()).toEqual([['a'], ['b'], ['c']])
    expect(await select('SELECT count() FROM schema_migrations FINAL')).toEqual([[2]])
  })

  it('keeps a hostile name of a database in its quotes', async () => {
    database = 'a`b; DROP DATABASE system'
    await run()
    expect(await columns()).toEqual([['a'], ['b'], ['c']])
  })
})
