import { createConnection } from 'node:net'
import { memoryLog } from '@countersign/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { installed } from '../../../../../test/corpus/postgres.ts'
import {
  startReplicated,
  type ReplicatedPostgres,
  type ReplicaServer,
} from '../../../../../test/corpus/replicated-postgres.ts'
import { NodeWorld } from '../testing/node-world.ts'

/*
 * A node before a real primary and a real streaming standby, through a failover and back.
 */

describe.each(installed())('a primary and its standby, with $label', (binaries) => {
  let servers: ReplicatedPostgres
  let world: NodeWorld
  const named = ({ port }: ReplicaServer) => `127.0.0.1:${port}`
  const roleOf = (user: string) => world.query(user, 'select pg_is_in_recovery()')

  beforeAll(async () => {
    servers = await startReplicated(binaries, async (primary) => {
      await primary.query('postgres', 'create database shop')
      await primary.query('shop', SETUP)
    })
    const { primary, standby } = servers
    const hosts = [standby, primary].map(({ port }) => ({ host: '127.0.0.1', port }))
    const upstream = { ...UPSTREAM, hosts, targetSessionAttrs: 'primary', standbyRoles: ['reader'] }
    world = await NodeWorld.start(memoryLog(), {
      databases: [{ name: 'shop', environment: 'prod', upstream }],
      policy: POLICY,
    })
    await world.knows('ana', { 'prod/shop': 'app' })
    await world.knows('rob', { 'prod/shop': 'reader' })
  })
  afterAll(async () => {
    await world?.stop()
    await servers?.stop()
  })

  it('sends sessions to the primary, though the standby is named first, and those of some roles to the standby', async () => {
    expect(await roleOf('ana')).toEqual([[false]])
    expect(await roleOf('rob')).toEqual([[true]])
    const opened = await world.events('session.opened')
    expect(opened.map(({ upstream }) => upstream.server)).toEqual([named(servers.primary), named(servers.standby)])
  })

  it('tells of each server what it is', async () => {
    const { code, status, reasons, databases } = await world.health()
    expect({ code, status, reasons }).toEqual({ code: 200, status: 'ok', reasons: [] })
    expect(databases).toMatchObject([
      {
        name: 'prod/shop',
        ok: true,
        servers: [
          { server: named(servers.standby), ok: true, role: 'standby' },
          { server: named(servers.primary), ok: true, role: 'primary' },
        ],
      },
    ])
  })

  it('understands statements on both: what is written on one is read on the other', async () => {
    await world.query('ana', 'insert into notes values (1)')
    await servers.caughtUp()
    expect(await world.query('rob', 'select id from notes')).toEqual([[1]])
    await expect(world.query('rob', 'insert into notes values (2)')).rejects.toMatchObject({ code: '25006' })
  })

  it('lets a session be cancelled on the server that it is on', async () => {
    const client = await world.connect('ana')
    const slow = client.query('select pg_sleep(30)')
    const { processID, secretKey } = client as unknown as { processID: number; secretKey: number }
    await expect.poll(() => servers.primary.query('postgres', SLEEPING)).toEqual([[1]])
    await cancel(world, processID, secretKey)
    await expect(slow).rejects.toMatchObject({ code: '57014' })
    await client.end()
  })

  it('says at once what is wrong while the primary is gone, and goes on after the failover', async () => {
    const { primary, standby } = servers
    await primary.stop('SIGQUIT')
    // Though nobody has tried to connect since.
    await expect.poll(async () => (await world.health()).code, { timeout: 3_000 }).toBe(503)
    const begun = performance.now()
    await expect(roleOf('ana')).rejects.toMatchObject({
      code: '57P03',
      severity: 'FATAL',
      message: `no server of the database can be used now: ${named(standby)}: it is a standby; ${named(primary)}: connection refused`,
    })
    expect(performance.now() - begun).toBeLessThan(STARTUP_TIMEOUT_MS)
    expect(await roleOf('rob')).toEqual([[true]])
    await expect
      .poll(() => world.health())
      .toMatchObject({
        code: 503,
        ready: false,
        reasons: [
          `prod/shop: no server can be used: ${named(standby)}: it is a standby; ${named(primary)}: connection refused`,
        ],
      })

    await standby.query('postgres', 'select pg_promote()')
    await expect.poll(() => roleOf('ana').catch(() => 'not yet'), { timeout: 20_000 }).toEqual([[false]])
    expect(await world.query('ana', 'insert into notes values (3) returning id')).toEqual([[3]])
    expect(await world.health()).toMatchObject({
      code: 200,
      status: 'degraded',
      reasons: [`prod/shop: ${named(primary)}: connection refused`],
    })
    expect((await world.events('session.opened')).at(-1)?.upstream.server).toBe(named(standby))
    const { text } = await world.admin('/metrics')
    expect(text).toContain(`countersign_node_upstream_up{database="prod/shop",server="${named(primary)}"} 0\n`)
    expect(text).toContain(`countersign_node_upstream_up{database="prod/shop",server="${named(standby)}"} 1\n`)
    expect(text).toContain(`countersign_node_upstream_standby{database="prod/shop",server="${named(standby)}"} 0\n`)
  })

  it('judges by the schema of whoever is primary now', async () => {
    await world.query('ana', 'create table late (email text)')
    await world.query('ana', "insert into late values ('lena@example.org')")
    await world.query('ana', 'alter table late add column shown int default 7')
    await expect.poll(() => world.query('ana', 'select email, shown from late')).toEqual([['l***@e***.org', 7]])
  })

  it('names every server when none answers, and comes back by itself', async () => {
    await servers.standby.stop()
    await expect(roleOf('rob')).rejects.toMatchObject({
      code: '08001',
      message: expect.stringMatching(/: connection refused; .*: connection refused$/),
    })
    await expect
      .poll(async () => (await world.events('auth.failed')).at(-1))
      .toMatchObject({ because: 'upstream-unavailable', user: 'rob' })
    await servers.standby.start()
    await expect.poll(() => roleOf('ana').catch(() => 'not yet'), { timeout: 20_000 }).toEqual([[false]])
    await expect.poll(() => world.query('ana', 'select count(*) > 0 from notes')).toEqual([[true]])
  })

  it('says of a silent server that it is silent, and goes back to it when it speaks again', async () => {
    const { standby } = servers
    process.kill(standby.pid, 'SIGSTOP')
    try {
      await expect(roleOf('ana')).rejects.toMatchObject({
        code: '08001',
        message: expect.stringContaining('no answer in 700 ms'),
      })
    } finally {
      process.kill(standby.pid, 'SIGCONT')
    }
    await expect.poll(() => roleOf('ana').catch(() => 'not yet'), { timeout: 30_000 }).toEqual([[false]])
  })
})

