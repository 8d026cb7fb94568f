import { beforeAll, describe, expect, it } from 'vitest'
import type { Facts } from '@countersign/sql'
import { modelCatalogue } from '../../../test/corpus/mysql-model.ts'
import { countQueriesOfMysql, judgeMysql, loadParsers, understandMysql, type MysqlSession } from './index.ts'

beforeAll(() => loadParsers())

const SHOP: MysqlSession = { database: 'shop', temporary: [] }

const factsOf = (sql: string, session = SHOP, catalogue = modelCatalogue()): Facts => {
  const [command] = understandMysql(sql).commands
  if (!command) throw new Error('nothing')
  return judgeMysql(command, catalogue, session)
}

const outputsOf = (sql: string, session = SHOP) =>
  factsOf(sql, session).outputs?.map(({ name, origins, derived, opaque }) =>
    [name, origins.map((origin) => origin.name).join('+'), derived ? 'derived' : '', opaque ? 'opaque' : '']
      .join(' ')
      .trim(),
  )

const usesOf = (sql: string, session = SHOP) =>
  factsOf(sql, session).uses.map(
    ({ action, object, through }) =>
      `${action} ${object.schema ?? ''}.${object.name}${through === 'statement' ? '' : ` by ${through}`}`,
  )

const mainChange = (sql: string) => factsOf(sql).uses.find(({ change }) => change)?.change

describe('where values come from', () => {
  it.each([
    ['SELECT email AS e, id + 1 FROM customers', ['e shop.customers.email', ' shop.customers.id derived']],
    ['SELECT * FROM customers', ['id shop.customers.id', 'email shop.customers.email', 'city shop.customers.city']],
    ['SELECT secret FROM customers', ['secret shop.customers.secret']],
    [
      'SELECT c.* FROM orders o JOIN customers AS c USING (id)',
      ['id shop.customers.id', 'email shop.customers.email', 'city shop.customers.city'],
    ],
    [
      'SELECT * FROM orders JOIN log USING (id)',
      [
        'id shop.orders.id+shop.log.id',
        'customer_id shop.orders.customer_id',
        'status shop.orders.status',
        'total shop.orders.total',
        'note shop.log.note',
      ],
    ],
    ['SELECT contact, place FROM v', ['contact shop.customers.email', 'place shop.customers.city derived']],
    ['SELECT who FROM vv', ['who shop.customers.email']],
    ['SELECT x FROM dark', ['x  derived opaque']],
    ['SELECT a FROM (SELECT email AS a FROM customers) AS d', ['a shop.customers.email']],
    ['WITH c (a) AS (SELECT email FROM customers) SELECT a FROM c', ['a shop.customers.email']],
    [
      'SELECT status FROM orders UNION ALL SELECT email FROM customers',
      ['status shop.orders.status+shop.customers.email'],
    ],
    ['SELECT (SELECT email FROM customers WHERE id = o.id) AS e FROM orders o', ['e shop.customers.email']],
    ['SELECT SUM(email), MIN(email) FROM customers', ['shop.customers.email derived', 'shop.customers.email']],
    ['SELECT CASE WHEN id THEN email END FROM customers', ['shop.customers.id+shop.customers.email derived']],
    ['SELECT @x, @@version', ['derived opaque', 'derived']],
    ['SELECT email FROM sales.leads', ['email sales.leads.email']],
    ['SELECT twice(id) FROM orders', ['shop.orders.id derived opaque']],
    ['SELECT EXISTS (SELECT email FROM customers)', ['derived']],
  ])('%s', (sql, outputs) => {
    const said = outputsOf(sql)?.map((one) => one.replace(/\s+/g, ' ').trim())
    expect(said?.slice(-outputs.length)).toEqual(outputs.map((one) => one.replace(/\s+/g, ' ').trim()))
  })

  it('follows recursion', () => {
    const sql =
      'WITH RECURSIVE r (a, b) AS (SELECT id, status FROM orders UNION ALL SELECT id, email FROM customers JOIN r ON r.a = customers.id) SELECT b FROM r'
    expect(outputsOf(sql)).toEqual(['b shop.orders.status+shop.customers.email'])
  })

  it('does not know the columns of a temporary table, nor those of one that is not there', () => {
    const session = { database: 'shop', temporary: [['shop', 'orders']] as const }
    expect(outputsOf('SELECT * FROM orders', session)).toEqual(['*  derived opaque'])
    expect(factsOf('SELECT id FROM orders', session)).toMatchObject({ onlyTemporary: true, countable: false })
    expect(factsOf('SELECT a FROM nothing')).toMatchObject({ unresolved: true, readOnly: false })
    expect(factsOf('SELECT nothing FROM orders').unresolved).toBe(true)
    expect(factsOf('SELECT id FROM orders', { temporary: [] }).unresolved).toBe(true)
  })

  it('does not take a table for a common expression of its name in another case', () => {
    const sql = 'WITH Customers AS (SELECT 1 AS email) SELECT email FROM customers'
    expect(factsOf(sql)).toMatchObject({ unresolved: true, outputs: [{ opaque: true }] })
    expect(outputsOf(sql.toLowerCase())).toEqual(['email  derived'])
  })

  it('knows names in any case only where the server does', () => {
    expect(factsOf('SELECT ID FROM ORDERS').unresolved).toBe(true)
    expect(factsOf('SELECT ID FROM ORDERS', SHOP, modelCatalogue(1)).reads.map(({ name }) => name)).toEqual([
      'shop.orders.id',
    ])
  })
})

