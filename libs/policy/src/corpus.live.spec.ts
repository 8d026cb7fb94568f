import type { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Principal, Target } from '@countersign/contracts'
import { loadParser, SqlRefusedError, SqlSyntaxError } from '@countersign/sql'
import { corpus, everyday, type CorpusRow } from '../../../test/corpus/corpus.ts'
import { GuardedSession } from '../../../test/corpus/guarded-session.ts'
import { installed, type Postgres } from '../../../test/corpus/postgres.ts'
import { classOf, GUARD, startShop } from '../../../test/corpus/shop.ts'
import { loadCatalogue, SideConnection } from '../../../test/corpus/side-connection.ts'
import { compilePolicies, decide, defaultPolicies, type Decision } from './index.ts'

/*
 * Each statement of the corpus, understood from its text and from what a real server makes of it, decided by the
 * shipped policies. Nothing of it is run; what its `setup` says is.
 */

const ana = Principal.parse({ id: 'ana', kind: 'person', groups: ['developers'] })
const copilot = Principal.parse({ id: 'copilot', kind: 'agent', onBehalfOf: 'ana', groups: ['agents'] })
const target = Target.parse({ environment: 'prod', database: 'shop' })

/**
 * Labels that we think wrong, with the reason.
 *
 * func-hidden-13: "here no such function exists (nothing runs)", as its own label says: the server refuses the text
 * with 42703 before anything of it is planned. To hold it would ask an owner to sign for a misspelt column.
 *
 * read-catalog-06, read-catalog-07: views of the server that monitoring reads all day. What leaks through them are the
 * values of one column, and these are masked (services/proxy, `catalogue/knowledge.ts`); to hold the statement would
 * teach people to sign without looking.
 */
const ARGUED: Readonly<Record<string, Decision['verdict']>> = {
  'read-catalog-06': 'allow',
  'read-catalog-07': 'allow',
  'func-hidden-13': 'allow',
}

const RIGHT: Readonly<Record<CorpusRow['should'], readonly Decision['verdict'][]>> = {
  allow: ['allow'],
  review: ['hold'],
  deny: ['hold', 'deny'],
}

describe.each(installed())('the corpus, with $label', (binaries) => {
  let server: Postgres
  const policies = compilePolicies(defaultPolicies())

  beforeAll(async () => {
    await loadParser()
    server = await startShop(binaries)
  })
  afterAll(() => server.stop())

  it('gets the verdict that is right for each statement', async () => {
    const plain = corpus.filter(({ setup }) => !setup)
    const wrong = [...(await wrongOf(plain, 'shop', ana)), ...(await eachInItsOwn(corpus.filter(({ setup }) => setup)))]
    expect(wrong).toEqual([])
  })

  it('is never more lenient with an agent', async () => {
    const verdicts = await verdictsOf(
      corpus.filter(({ setup }) => !setup),
      'shop',
      copilot,
    )
    const lenient = verdicts.filter(({ row, verdict }) => row.should !== 'allow' && verdict === 'allow')
    expect(lenient.map(({ row }) => row.id)).toEqual(Object.keys(ARGUED))
  })

  it('lets everyday statements pass', async () => {
    const rows = everyday.map((sql, index) => ({
      id: `${index}`,
      sql,
      class: 'everyday',
      should: 'allow' as const,
      why: '',
    }))
    expect(rows.length).toBeGreaterThan(100)
    expect(await wrongOf(rows, 'shop', ana)).toEqual([])
    const agent = (await verdictsOf(rows, 'shop', copilot)).filter(({ verdict }) => verdict !== 'allow')
    expect(agent.map(({ row }) => row.sql)).toEqual([])
  })

  const wrongOf = async (rows: readonly CorpusRow[], database: string, principal: Principal) =>
    (await verdictsOf(rows, database, principal))
      .filter(({ row, verdict }) => !(ARGUED[row.id] ? [ARGUED[row.id]] : RIGHT[row.should]).includes(verdict))
      .map(({ row, verdict, policies }) => `${row.id}: ${row.should}, but ${verdict} by ${policies}: ${row.sql}`)

  const eachInItsOwn = async (rows: readonly CorpusRow[]) => {
    const wrong: string[] = []
    for (const [index, row] of rows.entries()) {
      const database = `shop_${index}`
      const admin = await server.connect('postgres')
      await admin.query(`CREATE DATABASE ${database} TEMPLATE shop`)
      wrong.push(...(await wrongOf([row], database, ana)))
      await admin.query(`DROP DATABASE ${database} WITH (FORCE)`)
      await admin.end()
    }
    return wrong
  }

  const verdictsOf = async (rows: readonly CorpusRow[], database: string, principal: Principal) => {
    const [client, counter] = [await server.connect(database), await server.connect(database)]
    const guard = await server.connect(database, GUARD)
    const catalogue = await loadCatalogue(guard)
    const side = await SideConnection.over(guard)
    const session = new GuardedSession(client, side, counter, catalogue, {
      principal,
      target,
      classOf,
    })
    const verdicts = []
    for (const row of rows) {
      await prepare(session, counter, row)
      verdicts.push({ row, ...(await worstOf(session, row.sql)) })
    }
    for (const one of [client, guard, counter]) await one.end()
    return verdicts
  }

  /** What cannot be set up is left out: the server has no prepared transactions, and databases are made outside. */
  const prepare = async (session: GuardedSession, client: Client, { setup = [] }: CorpusRow) => {
    for (const text of setup.filter((one) => !/^(CREATE DATABASE|PREPARE TRANSACTION)/.test(one))) {
      await session.run(text)
      session.learn(await loadCatalogue(client))
    }
  }

  const worstOf = async (session: GuardedSession, text: string) => {
    const decisions = await decisionsOn(session, text)
    const order: readonly Decision['verdict'][] = ['deny', 'hold', 'allow']
    const verdict = order.find((one) => decisions.some((decision) => decision.verdict === one)) ?? 'allow'
    return { verdict, policies: decisions.flatMap((decision) => decision.policies).join(' ') }
  }

  const decisionsOn = async (
    session: GuardedSession,
    text: string,
  ): Promise<Pick<Decision, 'verdict' | 'policies'>[]> => {
    try {
      return (await session.judge(text)).map(({ request }) => decide(policies, request))
    } catch (error) {
      if (error instanceof SqlSyntaxError || error instanceof SqlRefusedError)
        return [{ verdict: 'deny', policies: [error.code] }]
      throw error
    }
  }
})
