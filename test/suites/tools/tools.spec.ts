import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { installed, startPostgres, type Postgres } from '../../corpus/postgres.ts'
import { run, type Ran } from '../../support/run.ts'
import { startAllowingNode, type AllowingNode } from '../allowing-node.ts'

/*
 * PostgreSQL's own client programs through a node that allows everything: they do what they do directly. They are of
 * Debian's version 15, so the server is as well: a dump of a newer one is refused.
 */

const BIN = '/usr/lib/postgresql/15/bin'
const PASSWORD = 'cs_tools'
const SCHEMA = fileURLToPath(new URL('schema.sql', import.meta.url))

let postgres: Postgres
let node: AllowingNode
let folder: string

beforeAll(async () => {
  const debian = installed().find((each) => each.folder === BIN)
  if (!debian) throw new Error(`${BIN} is not there: apt-get install postgresql-15 postgresql-client-15`)
  postgres = await startPostgres(debian, { settings: { wal_level: 'logical' } })
  folder = mkdtempSync(join(tmpdir(), 'countersign-tools-'))
  const made = ['shop', 'bench', 'from_custom', 'from_directory', 'from_plain']
  for (const database of made) expect(await tool(direct(), 'createdb', database)).toMatchObject({ status: 0 })
  expect(await tool(direct(), 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-f', SCHEMA, 'shop')).toMatchObject({
    stderr: '',
  })
  const databases = [...made, 'postgres', 'template1']
  node = await startAllowingNode({ port: postgres.port, databases, roles: { postgres: PASSWORD } })
})

afterAll(async () => {
  await node?.stop()
  await postgres?.stop()
  if (folder) rmSync(folder, { recursive: true, force: true })
})

const direct = (): number => postgres.port
const through = (): number => node.port

/** Runs a program of PostgreSQL's. */
const tool = (port: number, name: string, ...args: readonly string[]): Promise<Ran> =>
  run(join(BIN, name), args, {
    env: { PGHOST: '127.0.0.1', PGPORT: `${port}`, PGUSER: 'postgres', PGPASSWORD: PASSWORD },
  })

/** It ended well and complained of nothing; what it printed. */
const well = async (ran: Promise<Ran>): Promise<string> => {
  const { status, stdout, stderr } = await ran
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  return stdout
}

const psql = (port: number, database: string, ...commands: readonly string[]) =>
  well(tool(port, 'psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', database, ...commands.flatMap((each) => ['-c', each])))

/** Newer versions of 15 begin and end a dump with a key that is drawn anew. */
const dump = async (port: number, database: string, ...args: readonly string[]): Promise<string> =>
  (await well(tool(port, 'pg_dump', ...args, database))).replaceAll(/^\\(un)?restrict .*$/gm, '')

describe('pgbench', () => {
  beforeAll(async () => {
    const { status, stderr } = await tool(through(), 'pgbench', '-i', '-I', 'dtgvpf', '-s', '1', 'bench')
    expect({ status, stderr }).toMatchObject({ status: 0, stderr: expect.stringContaining('done in') })
  })

  it('has filled its tables', async () => {
    expect(await psql(direct(), 'bench', 'select count(*), sum(aid) from pgbench_accounts')).toBe('100000|5000050000\n')
  })

  it.each(
    ['tpcb-like', 'simple-update', 'select-only'].flatMap((script) =>
      ['simple', 'extended', 'prepared'].map((mode): [string, string] => [script, mode]),
    ),
  )('runs %s in mode %s', async (script, mode) => {
    const args = ['-n', '-b', script, '-M', mode, '-c', '2', '-t', '25', 'bench']
    const said = await well(tool(through(), 'pgbench', ...args))
    expect(said).toContain('number of transactions actually processed: 50/50')
    expect(said).toContain('number of failed transactions: 0')
  })

  it('has changed as much as it says', async () => {
    expect(await psql(direct(), 'bench', 'select count(*) from pgbench_history')).toBe('300\n')
  })

  it.each(['extended', 'prepared'])('runs a pipeline in mode %s', async (mode) => {
    const file = join(folder, 'pipeline.sql')
    const each = '\\set n random(1, 100000)\n\\startpipeline\nselect abalance from pgbench_accounts where aid = :n;\n'
    writeFileSync(file, `${each}update pgbench_accounts set abalance = :n where aid = :n;\nselect 1;\n\\endpipeline\n`)
    const said = await well(tool(through(), 'pgbench', '-n', '-f', file, '-M', mode, '-c', '2', '-t', '50', 'bench'))
    expect(said).toContain('number of transactions actually processed: 100/100')
  })
})