const cancel = async ({ port }: NodeWorld, processId: number, secretKey: number): Promise<void> => {
  const packet = Buffer.alloc(16)
  for (const [at, value] of [16, 80_877_102, processId, secretKey].entries()) packet.writeInt32BE(value, at * 4)
  await new Promise<void>((resolve) => {
    const socket = createConnection({ host: '127.0.0.1', port }, () => socket.end(packet))
    socket.on('close', () => resolve())
    socket.resume()
  })
}

const POLICY = `
@id("all") permit (principal, action, resource);
@id("email") @mask("partial") forbid (principal, action == Action::"unmask", resource)
  when { resource.class == "email" };
`

const SLEEPING = "select count(*)::int from pg_stat_activity where query like 'select pg_sleep%' and state = 'active'"

const SETUP = `
  create role app login; create role reader login; create role guard login;
  alter role guard set log_min_messages = fatal;
  grant all on schema public to app;
  create table notes (id int);
  grant all on notes to app; grant select on notes to guard, reader;
`

/** After that a client is dropped without a word. */
const STARTUP_TIMEOUT_MS = 10_000

const UPSTREAM = {
  database: 'shop',
  tls: 'disable',
  roles: { app: 'p', reader: 'p' },
  guard: { role: 'guard', password: 'p' },
  connectTimeoutMs: 700,
}
