import type { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { installed, startPostgres, type Postgres } from '../../../../test/corpus/postgres.ts'
import { loadCatalogue } from '../../../../test/corpus/side-connection.ts'
import { ADVICE_CODES, advise, DEFAULT_SESSION, loadParser, type Advice, type Catalogue, type Known } from '../index.ts'

/*
 * What is advised is done, on real servers: the statements parse and run, what they come to is what the statement
 * itself would have come to, and the locks that they ask for are the weaker ones.
 */

const SCHEMA = `
CREATE TABLE customers (id int PRIMARY KEY, email text, name varchar(40), country char(2));
CREATE TABLE orders (id int PRIMARY KEY, customer_id int NOT NULL, total int, note text, "Odd" int);
CREATE TABLE lines (order_id int, line int, PRIMARY KEY (order_id, line));
CREATE TABLE keyless (a int);
CREATE TABLE loose (a int UNIQUE, b int);
CREATE TABLE parts (id int, at date) PARTITION BY RANGE (at);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE SCHEMA other;
CREATE TABLE other.orders (id int PRIMARY KEY, code text);
CREATE MATERIALIZED VIEW m AS SELECT id, total FROM orders;
CREATE UNIQUE INDEX m_id ON m (id);
CREATE MATERIALIZED VIEW unkeyed AS SELECT total FROM orders;
CREATE INDEX orders_note ON orders (note);
CREATE INDEX orders_customer ON orders (customer_id);
INSERT INTO customers SELECT g, 'u' || g || '@example.com', 'n' || g, 'CH' FROM generate_series(1, 50) g;
INSERT INTO orders SELECT g, g % 50 + 1, g, CASE WHEN g % 3 = 0 THEN 'it''s' ELSE 'x' END, g FROM generate_series(1, 3500) g;
INSERT INTO lines SELECT g, 1 FROM generate_series(1, 20) g;
INSERT INTO loose VALUES (1, 1), (NULL, 2);
REFRESH MATERIALIZED VIEW m;
`

/** Everything that a statement here can leave behind. Statements are run in databases of their own. */
const STATE = `
SELECT 'column', attrelid::regclass::text, attname, format_type(atttypid, atttypmod), attnotnull::text,
       pg_get_expr(adbin, adrelid)
  FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
 WHERE attrelid >= 16384 AND attnum > 0 AND NOT attisdropped
UNION ALL
SELECT 'constraint', conrelid::regclass::text, conname, pg_get_constraintdef(oid), convalidated::text, NULL
  FROM pg_constraint WHERE conrelid >= 16384
UNION ALL
SELECT 'index', indrelid::regclass::text, indexrelid::regclass::text, pg_get_indexdef(indexrelid), indisvalid::text,
       indisprimary::text
  FROM pg_index WHERE indrelid >= 16384
UNION ALL SELECT 'orders', NULL, NULL, md5(string_agg(o::text, '|' ORDER BY id)), NULL, NULL FROM orders o
UNION ALL SELECT 'm', NULL, NULL, md5(string_agg(m::text, '|' ORDER BY id)), NULL, NULL FROM m
ORDER BY 1, 2, 3, 4`

describe.each(installed())('advice, with $label', (binaries) => {
  let server: Postgres
  let admin: Client
  let catalogue: Catalogue
  let plain: Client
  let databases = 0

  beforeAll(async () => {
    await loadParser()
    server = await startPostgres(binaries)
    const first = await server.connect('postgres')
    await first.query('CREATE DATABASE model')
    const model = await server.connect('model')
    await model.query(SCHEMA)
    catalogue = await loadCatalogue(model)
    await model.end()
    await first.query('CREATE DATABASE plain TEMPLATE model')
    plain = await server.connect('plain')
    admin = first
  })
  afterAll(async () => {
    await plain?.end()
    await admin?.end()
    await server?.stop()
  })

  const adviceOn = (sql: string, more: Partial<Known> = {}): readonly Advice[] =>
    advise(sql, () => ({ catalogue, session: DEFAULT_SESSION, ...more })).flat()

  const only = (sql: string, more: Partial<Known> = {}): Advice => {
    const [advice, ...others] = adviceOn(sql, more)
    if (!advice || others.length > 0) throw new Error(`${others.length + 1} pieces of advice on ${sql}`)
    return advice
  }

  /** What is there after these statements, each by itself; one that finds work again and again until it finds none. */
  const after = async (statements: readonly string[]): Promise<readonly unknown[]> => {
    const name = `try_${++databases}`
    await admin.query(`CREATE DATABASE ${name} TEMPLATE model`)
    const client = await server.connect(name)
    try {
      for (const statement of statements) await untilDone(client, statement)
      return (await client.query({ text: STATE, rowMode: 'array' })).rows
    } finally {
      await client.end()
      await admin.query(`DROP DATABASE ${name}`)
    }
  }

  /** What would be there after the statement itself, which is taken back. */
  const wouldBe = async (sql: string): Promise<readonly unknown[]> => {
    await plain.query('BEGIN')
    await plain.query(sql)
    const { rows } = await plain.query({ text: STATE, rowMode: 'array' })
    await plain.query('ROLLBACK')
    return rows
  }

  const untilDone = async (client: Client, statement: string) => {
    const isInParts = statement.includes(' LIMIT 1000')
    let rounds = 0
    for (;;) {
      const { rowCount } = await client.query(statement)
      rounds += 1
      if (!isInParts || !rowCount) break
    }
    if (isInParts) expect(rounds).toBeGreaterThan(2)
  }

  describe('what is to be run in the place of a statement comes to the same', () => {
    it.each([
      'CREATE INDEX orders_total ON orders (total)',
      'CREATE INDEX IF NOT EXISTS orders_total ON public.orders USING btree (lower(note) DESC NULLS LAST, "Odd") INCLUDE (id) WHERE total > 5',
      `CREATE UNIQUE INDEX ON orders (id, "Odd")`,
      'DROP INDEX orders_note',
      'DROP INDEX IF EXISTS orders_note, public.orders_customer',
      'REINDEX TABLE orders',
      'REINDEX INDEX orders_note',
      'REINDEX (VERBOSE) TABLE orders',
      'REFRESH MATERIALIZED VIEW m',
      'ALTER TABLE orders ADD CONSTRAINT to_customer FOREIGN KEY (customer_id) REFERENCES customers (id) ON DELETE CASCADE',
      'ALTER TABLE orders ADD FOREIGN KEY (customer_id) REFERENCES customers',
      `ALTER TABLE orders ADD CHECK (total > 0 AND total < 100000)`,
      `ALTER TABLE orders ADD CHECK (total > "Odd" - 1)`,
      `ALTER TABLE IF EXISTS public.orders ADD CONSTRAINT "Fair" CHECK (note <> 'a''b')`,
      'ALTER TABLE orders ALTER COLUMN total SET NOT NULL',
      'ALTER TABLE orders ALTER COLUMN "Odd" SET NOT NULL',
      'ALTER TABLE orders ADD UNIQUE (total)',
      'ALTER TABLE orders ADD CONSTRAINT once UNIQUE (total, "Odd") DEFERRABLE INITIALLY DEFERRED',
      'ALTER TABLE keyless ADD PRIMARY KEY (a)',
      'ALTER TABLE orders ADD COLUMN extra int DEFAULT (random() * 0)::int + 5',
      `ALTER TABLE ONLY orders ADD COLUMN IF NOT EXISTS "Extra" text DEFAULT left(gen_random_uuid()::text, 0) || 'it''s'`,
      'DELETE FROM orders WHERE total > 100',
      `DELETE FROM orders AS o WHERE o.total BETWEEN 10 AND 3000 AND note LIKE 'x%' AND lower(o.note) = 'x'`,
      'DELETE FROM ONLY orders WHERE total > 100',
    ])('%s', async (sql) => {
      const { sql: instead } = only(sql)
      if (sql.includes('FROM ONLY')) return expect(instead).toBeUndefined()
      expect(instead).toBeDefined()
      expect(await after(instead ?? [])).toEqual(await wouldBe(sql))
    })
  })

  describe('it asks for weaker locks', () => {
    /** The lock on `orders` that it waits for while somebody has all of it. */
    const lockAsked = async (statement: string): Promise<string> => {
      const name = `lock_${++databases}`
      await admin.query(`CREATE DATABASE ${name} TEMPLATE model`)
      const blocker = await server.connect(name)
      await blocker.query('ALTER TABLE orders ADD CONSTRAINT c CHECK (total > 0) NOT VALID')
      await blocker.query('BEGIN; LOCK TABLE orders IN ACCESS EXCLUSIVE MODE')
      const worker = await server.connect(name)
      const ended = worker.query(statement).catch(() => undefined)
      try {
        for (;;) {
          const { rows } = await blocker.query<{ mode: string }>(
            "SELECT mode FROM pg_locks WHERE NOT granted AND relation = 'orders'::regclass",
          )
          if (rows[0]) return rows[0].mode
        }
      } finally {
        await blocker.query('ROLLBACK')
        await ended
        await Promise.all([blocker.end(), worker.end()])
        await admin.query(`DROP DATABASE ${name}`)
      }
    }

    it.each([
      ['CREATE INDEX orders_total ON orders (total)', 'ShareLock', 'ShareUpdateExclusiveLock'],
      ['DROP INDEX orders_note', 'AccessExclusiveLock', 'ShareUpdateExclusiveLock'],
      ['REINDEX TABLE orders', 'ShareLock', 'ShareUpdateExclusiveLock'],
      ['ALTER TABLE orders ADD UNIQUE (total)', 'AccessExclusiveLock', 'ShareUpdateExclusiveLock'],
    ])('%s', async (sql, before, instead) => {
      expect(await lockAsked(sql)).toBe(before)
      expect(await lockAsked(only(sql).sql?.[0] ?? '')).toBe(instead)
    })

    it('to look through the rows there are', async () => {
      const [, validate] = only('ALTER TABLE orders ADD CONSTRAINT c CHECK (total > 0)').sql ?? []
      await expect(lockAsked(`${validate}`)).resolves.toBe('ShareUpdateExclusiveLock')
    })
  })

  it.each<[string, string, Partial<Known>?]>([
    ['DELETE FROM customers', 'rows-by-key: name the rows by customers.id'],
    ['DELETE FROM other.orders WHERE true', 'rows-by-key: name the rows by orders.id'],
    ['UPDATE lines SET line = 2', 'rows-by-key: name the rows by lines.order_id and lines.line'],
    ['UPDATE keyless SET a = 2 WHERE 1 = 1', 'rows-by-key: name the rows that you mean in a WHERE clause'],
    [
      'UPDATE orders SET total = 1 WHERE total > 5',
      'rows-in-parts: change the rows in parts, by ranges of orders.id',
      { rows: 90 },
    ],
    ['CREATE INDEX ON parts (id)', 'index-by-partition'],
    ['DROP TABLE customers', 'rename-first'],
    ['DROP SCHEMA other CASCADE', 'rename-first'],
    ['TRUNCATE orders', 'rows-in-parts: DELETE the rows'],
    ['ALTER TABLE orders RENAME COLUMN note TO remark', 'expand-and-contract'],
    ['ALTER TABLE orders DROP COLUMN note', 'expand-and-contract'],
    ['ALTER TABLE orders ALTER COLUMN total TYPE bigint', 'type-rewrite'],
    ['ALTER TABLE orders ADD COLUMN s bigserial', 'column-rewrite'],
    ['ALTER TABLE orders ADD COLUMN n int GENERATED ALWAYS AS IDENTITY', 'column-rewrite'],
    ['ALTER TABLE orders SET UNLOGGED', 'rewrite-online'],
    ['VACUUM (FULL) orders', 'vacuum-plain'],
    ['VACUUM FULL', 'vacuum-plain'],
    ['CLUSTER orders USING orders_pkey', 'rewrite-online'],
    ['LOCK TABLE orders', 'lock-rows'],
    ['SELECT * FROM orders FOR UPDATE', 'lock-few-rows'],
    ['GRANT ALL ON orders TO public', 'name-privileges'],
    ['ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO public', 'name-privileges'],
    ['REFRESH MATERIALIZED VIEW unkeyed', 'refresh-concurrently: give it a unique index'],
    [
      'SELECT * FROM customers',
      'name-columns: name the columns that you need in the place of * (id, country are not sensitive)',
      { sensitive: ['public.customers.email', 'public.customers.name'] },
    ],
  ])('on %s: %s', (sql, expected, known = {}) => {
    const { code, text, sql: instead } = only(sql, known)
    expect(`${code}: ${text}`.slice(0, expected.length)).toBe(expected)
    expect(instead).toBeUndefined()
  })

  it.each([
    'CREATE INDEX CONCURRENTLY ON orders (total)',
    'CREATE INDEX ON nowhere (total)',
    'DROP INDEX CONCURRENTLY orders_note',
    'DROP INDEX nowhere',
    'REINDEX TABLE CONCURRENTLY orders',
    'ALTER TABLE orders ADD CHECK (total > 0) NOT VALID',
    'ALTER TABLE orders VALIDATE CONSTRAINT c',
    'ALTER TABLE orders ADD COLUMN c int DEFAULT 5',
    'ALTER TABLE orders ADD COLUMN c timestamptz DEFAULT now()',
    'ALTER TABLE customers ALTER COLUMN name TYPE text',
    'ALTER TABLE orders ADD PRIMARY KEY USING INDEX i',
    'DROP TABLE nowhere',
    'DELETE FROM nowhere',
    'VACUUM orders',
    'GRANT SELECT ON orders TO public',
    'REVOKE ALL ON orders FROM public',
    'SELECT id FROM orders FOR UPDATE LIMIT 5',
    'SELECT * FROM orders WHERE id = 1 FOR UPDATE',
    'SELECT * FROM orders',
    'INSERT INTO orders VALUES (1)',
  ])('nothing on %s', (sql) => expect(adviceOn(sql)).toEqual([]))

  it('nothing of rows that are few', () => expect(adviceOn('DELETE FROM orders WHERE id = 1', { rows: 1 })).toEqual([]))

  it.each([
    // What is left after the last part would be something else than what one DELETE leaves.
    'DELETE FROM orders WHERE total > (SELECT avg(total) FROM orders)',
    'DELETE FROM orders WHERE random() < 0.5',
    'DELETE FROM orders USING customers c WHERE c.id = customer_id',
    'DELETE FROM orders WHERE total > 5 RETURNING id',
    'WITH old AS (SELECT 1) DELETE FROM orders WHERE total > 5',
    // Rows whose key is null would never be found.
    'DELETE FROM loose WHERE b > 0',
    'DELETE FROM lines WHERE line > 0',
    // The parts of one ALTER belong together.
    'ALTER TABLE orders ADD CHECK (total > 0), ALTER COLUMN note SET NOT NULL',
    'ALTER TABLE parts ADD CHECK (id > 0)',
    'ALTER TABLE orders ADD CONSTRAINT u UNIQUE (total) WITH (fillfactor = 70)',
    // Not a name that the server would give.
    `ALTER TABLE orders ADD CHECK (${'"' + 'x'.repeat(60) + '"'} > 0)`,
    'DROP INDEX orders_note CASCADE',
  ])('words alone on %s', (sql) => {
    const advice = adviceOn(sql, { rows: 5_000 })
    expect(advice.length).toBeGreaterThan(0)
    expect(advice.map(({ sql: instead }) => instead)).toEqual(advice.map(() => undefined))
  })

  it('words alone on what nobody would read', () => {
    const ids = Array.from({ length: 2_000 }, (_, id) => id).join()
    expect(only(`DELETE FROM orders WHERE id IN (${ids})`).sql).toBeUndefined()
    expect(only('DELETE FROM orders WHERE id IN (1, 2)').sql).toBeDefined()
  })

  it('names no code that is not listed', () => expect(new Set(ADVICE_CODES).size).toBe(ADVICE_CODES.length))
})
