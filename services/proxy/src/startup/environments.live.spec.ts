import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { memoryLog } from '@countersign/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { installed, startPostgres, type Postgres } from '../../../../test/corpus/postgres.ts'
import { NodeWorld } from '../postgres/testing/node-world.ts'
import { AT } from '../testing/decisions.ts'

/*
 * One node before two environments that have a database of the same name, told apart by the name under which a client
 * comes: with libpq as with a driver. What is known, decided and recorded of one is never taken for the other's.
 */

const [binaries] = installed()

describe('two environments with a database of one name', () => {
  let server: Postgres
  let world: NodeWorld
  const prod = (user: string, sql: string) => world.query(user, sql, under('shop.prod.example.net'))
  const staging = (user: string, sql: string) => world.query(user, sql, under('db.staging.example.net'))

  beforeAll(async () => {
    if (!binaries) throw new Error('no PostgreSQL')
    server = await startPostgres(binaries)
    const admin = await server.connect('postgres')
    await admin.query('create role app login; create role guard login; grant pg_read_all_data to guard')
    await admin.query('create database prod_shop')
    await admin.query('create database staging_shop')
    await admin.end()
    await prepare('prod_shop', 'create table people (note text, card text)', "insert into people values ('one', 'two')")
    await prepare('staging_shop', 'create table people (note text)', "insert into people values ('three')")
    world = await NodeWorld.start(memoryLog(), {
      databases: [
        database('prod', 'prod_shop', ['*.prod.example.net']),
        database('staging', 'staging_shop', ['db.staging.example.net']),
      ],
      policy: POLICY,
    })
    await world.knows('ana', { 'prod/shop': 'app', 'staging/shop': 'app' })
    await world.knows('sam', { 'staging/shop': 'app' })
  })
  afterAll(async () => {
    await world?.stop()
    await server?.stop()
  })

  const prepare = async (name: string, ...statements: readonly string[]) => {
    const client = await server.connect(name)
    for (const sql of [...statements, 'grant all on people to app']) await client.query(sql)
    await client.end()
  }
  const database = (environment: string, name: string, serverNames: readonly string[]) => ({
    name: 'shop',
    environment,
    serverNames,
    upstream: {
      host: '127.0.0.1',
      port: server.port,
      database: name,
      tls: 'disable',
      roles: { app: 'p' },
      guard: { role: 'guard', password: 'p' },
    },
  })

  it('are told apart by the name that a client comes under', async () => {
    expect(await prod('ana', 'select current_database()::text')).toEqual([['prod_shop']])
    expect(await staging('ana', 'select current_database()::text')).toEqual([['staging_shop']])
    const opened = await world.events('session.opened')
    expect(opened.map(({ target }) => target.environment)).toEqual(['prod', 'staging'])
  })

  it('are told apart for libpq as well', async () => {
    const asked = async (host: string) => {
      const dsn = `host=${host} hostaddr=127.0.0.1 port=${world.port} dbname=shop user=ana sslmode=require`
      const env = { ...process.env, PGPASSWORD: 'token-ana' }
      return (await promisify(execFile)('psql', [dsn, '-XAtc', 'select current_database()'], { env })).stdout
    }
    expect(await asked('SHOP.prod.example.net')).toBe('prod_shop\n')
    expect(await asked('db.staging.example.net')).toBe('staging_shop\n')
  })

  it.each(['db.example.net', 'prod.example.net', 'a.shop.prod.example.net'])('has nothing under %s', async (name) => {
    await expect(world.query('ana', 'select 1', under(name))).rejects.toMatchObject({
      code: '3D000',
      message: 'database "shop" does not exist here',
      hint: `The host name that you connect to counts: ${name}.`,
    })
  })

  it('has nothing for a client without TLS', () =>
    expect(world.query('ana', 'select 1')).rejects.toMatchObject({ code: '3D000' }))

  it('lets in by environment: a role in one is none in the other', async () => {
    expect(await staging('sam', 'select 1 as one')).toEqual([[1]])
    await expect(prod('sam', 'select 1')).rejects.toMatchObject({ code: '42501' })
  })

  it('has a schema, a policy and a judgement for each', async () => {
    expect(await staging('ana', 'select note from people')).toEqual([['three']])
    await expect(prod('ana', 'delete from people')).rejects.toMatchObject({ code: '42501' })
    expect(await staging('ana', "delete from people where note = 'none' returning note")).toEqual([])
    await expect(staging('ana', 'select card from people')).rejects.toMatchObject({ code: '42703' })
    expect(await prod('ana', 'select note from people')).toEqual([['one']])
  })

  it('obeys the catalogue of one without touching the other', async () => {
    const column = { column: 'public.people.note', class: 'email', because: 'a person said so', confidence: 1 }
    const target = { environment: 'prod', database: 'shop' }
    await world.control.decides('catalogue/prod/shop', 'catalogue.in-force', {
      target,
      version: '1',
      columns: [column],
      at: AT,
    })
    await expect.poll(() => prod('ana', 'select note from people')).not.toEqual([['one']])
    expect(await staging('ana', 'select note from people')).toEqual([['three']])
    const seen = await world.events('database.observed')
    expect(new Set(seen.map(({ target }) => `${target.environment}/${target.database}`))).toEqual(
      new Set(['prod/shop', 'staging/shop']),
    )
  })

  it('counts each for itself', async () => {
    const { text } = await world.admin('/metrics')
    expect(text).toMatch(/countersign_node_statements_total\{database="prod\/shop",verdict="deny",kind="delete"\} 1\n/)
    expect(text).toMatch(
      /countersign_node_statements_total\{database="staging\/shop",verdict="allow",kind="delete"\} 1\n/,
    )
  })
})

const under = (servername: string) => ({ ssl: { servername, rejectUnauthorized: false } })

const POLICY = `
@id("all") permit (principal, action, resource);
@id("prod-keeps") forbid (principal, action == Action::"delete", resource)
  when { context.environment == "prod" };
@id("masks") @mask("partial") forbid (principal, action == Action::"unmask", resource);
`
