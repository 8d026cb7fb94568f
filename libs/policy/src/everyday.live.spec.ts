import { Principal, Target } from '@countersign/contracts'
import { loadParser } from '@countersign/sql'
import type { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { everydayClassOf, everydayStatements, startEveryday } from '../../../test/corpus/everyday.ts'
import { GuardedSession, type Judged } from '../../../test/corpus/guarded-session.ts'
import { installed, type Postgres } from '../../../test/corpus/postgres.ts'
import { GUARD } from '../../../test/corpus/shop.ts'
import { loadCatalogue, SideConnection } from '../../../test/corpus/side-connection.ts'
import { compilePolicies, decide, defaultPolicies, requestFrom } from './index.ts'

/*
 * Nobody keeps a guard that cries wolf: what ORMs, tools and analysts send all day is let through by the shipped
 * policies, for people, services and agents.
 */

const PRINCIPALS = [
  { id: 'ana', kind: 'person', groups: ['developers'] },
  { id: 'etl', kind: 'service', groups: ['services'] },
  { id: 'copilot', kind: 'agent', onBehalfOf: 'ana', groups: ['agents'] },
].map((principal) => Principal.parse(principal))

/** False alarms that we know of, with their cause. */
const KNOWN: Readonly<Record<string, string>> = {
  [`UPDATE "jobs" AS o0 SET "state" = $1, "attempts" = o0."attempts" + $2 FROM (SELECT so0."id" AS "id" FROM "jobs" AS so0 WHERE ((so0."state" = 'ready') AND (so0."queue" = $3)) ORDER BY so0."run_at" LIMIT 10 FOR UPDATE SKIP LOCKED) AS f1 WHERE (o0."id" = f1."id") RETURNING o0."id"`]:
    'how many rows a join with a query that locks and has a LIMIT changes is neither counted nor known from the key',
  [`merge into "products" as "p" using "order_items" as "i" on "i"."product_id" = "p"."id" when matched and "i"."order_id" = $1 then update set "stock" = "p"."stock" - "i"."quantity"`]:
    'rows of a MERGE are counted by what is joined, whatever WHEN MATCHED AND says',
}

const target = Target.parse({ environment: 'prod', database: 'app' })

describe.each(installed())('what is sent every day, with $label', (binaries) => {
  const policies = compilePolicies(defaultPolicies())
  const clients: Client[] = []
  let server: Postgres
  let side: SideConnection
  let session: GuardedSession

  beforeAll(async () => {
    await loadParser()
    server = await startEveryday(binaries)
    const connect = async (user?: string) => {
      const client = await server.connect('app', user)
      clients.push(client)
      return client
    }
    const guard = await connect(GUARD)
    side = await SideConnection.over(guard)
    session = new GuardedSession(await connect(), side, await connect(), await loadCatalogue(guard), {
      principal: Principal.parse({ id: 'ana', kind: 'person', groups: [] }),
      target,
      classOf: everydayClassOf,
    })
  })
  afterAll(async () => {
    for (const client of clients) await client.end()
    await server?.stop()
  })

  it('is what a real server takes', async () => {
    await side.path(['public'])
    const refused: string[] = []
    for (const { tool, sql } of everydayStatements) {
      const trees = await side.trees(sql)
      if ('sqlstate' in trees) refused.push(`${trees.sqlstate} ${tool}: ${sql}`)
    }
    expect(refused).toEqual([])
  })

  it('is neither held nor denied', async () => {
    const alarms: { sql: string; alarm: string }[] = []
    for (const { sql } of everydayStatements)
      for (const judged of await session.judge(sql)) alarms.push(...alarmsOf(judged).map((alarm) => ({ sql, alarm })))
    const held = new Set(alarms.map(({ sql }) => sql))
    expect([...held].filter((sql) => !(sql in KNOWN))).toEqual([])
    expect(everydayStatements.length).toBeGreaterThan(300)
    expect(held.size / everydayStatements.length).toBeLessThan(0.01)
  })

  const alarmsOf = ({ facts, counts }: Judged): readonly string[] =>
    PRINCIPALS.flatMap((principal) => {
      const circumstances = { principal, target, transaction: 'idle', hour: 12, weekday: 1, minuteOfDay: 720 } as const
      const decision = decide(policies, requestFrom(facts, circumstances, everydayClassOf, counts))
      return decision.verdict === 'allow' ? [] : [`${principal.kind} ${decision.verdict} ${decision.policies.join()}`]
    })
})
