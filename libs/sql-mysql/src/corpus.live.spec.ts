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
      if (!RIGHT[row.should].includes(verdict))
        wrong.push(`${row.id}: ${row.should}, but ${verdict} by ${because}: ${row.sql}`)
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
    expect(mysqlEveryday.length).toBeGreaterThan(75)
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
    const queries = [
      ...mysqlEveryday,
      ...mysqlCorpus.flatMap(({ sql, should, errno }) => (should === 'allow' && errno === undefined ? [sql] : [])),
    ]
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
      // A view that the server has kept as it is, it names itself.
      missed.push(
        ...columns.filter((column) => !ours.has(column) && !isOfView(column)).map((column) => `${column}: ${sql}`),
      )
    }
    expect(missed).toEqual([])
    expect(compared.length).toBeGreaterThan(90)
    // The server leaves out what its optimizer has done away with: a row that it has read by its key, a LIMIT 0.
    expect(same / compared.length).toBeGreaterThan(0.7)
  })

  it('knows the outputs in the order in which the server gives them', async () => {
    const joins = [
      'SELECT * FROM orders JOIN payments USING (id)',
      'SELECT * FROM orders NATURAL JOIN carts',
      'SELECT * FROM carts JOIN orders USING (customer_id) JOIN sessions USING (customer_id)',
      'SELECT c.*, p.* FROM carts c JOIN carts p USING (product_id, customer_id)',
      'SELECT * FROM carts c JOIN carts p USING (product_id, customer_id)',
      'SELECT * FROM carts c NATURAL LEFT JOIN orders o',
      'SELECT * FROM carts c RIGHT JOIN orders o USING (customer_id)',
      'SELECT o.*, 1, c.city FROM customers c, orders o WHERE c.id = o.customer_id',
      'SELECT * FROM view_of_view v JOIN active_customers a ON a.contact = v.who',
      'SELECT * FROM (SELECT * FROM orders) AS a JOIN (SELECT id, city FROM customers) AS b USING (id)',
    ]
    const queries = [
      ...joins,
      ...mysqlEveryday,
      ...mysqlCorpus.filter(({ should }) => should === 'allow').map(({ sql }) => sql),
    ]
    const wrong: string[] = []
    for (const sql of queries.filter((one) => /^\(*(select|with)\b/i.test(one))) {
      const [, fields] = await connection.query(sql)
      const [facts] = (await judge.judge(sql)).facts
      const [ours, theirs] = [facts?.outputs?.map(({ name }) => name), fields.map(({ name }) => name)]
      // What is computed and has no alias, the server calls by its text.
      const isSame =
        ours?.length === theirs.length &&
        ours.every((name, at) => name === '' || name.toLowerCase() === theirs[at]?.toLowerCase())
      if (!isSame) wrong.push(`${theirs}, but ${ours}: ${sql}`)
    }
    expect(wrong).toEqual([])
  })

  const isOfView = (column: string): boolean => {
    const [schema = '', table = ''] = column.split('.')
    return catalogue.relations.get(JSON.stringify([schema, table]))?.kind === 'view'
  }

  it('says of nothing that it only reads which changes something', { timeout: 300_000 }, async () => {
    const effects = await Effects.on(server)
    const wrong: string[] = []
    for (const row of mysqlCorpus) {
      const { facts, verdict } = await judge.judge(row.sql)
      const isReadOnly = facts.length > 0 && facts.every(({ readOnly }) => readOnly)
      if (!isReadOnly && !isRun(row)) continue
      const { errno, changed } = await effects.of(row.sql)
      if (isReadOnly && changed.length > 0) wrong.push(`${row.id}: read-only, but it changed ${changed}: ${row.sql}`)
      const untold = verdict === 'deny' ? [] : changed.filter((name) => !tells(facts, name))
      if (untold.length > 0) wrong.push(`${row.id}: does not say that it changes ${untold}: ${row.sql}`)
      const measured = { ...(errno === undefined ? {} : { errno }), ...(changed.length > 0 ? { changed } : {}) }
      const recorded = {
        ...(row.errno === undefined ? {} : { errno: row.errno }),
        ...(row.changed === undefined ? {} : { changed: row.changed }),
      }
      if (JSON.stringify(measured) !== JSON.stringify(recorded)) {
        wrong.push(`${row.id}: ${JSON.stringify(measured)}, recorded ${JSON.stringify(recorded)}: ${row.sql}`)
      }
    }
    await effects.close()
    expect(wrong).toEqual([])
  })
})

/**
 * What says of itself that it changes the structure or the server takes its time to be undone: it is run as well with
 * COUNTERSIGN_TEST_MYSQL=all.
 */
const isRun = (row: MysqlCorpusRow): boolean =>
  process.env['COUNTERSIGN_TEST_MYSQL'] === 'all' || !/^(structure|rights|deny.host)$/.test(row.class)

const columnsOfFacts = ({ reads, mayRead, writes }: Facts): readonly string[] =>
  [...reads, ...mayRead, ...writes].map(({ name }) => name)

const CHANGING = new Set(['write', 'delete', 'truncate', 'drop', 'alter', 'create', 'copyIn'])

/** A table whose rows changed is one that it says it changes; anything else follows from a change of structure or rights. */
const tells = (facts: readonly Facts[], changed: string): boolean => {
  const uses = facts.flatMap((its) => its.uses)
  if (
    uses.some(
      ({ object, action }) =>
        action === 'grant' || action === 'administer' || (object.kind !== 'relation' && CHANGING.has(action)),
    )
  )
    return true
  const isStructure = uses.some(({ action }) => ['create', 'alter', 'drop', 'maintain'].includes(action))
  if (changed === 'catalogue') return isStructure
  // A new name is not read behind ALTER TABLE.
  return (
    (changed === 'shop.orders2' && isStructure) ||
    uses.some(({ action, object }) => CHANGING.has(action) && `${object.schema}.${object.name}` === changed)
  )
}