describe('what a statement does', () => {
  it.each([
    [
      'DELETE FROM customers WHERE id = 1',
      ['delete shop.customers', 'delete shop.orders by cascade', 'delete shop.lines by cascade'],
    ],
    ['UPDATE customers SET id = 2 WHERE id = 1', ['write shop.customers', 'write shop.orders by cascade']],
    ['UPDATE customers SET city = 2 WHERE id = 1', ['write shop.customers']],
    [
      "INSERT INTO log (note) VALUES ('x')",
      ['write shop.log', 'delete shop.orders by trigger', 'delete shop.lines by cascade'],
    ],
    [
      'REPLACE INTO orders (id) VALUES (1)',
      ['write shop.orders', 'delete shop.orders', 'delete shop.lines by cascade'],
    ],
    [
      'DELETE o FROM orders o JOIN customers c ON c.id = o.customer_id',
      ['delete shop.orders', 'delete shop.lines by cascade', 'read shop.customers', 'read shop.orders'],
    ],
    ['SELECT wipe()', ['execute shop.wipe', 'delete shop.log by function']],
    ['SELECT count (id) FROM orders', ['read shop.orders', 'execute shop.count', 'delete shop.log by function']],
    ['SELECT loops()', ['execute shop.loops', 'unknown .the function `loops` by function']],
    ['SELECT unheard_of()', ['unknown .the function `unheard_of` by function']],
    ['CALL close()', ['execute shop.close', 'write shop.orders by function', 'read shop.orders by function']],
    ['EXPLAIN DELETE FROM orders', ['read shop.orders', 'read shop.lines by cascade'].slice(0, 1)],
    ['ANALYZE DELETE FROM orders', ['delete shop.orders', 'delete shop.lines by cascade', 'read shop.orders']],
    [
      'UPDATE v SET contact = 1',
      ['write shop.v', 'write shop.customers by rule', 'read shop.v', 'read shop.customers by rule'],
    ],
    ['TRUNCATE sales.leads', ['truncate sales.leads']],
    ['DROP TABLE orders, sales.leads', ['drop shop.orders', 'drop sales.leads']],
  ])('%s', (sql, uses) => {
    const said = usesOf(sql)
    expect(uses.filter((use) => !said.includes(use))).toEqual([])
    expect(said.filter((use) => !uses.includes(use) && !use.startsWith('read '))).toEqual([])
  })

  it('only reads what it can prove to', () => {
    const reading = [
      'SELECT id FROM orders',
      'SELECT twice(1)',
      'SHOW TABLES',
      'DESCRIBE orders',
      'EXPLAIN SELECT 1',
      'EXPLAIN DELETE FROM orders',
    ]
    expect(reading.filter((sql) => !factsOf(sql).readOnly)).toEqual([])
    const others = [
      'SELECT id FROM orders FOR UPDATE',
      'SELECT id INTO @x FROM orders',
      'SELECT @x := 1',
      "SELECT GET_LOCK('a', 1)",
      'SELECT wipe()',
      'SELECT count (id) FROM orders',
      'COMMIT',
      'USE shop',
      'SET @x = 1',
      'CALL close()',
      'DO wipe()',
      'SELECT * FROM dark',
      'EXPLAIN SELECT wipe()',
      'HANDLER orders OPEN',
      'SELECT LAST_INSERT_ID(5)',
    ]
    expect(others.filter((sql) => factsOf(sql).readOnly)).toEqual([])
  })

  it.each([
    ['DELETE FROM orders', { unbounded: true }],
    ['DELETE FROM orders LIMIT 3', { unbounded: false, rowsAtMost: 3 }],
    ['DELETE FROM orders WHERE id = 3', { unbounded: false, tautological: false, rowsAtMost: 1 }],
    ['DELETE FROM orders WHERE id = ?', { rowsAtMost: 1 }],
    ["DELETE FROM customers WHERE email = 'x' AND city > 'a'", { rowsAtMost: 1 }],
    ['DELETE FROM orders WHERE id IN (1, 2)', { rowsAtMost: 2 }],
    ['DELETE FROM `lines` WHERE order_id = 1 AND place IN (1, 2, 3)', { rowsAtMost: 3 }],
    ["INSERT INTO customers (email) VALUES ('a'), ('b')", { rowsAtMost: 2 }],
    ['DELETE FROM orders WHERE 1', { tautological: true }],
    ['DELETE FROM orders WHERE id = 1 OR 2 > 1', { tautological: true }],
    ['DELETE FROM orders WHERE ?', { tautological: true }],
    ['DELETE FROM orders WHERE id IS NULL OR id IS NOT NULL', { tautological: true }],
  ])('%s', (sql, change) => {
    expect(mainChange(sql)).toMatchObject(change)
  })

  it.each([
    'DELETE FROM customers WHERE email = 0',
    'DELETE FROM customers WHERE email = ?',
    "DELETE FROM orders WHERE status = 'new'",
    'DELETE FROM `lines` WHERE order_id = 1',
    'DELETE FROM orders WHERE id = 1 || 1',
    'DELETE FROM orders WHERE id = 1 XOR 0',
    'DELETE FROM orders WHERE id = 1 AND NOT 0 = 1',
    'DELETE FROM orders WHERE NOT id = 1',
    'DELETE FROM orders WHERE id = customer_id',
    'DELETE FROM orders WHERE id <> 1',
    'UPDATE orders, customers SET status = 1 WHERE orders.id = 1',
  ])('does not say how many rows at most: %s', (sql) => {
    expect(mainChange(sql)?.rowsAtMost).toBeUndefined()
  })

  it('says of values where they go', () => {
    const flows = (sql: string) =>
      factsOf(sql).flows.map(
        ({ into, origins }) => `${origins.map(({ name }) => name).join('+')} > ${into?.name ?? '?'}`,
      )
    expect(flows('INSERT INTO log (note) SELECT email FROM customers')).toEqual([
      'shop.customers.email > shop.log.note',
    ])
    expect(flows('UPDATE orders o JOIN customers c ON c.id = o.customer_id SET o.status = c.email')).toEqual([
      'shop.customers.email > shop.orders.status',
    ])
    expect(flows('SELECT email INTO @x FROM customers')).toEqual(['shop.customers.email > ?'])
    expect(flows('CREATE TABLE t AS SELECT email FROM customers')).toEqual(['shop.customers.email > ?'])
    expect(flows('SELECT @x := email FROM customers')).toEqual(['shop.customers.email > ?'])
  })
})