describe('pg_dump and pg_restore', () => {
  let original: string

  beforeAll(async () => {
    original = await dump(direct(), 'shop')
    expect(original).toContain('COPY sales.orders')
  })

  it('gives the same text', async () => {
    expect(await dump(through(), 'shop')).toBe(original)
    expect(await dump(through(), 'shop', '--inserts', '-t', 'sales.customers')).toBe(
      await dump(direct(), 'shop', '--inserts', '-t', 'sales.customers'),
    )
  })

  it('restores the text with psql', async () => {
    const file = join(folder, 'shop.sql')
    writeFileSync(file, original)
    await well(tool(through(), 'psql', '-Xq', '-o', '/dev/null', '-v', 'ON_ERROR_STOP=1', '-f', file, 'from_plain'))
    expect(await dump(direct(), 'from_plain')).toBe(original)
  })

  it('dumps into an archive, and restores it', async () => {
    const file = join(folder, 'shop.dump')
    await well(tool(through(), 'pg_dump', '-Fc', '-f', file, 'shop'))
    await well(tool(through(), 'pg_restore', '--exit-on-error', '-d', 'from_custom', file))
    expect(await dump(direct(), 'from_custom')).toBe(original)
  })

  it('does both with several connections at once, which share a snapshot', async () => {
    const into = join(folder, 'shop.directory')
    await well(tool(through(), 'pg_dump', '-Fd', '-j2', '-f', into, 'shop'))
    await well(tool(through(), 'pg_restore', '--exit-on-error', '-j2', '-d', 'from_directory', into))
    expect(await dump(direct(), 'from_directory')).toBe(original)
  })

  it('dumps roles', async () => {
    const globals = async (port: number) =>
      (await well(tool(port, 'pg_dumpall', '--globals-only'))).replaceAll(/^\\(un)?restrict .*$/gm, '')
    expect(await globals(through())).toBe(await globals(direct()))
  })
})

describe('psql', () => {
  it.each(['text', 'csv', 'binary'])('copies a table out and in: %s', async (format) => {
    const files = { direct: join(folder, `direct.${format}`), through: join(folder, `through.${format}`) }
    for (const [side, port] of [
      ['direct', direct()],
      ['through', through()],
    ] as const) {
      await psql(port, 'shop', `\\copy sales.customers to '${files[side]}' (format ${format})`)
    }
    expect(readFileSync(files.through).equals(readFileSync(files.direct))).toBe(true)

    const table = `copied_${format}`
    await psql(through(), 'shop', `create table ${table} (like sales.customers)`)
    await psql(through(), 'shop', `\\copy ${table} from '${files.through}' (format ${format})`)
    const differ = `select count(*) from (table ${table} except table sales.customers) as _`
    expect(await psql(direct(), 'shop', `select count(*) from ${table}; ${differ}`)).toBe('500\n0\n')
    await psql(through(), 'shop', `drop table ${table}`)
  })

  it('describes what there is', async () => {
    for (const command of ['\\d+ sales.*', '\\df sales.*', '\\dT+ sales.*', '\\dp sales.*', '\\du', '\\dn+', '\\l']) {
      expect(await psql(through(), 'shop', command)).toBe(await psql(direct(), 'shop', command))
    }
  })
})

describe('upkeep', () => {
  it.each([
    ['vacuumdb', ['--analyze', '-j2', 'shop']],
    ['vacuumdb', ['--full', '-t', 'sales.orders', 'shop']],
    ['reindexdb', ['shop']],
    ['reindexdb', ['--concurrently', '-t', 'sales.customers', 'shop']],
    ['clusterdb', ['shop']],
    ['createuser', ['made_through']],
    ['dropuser', ['made_through']],
  ])('%s %j', async (name, args) => {
    const { status, stderr } = await tool(through(), name, ...args)
    expect({ status, stderr: stderr.replaceAll(/^\w+: vacuuming database ".*\n?/gm, '') }).toEqual({
      status: 0,
      stderr: '',
    })
  })

  it('pg_isready', async () => {
    expect(await well(tool(through(), 'pg_isready'))).toContain('accepting connections')
  })

  it('pg_amcheck', async () => {
    await psql(through(), 'shop', 'create extension amcheck')
    await well(tool(through(), 'pg_amcheck', 'shop'))
    await psql(through(), 'shop', 'drop extension amcheck')
  })
})

describe('replication is refused, and says so', () => {
  it.each([
    ['pg_basebackup', ['-D', 'base', '-X', 'none']],
    ['pg_basebackup', ['-D', 'base', '-X', 'stream']],
    ['pg_receivewal', ['-D', '.', '--no-loop']],
    ['pg_recvlogical', ['--start', '--slot', 'none', '-f', '-', '-d', 'shop', '--no-loop']],
  ])('%s %j', async (name, args) => {
    const { status, stderr } = await run(join(BIN, name), args, {
      cwd: folder,
      env: { PGHOST: '127.0.0.1', PGPORT: `${through()}`, PGUSER: 'postgres', PGPASSWORD: PASSWORD },
    })
    expect(status).not.toBe(0)
    expect(stderr).toContain('replication connections do not go through Countersign')
  })
})
