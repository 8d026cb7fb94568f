import { Principal, type WorkerId } from '@countersign/contracts'
import { Secret, type DatabaseConfig } from '@countersign/platform'
import { compilePolicies, defaultPolicies, type PolicySet } from '@countersign/policy'
import type { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { installed, startPostgres, type Postgres } from '../../../../../test/corpus/postgres.ts'
import * as say from '../../statement/refusal.ts'
import { Knowledge } from '../catalogue/knowledge.ts'
import { Parser } from '../understanding/parser.ts'
import { Servers } from '../upstream/servers.ts'
import { DatabaseJudge } from './database-judge.ts'
import type { Circumstances } from './judge.ts'
import type { PostgresJudgement } from './postgres-judgement.ts'

/*
 * What a judge says beyond yes and no, with a real server behind it: the safe way to write what is not let through, what
 * to say first, and decisions that hold for as long as the time that policies look at.
 */

const [binaries] = installed()
if (!binaries) throw new Error('no PostgreSQL to try with')

let server: Postgres
let admin: Client
let parser: Parser
let knowledge: Knowledge
let now = new Date('2026-11-23T09:00:00.000Z')
let policy: { set: PolicySet; version: string }
let judge: DatabaseJudge

beforeAll(async () => {
  server = await startPostgres(binaries)
  admin = await server.connect('postgres')
  await admin.query(`
    CREATE TABLE orders (id int PRIMARY KEY, total int, note text);
    CREATE TABLE customers (id int PRIMARY KEY, email text, country text);
    INSERT INTO orders SELECT g, g, 'x' FROM generate_series(1, 500) g;
    ANALYZE`)
  parser = new Parser(() => {})
  const config: DatabaseConfig = {
    name: 'shop',
    environment: 'prod',
    timeZone: 'Europe/Zurich',
    upstream: {
      host: '127.0.0.1',
      port: server.port,
      database: 'postgres',
      tls: 'disable',
      channelBinding: 'prefer',
      guard: { role: 'postgres', password: new Secret('trusted') },
      roles: {},
      targetSessionAttrs: 'any',
      loadBalanceHosts: 'disable',
      connectTimeoutMs: 5_000,
    },
  }
  knowledge = new Knowledge({
    config,
    servers: new Servers(config.upstream, { now: () => new Date().toISOString() }),
    parser,
    worker: 'node-1.w0' as WorkerId,
    now: () => new Date().toISOString(),
    record: () => {},
    logger: { info: () => {}, warn: () => {}, error: () => {} },
    changed: () => judge.forget(),
  })
  const { timeZone } = config
  judge = new DatabaseJudge({ knowledge, parser, policy: () => policy, now: () => now, timeZone })
  await knowledge.refresh()
})
afterAll(async () => {
  await knowledge?.close()
  await parser?.close()
  await admin?.end()
  await server?.stop()
})

const ana = Principal.parse({ id: 'ana', kind: 'person', groups: ['developers'] })
const copilot = Principal.parse({ id: 'copilot', kind: 'agent', onBehalfOf: 'ana', groups: ['agents'] })

let versions = 0
const obey = (...texts: readonly string[]) => {
  const own = texts.map((text, index) => ({ name: `own-${index}.cedar`, text }))
  policy = { set: compilePolicies([...defaultPolicies(), ...own]), version: `v${++versions}` }
  judge.forget()
}

const circumstances = (more: Partial<Circumstances> = {}): Circumstances => ({
  principal: ana,
  target: { environment: 'prod', database: 'shop' },
  role: 'postgres',
  processId: 1,
  session: {
    searchPath: ['pg_catalog', 'public'],
    temporary: [],
    changedSchema: false,
    tentative: false,
    tainted: false,
  },
  namesKey: '',
  types: [],
  transaction: 'idle',
  reason: undefined,
  ticket: undefined,
  prepared: () => undefined,
  cursor: () => undefined,
  ...more,
})
const ask = async (sql: string, more: Partial<Circumstances> = {}): Promise<PostgresJudgement> => {
  const [judgement] = await judge.ask(sql, circumstances(more))
  if (!judgement) throw new Error('no command was judged')
  return judgement
}
const HOLD = {
  requestId: 'rq_0000000001' as never,
  owners: ['owners'],
  rule: 'r',
  link: 'http://x',
  expiresInSeconds: 30,
}

describe('the safe way to write it', () => {
  it('is told to people behind what to do now, with statements that can be copied', async () => {
    obey()
    const judgement = await ask('create index on orders (total)')
    expect(judgement.verdict).toBe('hold')
    const { hint } = say.approvalRequired(judgement, HOLD, ana)
    expect(hint?.split('\n')).toEqual([
      expect.stringContaining('run exactly the same statement again'),
      expect.stringMatching(/^Build it while others go on writing/),
      'CREATE INDEX CONCURRENTLY ON orders (total);',
    ])
    expect(say.heldNotice(judgement, HOLD, false).hint).toContain('CREATE INDEX CONCURRENTLY')
  })

  it('is told to programs in parts, with a code to act on', async () => {
    const judgement = await ask('delete from orders where total > 20', { principal: copilot })
    const detail = JSON.parse(say.approvalRequired(judgement, HOLD, copilot).detail ?? '') as { advice: object[] }
    expect(detail.advice).toEqual([
      { text: 'change rows by their key, a few at a time' },
      {
        code: 'delete-in-parts',
        text: expect.stringContaining('in parts'),
        sql: [
          expect.stringMatching(/^DELETE FROM orders WHERE id IN \(SELECT orders\.id .* total > 20 .* LIMIT 1000\);$/),
        ],
      },
    ])
  })

  it('names the key of that very relation, beside what the policy says itself', async () => {
    const denied = '@id("no") @advice("ask the shop team") forbid (principal, action == Action::"delete", resource);'
    obey(denied)
    const judgement = await ask('delete from orders')
    expect(say.deniedByPolicy(judgement, ana).hint).toBe('Ask the shop team.\nName the rows by orders.id.')
    const { detail } = say.deniedByPolicy(await ask('delete from orders', { principal: copilot }), copilot)
    expect(JSON.parse(detail ?? '')).toMatchObject({
      v: 1,
      status: 'denied',
      rules: ['no'],
      advice: [{ text: 'ask the shop team' }, { code: 'rows-by-key' }],
    })
  })

  it('is of this very text, though others of its shape are judged alike', async () => {
    obey()
    const sqlOf = async (sql: string) => (await ask(sql)).safer?.[0]?.sql?.[0]
    expect(await sqlOf('delete from orders where total > 21')).toContain('> 21')
    expect(await sqlOf('delete from orders where total > 22')).toContain('> 22')
    expect(await sqlOf('delete from orders where total > 21')).not.toContain('> 22')
  })

  it('names the columns of SELECT * that are not sensitive', async () => {
    obey(
      `@id("no-star") forbid (principal is Agent, action == Action::"read", resource) when { !context.sensitiveClasses.isEmpty() };`,
    )
    const { safer } = await ask('select * from customers', { principal: copilot })
    expect(safer).toMatchObject([
      { code: 'name-columns', text: expect.stringContaining('sensitive are public.customers.email') },
    ])
  })

  it('is not there for what is let through, nor for texts with passwords', async () => {
    obey()
    expect((await ask('select * from customers')).safer).toBeUndefined()
    expect((await ask("create role x password 'hunter2'")).safer).toBeUndefined()
  })
})

describe('what to say first', () => {
  it('is told with its form, and helps', async () => {
    obey(`@id("t") @because("it needs a ticket") forbid (principal, action == Action::"write", resource)
      unless { context has ticket && context.ticket like "OPS-*" };`)
    const insert = "insert into orders values (9001, 1, 'x')"
    const refusal = say.deniedByPolicy(await ask(insert), ana)
    expect([refusal.message, refusal.hint]).toEqual([
      'denied by policy: INSERT public.orders: it needs a ticket',
      "First: SET countersign.ticket = 'OPS-*'; (with your own in the place of *)",
    ])
    const { detail } = say.deniedByPolicy(await ask(insert, { principal: copilot }), copilot)
    expect(JSON.parse(detail ?? '')).toMatchObject({ set: [{ name: 'countersign.ticket', like: 'OPS-*' }] })
    expect((await ask(insert, { ticket: 'OPS-7' })).verdict).toBe('allow')
    expect((await ask(insert, { ticket: 'ABC' })).verdict).toBe('deny')
  })
})

describe('a decision that looks at the time', () => {
  const WINDOW = `@id("window") forbid (principal, action == Action::"read", resource)
    when { context.weekday > 5 || context.minuteOfDay < 600 || context.minuteOfDay >= 601 };`
  const known = () => judge.known('select id from orders', circumstances())?.[0]?.verdict
  const at = (time: string) => {
    now = new Date(time)
  }

  it('is not kept beyond the minute, in the time zone of its environment', async () => {
    obey(WINDOW)
    at('2026-11-23T08:59:59.999Z')
    expect((await ask('select id from orders')).verdict).toBe('deny')
    expect(known()).toBe('deny')
    at('2026-11-23T09:00:00.000Z') // 10:00 in Zurich, minute 600
    expect(known()).toBe('allow')
    at('2026-11-23T09:00:59.999Z')
    expect(known()).toBe('allow')
    at('2026-11-23T09:01:00.000Z')
    expect(known()).toBe('deny')
  })

  it('nor beyond the day of the week', async () => {
    obey('@id("weekend") forbid (principal, action == Action::"read", resource) when { context.weekday > 5 };')
    at('2026-11-27T22:59:59.999Z') // Friday, a second before midnight in Zurich
    expect((await ask('select id from orders')).verdict).toBe('allow')
    at('2026-11-27T23:00:00.000Z')
    expect(known()).toBe('deny')
    at('2026-11-29T23:00:00.000Z')
    expect(known()).toBe('allow')
  })

  it('nor are masks, where only they look at the time', async () => {
    obey(`@id("lunch") permit (principal, action == Action::"unmask", resource) when { context.minuteOfDay == 720 };`)
    const shown = async () => (await ask('select email from customers')).touches.map(({ how }) => how)
    at('2026-11-23T11:00:30.000Z')
    expect(await shown()).toContain('returned-clear')
    at('2026-11-23T11:01:00.000Z')
    expect(await shown()).toContain('returned-masked')
    at('2026-11-23T11:00:00.000Z')
    expect(await shown()).toContain('returned-clear')
  })
})