describe('counting', () => {
  const queriesOf = (sql: string) => {
    const [command] = understandMysql(sql).commands
    return command
      ? countQueriesOfMysql(command, sql, 10).map(
          (query) => `${query.sql} [${query.parameters}]${query.exact ? ' exact' : ''}`,
        )
      : []
  }

  it.each([
    ['DELETE FROM orders', 'SELECT COUNT(*) FROM (SELECT 1 FROM orders LIMIT 10) AS counted [] exact'],
    [
      "DELETE FROM orders WHERE status = 'LIMIT' ORDER BY id LIMIT 3",
      "SELECT COUNT(*) FROM (SELECT 1 FROM orders WHERE status = 'LIMIT' LIMIT 10) AS counted []",
    ],
    [
      'UPDATE orders SET total = ? WHERE id = ? OR id = ?',
      'SELECT COUNT(*) FROM (SELECT 1 FROM orders WHERE id = ? OR id = ? LIMIT 10) AS counted [2,3] exact',
    ],
    [
      'DELETE o FROM orders o JOIN customers c USING (id) WHERE c.id > 1',
      'SELECT COUNT(*) FROM (SELECT 1 FROM orders o JOIN customers c USING (id) WHERE c.id > 1 LIMIT 10) AS counted []',
    ],
    [
      'DELETE FROM o USING orders AS o JOIN customers c ON 1 WHERE 2',
      'SELECT COUNT(*) FROM (SELECT 1 FROM orders AS o JOIN customers c ON 1 WHERE 2 LIMIT 10) AS counted []',
    ],
    [
      'UPDATE IGNORE orders SET total = (SELECT 1 FROM log WHERE id = 1 LIMIT 1) WHERE id > 2;',
      'SELECT COUNT(*) FROM (SELECT 1 FROM orders WHERE id > 2 LIMIT 10) AS counted [] exact',
    ],
  ])('%s', (sql, query) => {
    expect(queriesOf(sql)).toEqual([query])
  })

  it.each(['@x', 'RAND()', 'CONNECTION_ID()', 'wipe()', 'SLEEP(1)', '@@autocommit'])('not with %s in it', (part) => {
    expect(factsOf(`DELETE FROM orders WHERE id > ${part}`).countable).toBe(false)
  })
})
