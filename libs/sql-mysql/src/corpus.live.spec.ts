import type { Connection } from 'mysql2/promise'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Facts } from '@countersign/sql'
import type { Mariadb } from '../../../test/corpus/mariadb.ts'
import { Effects } from '../../../test/corpus/mysql-effects.ts'
import { columnsOfServer } from '../../../test/corpus/mysql-rewritten.ts'
import {
  copilot,
  loadMysqlCatalogue,
  mysqlCorpus,
  mysqlEveryday,
  MysqlJudge,
  startMysqlShop,
  type Judged,
  type MysqlCorpusRow,
} from '../../../test/corpus/mysql-shop.ts'
import { mysql, type MysqlCatalogue } from './index.ts'

/*
 * Each statement of MySQL's corpus, decided by the shipped policies, and then really run on MariaDB: what was said of
 * it must be so.
 */

const RIGHT: Readonly<Record<MysqlCorpusRow['should'], readonly Judged['verdict'][]>> = {
  allow: ['allow'],
  review: ['hold'],
  deny: ['hold', 'deny'],
}

describe('the corpus of MySQL, with MariaDB', () => {
  let server: Mariadb
  let connection: Connection
  let catalogue: MysqlCatalogue
  let judge: MysqlJudge

  beforeAll(async () => {
    await mysql.load()
    server = await startMysqlShop()
    connection = await server.connect('shop')
    catalogue = await loadMysqlCatalogue(connection)
    judge = new MysqlJudge(await server.connect('shop'), catalogue)
  })
  afterAll(() => server.stop())

  it('gets the verdict that is right for each statement', async () => {
    expect(mysqlCorpus.length).toBeGreaterThanOrEqual(200)
    const wrong: string[] = []
    for (const row of mysqlCorpus) {
      const { verdict, because } = await judge.judge(row.sql)
      if (!RIGHT[row.should].includes(verdict)) wrong.push(`${row.id}: ${row.should}, but ${verdict} by ${because}: ${row.sql}`)
    }
    expect(wrong).toEqual([])
  })

  it('is never more lenient with an agent', async () => {
    const agents = new MysqlJudge(await server.connect('shop'), catalogue, copilot)
    const lenient: string[] = []
    for (const row of mysqlCorpus.filter(({ should }) => should !== 'allow')) {
      if ((await agents.judge(row.sql)).verdict === 'allow') lenient.push(row.id)
    }
    expect(lenient).toEqual([])
  })

  it('lets everyday statements pass, which the server accepts', async () => {
    expect(mysqlEveryday.length).toBeGreaterThan(80)
    const session = await server.connect('shop')
    const wrong: string[] = []
    for (const sql of mysqlEveryday) {
      const { verdict, because } = await judge.judge(sql)
      if (verdict !== 'allow') wrong.push(`${verdict} by ${because}: ${sql}`)
      await session.query('START TRANSACTION')
      await session.query(sql).catch((error: Error) => wrong.push(`${error.message}: ${sql}`))
      await session.query('ROLLBACK')
    }
    expect(wrong).toEqual([])
  })

  it('sees each column that the server sees', async () => {
    const queries = [...mysqlEveryday, ...mysqlCorpus.flatMap(({ sql, should, errno }) => (should === 'allow' && errno === undefined ? [sql] : []))]
    const compared: string[] = []
    const missed: string[] = []
    let same = 0
    for (const sql of queries.filter((one) => /^\(*(select|with|update|delete|insert|replace)\b/i.test(one))) {
      const columns = await columnsOfServer(connection, sql, ['shop', 'sales']).catch(() => undefined)
      if (!columns) continue
      const facts = (await judge.judge(sql)).facts
      const ours = new Set(facts.flatMap(columnsOfFacts))
      compared.push(sql)
      if (columns.length === ours.size && columns.every((column) => ours.has(column))) same += 1
      missed.push(...columns.filter((column) => !ours.has(column)).map((column) => `${column}: ${sql}`))
    }
    expect(missed).toEqual([])
    expect(compared.length).toBeGreaterThan(100)
    // The server leaves out what its optimizer has done away with: a row that it has read by its key, a LIMIT 0.
    expect(same / compared.length).toBeGreaterThan(0.7)
  })

  it('says of nothing that it only reads which changes something', { timeout: 300_000 }, async () => {
    const effects = await Effects.on(server)
    const wrong: string[] = []
    for (const row of mysqlCorpus) {
      const { facts, verdict } = await judge.judge(row.sql)
      const { errno, changed } = await effects.of(row.sql)
      const isReadOnly = facts.length > 0 && facts.every(({ readOnly }) => readOnly)
      if (isReadOnly && changed.length > 0) wrong.push(`${row.id}: read-only, but it changed ${changed}: ${row.sql}`)
      const untold = verdict === 'deny' ? [] : changed.filter((name) => !tells(facts, name))
      if (untold.length > 0) wrong.push(`${row.id}: does not say that it changes ${untold}: ${row.sql}`)
      const measured = { ...(errno === undefined ? {} : { errno }), ...(changed.length > 0 ? { changed } : {}) }
      const recorded = { ...(row.errno === undefined ? {} : { errno: row.errno }), ...(row.changed === undefined ? {} : { changed: row.changed }) }
      if (JSON.stringify(measured) !== JSON.stringify(recorded)) {
        wrong.push(`${row.id}: ${JSON.stringify(measured)}, recorded ${JSON.stringify(recorded)}: ${row.sql}`)
      }
    }
    await effects.close()
    expect(wrong).toEqual([])
  })
})

const columnsOfFacts = ({ reads, mayRead, writes }: Facts): readonly string[] =>
  [...reads, ...mayRead, ...writes].map(({ name }) => name)

const CHANGING = new Set(['write', 'delete', 'truncate', 'drop', 'alter', 'create', 'copyIn'])

/** A table whose rows changed is one that it says it changes; anything else follows from a change of structure or rights. */
const tells = (facts: readonly Facts[], changed: string): boolean => {
  const uses = facts.flatMap((its) => its.uses)
  if (uses.some(({ object, action }) => action === 'grant' || action === 'administer' || (object.kind !== 'relation' && CHANGING.has(action)))) return true
  if (changed === 'catalogue') return uses.some(({ action }) => action === 'create' || action === 'alter' || action === 'drop')
  return uses.some(({ action, object }) => CHANGING.has(action) && `${object.schema}.${object.name}` === changed)
}
