import { Secret, type DatabaseConfig } from '@countersign/platform'
import { loadParser, reachesOf, type Blast, type Facts, type LockLevel } from '@countersign/sql'
import type { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { installed, startPostgres, type Postgres } from '../../../../../test/corpus/postgres.ts'
import { Servers } from '../upstream/servers.ts'
import { BlastRadius, type HeldCommand } from './blast-radius.ts'

/*
 * What is said of a statement before it runs, against what it does: each is run in a transaction that is rolled back,
 * with its locks, the files of its tables, its scans, its rows and the objects that are gone looked up at its end.
 */

describe.each(installed())('what a statement would reach, with $label', (binaries) => {
  let server: Postgres
  let admin: Client
  let changer: Client
  let blast: BlastRadius

  beforeAll(async () => {
    await loadParser()
    server = await startPostgres(binaries)
    const first = await server.connect('postgres')
    // Version 13 has no role for it.
    await first.query(version < 14 ? 'CREATE ROLE guard LOGIN SUPERUSER' : 'CREATE ROLE guard LOGIN')
    if (version >= 14) await first.query('GRANT pg_read_all_data TO guard')
    await first.query('CREATE DATABASE shop')
    await first.end()
    admin = await server.connect('shop')
    await admin.query(SCHEMA)
    changer = await server.connect('shop')
    const { upstream } = configOf(server.port)
    blast = new BlastRadius({
      upstream,
      servers: new Servers(upstream, { now: () => new Date().toISOString() }),
      classOf: (column) => (column.endsWith('.email') ? 'email' : column.endsWith('.note') ? 'unknown' : 'clear'),
    })
  })
  afterAll(async () => {
    await blast?.close()
    await changer?.end()
    await admin?.end()
    await server?.stop()
  })

  const version = Number(/\d+/.exec(binaries.label)?.[0])

  const told = (sql: string, more: Partial<HeldCommand> = {}): Promise<Blast> => {
    const held = reachesOf(sql).map((reach) => ({ reach, facts: FACTS, mayCount: true, bound: undefined, ...more }))
    return blast.of(held, SESSION)
  }

  /** Runs it, and says what it did. */
  const done = async (sql: string): Promise<Done> => {
    const notices: string[] = []
    // A new one each time: its counts begin at nothing.
    const client = await server.connect('shop')
    client.on('notice', ({ message, detail }) => notices.push(...`${message}\n${detail ?? ''}`.split('\n')))
    try {
      await client.query('BEGIN')
      const tables = await tablesOf(client)
      const files = await filesOf(client)
      await client.query(sql)
      const locks = await locksOf(client, tables)
      const filesNow = await filesOf(client)
      const scanned = await scannedOf(client)
      const changed = await changedOf(client)
      return {
        locks,
        tables: new Set(tables.values()),
        rewritten: [...filesNow]
          .filter(([name, file]) => files.has(name) && files.get(name) !== file)
          .map(([name]) => name)
          .sort(),
        scanned,
        changed,
        cascaded: notices.filter((line) => /^drop cascades to (?!\d+ other)/.test(line)),
      }
    } finally {
      await client.end()
    }
  }

  /** What is there no more when it has run. */
  const goneBy = async (sql: string): Promise<readonly string[]> => {
    const before = await objectsOf(changer)
    await changer.query('BEGIN')
    await changer.query(sql)
    const now = new Set(await objectsOf(changer))
    await changer.query('ROLLBACK')
    return before.filter((object) => !now.has(object))
  }

  describe('locks, rewrites and scans are those of', () => {
    it.each(LOCKING.filter(([, from = 13]) => from <= version).map(([sql]) => sql))('%s', async (sql) => {
      const said = await told(sql)
      const did = await done(sql)
      // What a query only reads is none of it; and TRUNCATE gives a table another file, and reads that.
      const worked = new Set(said.relations.flatMap(({ name, effect }) => (effect === 'truncates' ? [] : [name])))
      const foretold = {
        unknown: said.unknown,
        locks: locksSaid(said, did.tables),
        rewritten: namesOf(said, ({ rewrites }) => rewrites === true),
        scanned: namesOf(said, ({ scans, rewrites }) => scans === true || rewrites === true),
      }
      const seen = {
        unknown: [],
        locks: did.locks,
        rewritten: did.rewritten.filter((name) => worked.has(name)),
        scanned: did.scanned.filter((name) => worked.has(name)),
      }
      expect(foretold, JSON.stringify({ foretold, seen })).toEqual(seen)
    })
  })

  describe('the rows that it reaches are those that', () => {
    it.each<[string, string?]>(CASCADING)('%s changes', async (sql, kinds) => {
      const said = await told(sql)
      const did = await done(sql)
      const foretold = Object.fromEntries(
        said.relations
          .flatMap(({ name, effect, rows }) =>
            rows && rows.rows > 0 ? [[`${effect} ${name}`, rows.rows] as const] : [],
          )
          .sort(([a], [b]) => (a < b ? -1 : 1)),
      )
      expect(foretold, JSON.stringify([foretold, did.changed])).toEqual(did.changed)
      const carried = said.relations.filter(({ rows, through }) => rows && through !== undefined)
      expect(carried.every(({ rows }) => rows?.exact === (kinds !== 'at most'))).toBe(true)
      expect(said.stops).toEqual([])
      expect(said.unknown).toEqual([])
    })

    it('a statement changes by its own parameters', async () => {
      const bound = { types: [23], formats: [0], values: [Buffer.from('31')] }
      const said = await told('DELETE FROM customers WHERE id = $1', { bound })
      expect(said.relations.map(({ name, rows }) => [name, rows?.rows])).toEqual([
        ['public.customers', 1],
        ['public.orders', 4],
        ['public.items', 12],
        ['public.items', 12],
      ])
      expect((await told('DELETE FROM customers WHERE id = $1')).unknown).toEqual([NOT_COUNTED])
    })

    it('a key forbids, which is said', async () => {
      const sql = 'DELETE FROM customers WHERE id <= 3'
      expect((await told(sql)).stops).toEqual([
        'rows of public.payments refer to what is deleted (foreign key payments_order_id_fkey)',
      ])
      await expect(done(sql)).rejects.toMatchObject({ code: '23503' })
    })

    it('go through a circle of tables, of which is said that they are not counted', async () => {
      const said = await told('DELETE FROM ring_a')
      expect(said.relations.map(({ name }) => name)).toEqual(['public.ring_a', 'public.ring_b'])
      expect(said.unknown).toEqual(['rows that go through the circle of foreign keys that ring_b_a_fkey closes'])
    })

    it('cannot be counted in time, by the word of the planner', async () => {
      const said = await told('DELETE FROM customers WHERE pg_sleep(0.1) IS NOT NULL')
      const [own, carried] = said.relations
      expect(own).toMatchObject({ name: 'public.customers', rows: { exact: false } })
      expect(carried).toMatchObject({ name: 'public.orders', rows: { exact: false } })
      expect(own?.rows?.rows).toBeGreaterThan(0)
    })

    it('nobody may count, by the statistics of the table', async () => {
      const said = await told('DELETE FROM customers WHERE id = 1', { mayCount: false })
      expect(said.relations[0]).toMatchObject({ rows: { rows: 50, exact: false } })
      expect(said.unknown).toEqual([NOT_COUNTED])
      expect(said.sample).toBeUndefined()
    })

    it('lie in a table that somebody else has locked: it is not waited for', async () => {
      const other = await server.connect('shop')
      await other.query('BEGIN; LOCK TABLE orders')
      const said = await told('TRUNCATE orders, items, payments')
      expect(said.relations.map(({ name, rows }) => [name, rows?.exact])).toEqual([
        ['public.orders', false],
        ['public.items', true],
        ['public.payments', true],
      ])
      await other.query('ROLLBACK')
      await other.end()
    })
  })

  it.each(WORDED)('counts what %s changes', async (sql) => {
    const said = await told(sql)
    const did = await done(sql)
    const foretold = said.relations.flatMap(({ name, effect, rows }) =>
      rows && rows.rows > 0 ? [[`${effect} ${name}`, rows.rows] as const] : [],
    )
    expect(Object.fromEntries(foretold)).toEqual(did.changed)
    expect(said.unknown).toEqual([])
  })

  it('counts what MERGE may change', async () => {
    const sql = 'MERGE INTO customers c USING orders o ON c.id = o.customer_id AND o.id = 30 WHEN MATCHED THEN DELETE'
    const { relations } = await told(sql)
    expect(relations.map(({ name, effect, rows }) => [name, effect, rows?.rows])).toEqual([
      ['public.customers', 'deletes', 1],
      ['public.orders', 'deletes', 4],
      ['public.items', 'deletes', 12],
      ['public.items', 'updates', 12],
    ])
  })

  it('says of a view that what is behind it cannot be counted by it', async () => {
    const said = await told("DELETE FROM seen WHERE email LIKE 'c1@%'")
    expect(said.unknown).toEqual([NOT_COUNTED])
  })

  it('knows what ON CONFLICT may carry on', async () => {
    const sql = 'INSERT INTO top VALUES (1, 50) ON CONFLICT (id) DO UPDATE SET code = excluded.code'
    const { relations } = await told(sql)
    expect(relations.map(({ name, effect }) => [name, effect])).toEqual([
      ['public.top', 'updates'],
      ['public.coded', 'updates'],
    ])
  })

  it('means by a name what the session means by it', async () => {
    const [reach] = reachesOf('DELETE FROM customers')
    const held = reach ? [{ reach, facts: FACTS, mayCount: true, bound: undefined }] : []
    const said = await blast.of(held, { ...SESSION, searchPath: ['pg_catalog', 'other', 'public'] })
    expect(said.relations.map(({ name, rows }) => [name, rows?.rows])).toEqual([
      ['other.customers', 3],
      ['other.notes', 3],
    ])
  })

  it('says that row security may hide rows from it', async () => {
    const said = await told('DELETE FROM guarded')
    expect(said.relations).toMatchObject([{ name: 'public.guarded', rows: { exact: version < 14 } }])
    const hidden = 'rows of public.guarded that row security hides from the node'
    expect(said.unknown).toEqual(version < 14 ? [] : [hidden])
  })

  it('says that a relation is not seen from here', async () => {
    const said = await told('DROP TABLE nowhere; DELETE FROM missing; ALTER TABLE gone ADD COLUMN a int')
    expect(said.unknown).toEqual([
      'what depends on table nowhere: it is not seen from here',
      'missing: no such relation is seen from here',
      'gone: no such relation is seen from here',
    ])
  })

  it('says that nothing is known when the database cannot be asked', async () => {
    const { upstream } = configOf(1)
    const servers = new Servers(upstream, { now: () => new Date().toISOString() })
    const unreachable = new BlastRadius({ upstream, servers, classOf: () => 'unknown' })
    const [reach] = reachesOf('DELETE FROM customers')
    const held = reach ? [{ reach, facts: FACTS, mayCount: true, bound: undefined }] : []
    expect(await unreachable.of(held, SESSION)).toMatchObject({
      relations: [],
      unknown: ['what it reaches: the database could not be asked'],
    })
    await unreachable.close()
  })

  describe('the objects that go are those that', () => {
    it.each(DROPPING)('%s drops', async (sql) => {
      const said = await told(`${sql} CASCADE`)
      const did = await done(`${sql} CASCADE`)
      const cascaded = said.dependents.filter(({ cascade }) => cascade)
      const gone = await goneBy(`${sql} CASCADE`)
      expect(gone).toEqual(expect.arrayContaining(said.dependents.map(({ kind, name }) => `${kind} ${name}`)))
      expect(cascaded.map(({ kind, name }) => `${kind} ${name}`).length).toBe(did.cascaded.length)
      const restricted = await told(sql)
      expect(restricted.stops).toHaveLength(did.cascaded.length)
      const refused = await done(sql).then(
        () => 'done',
        ({ code }: { code: string }) => code,
      )
      expect(refused).toBe(did.cascaded.length > 0 ? '2BP01' : 'done')
    })
  })

  it('shows the first rows, masked by the classes of their columns', async () => {
    const said = await told('DELETE FROM customers WHERE id BETWEEN 11 AND 30')
    const { relation, columns, rows } = said.sample ?? { relation: '', columns: [], rows: [] }
    expect(relation).toBe('public.customers')
    expect(rows).toHaveLength(5)
    expect(rows[0]?.slice(0, 4)).toEqual(['11', 'c***@e***.com', '[masked]', 'c'])
    expect(columns.slice(0, 3)).toEqual(['id', 'email', 'note'])
    expect(JSON.stringify(said)).not.toMatch(/c\d+@example/)
  })

  it('says it in a few words', async () => {
    expect((await told('DELETE FROM customers WHERE id IN (30, 31)')).summary).toBe(
      'deletes 2 rows of public.customers; 8 rows of public.orders go with them (foreign key orders_customer_id_fkey); 24 rows of public.items go with them (foreign key items_order_id_fkey); 12 rows of public.items are changed with them (foreign key items_twin_fkey)',
    )
    expect((await told('ALTER TABLE customers ALTER COLUMN x TYPE bigint')).summary).toMatch(
      /^alters public\.customers; writes all of public\.customers \(\d+ kB\) anew under ACCESS EXCLUSIVE; locks public\.customers \(ACCESS EXCLUSIVE: nobody reads or writes meanwhile\)$/,
    )
    expect((await told('DROP VIEW seen CASCADE')).summary).toContain('drops with it view public.seen_again')
    expect((await told("DO 'begin end'")).summary).toBe('not known: what the code reaches that it runs')
  })

  it.each(['TRUNCATE plain', 'DELETE FROM plain', 'DROP TABLE plain', 'DROP TRIGGER noted ON plain', 'LOCK plain'])(
    'knows in %s that a temporary table hides one that lasts',
    async (sql) => {
      const [reach] = reachesOf(sql)
      const session = { ...SESSION, temporary: [['plain', 'other']] } as const
      const said = await blast.of(reach ? [{ reach, facts: FACTS, mayCount: true, bound: undefined }] : [], session)
      expect(said.relations).toEqual([])
      expect(said.unknown).toEqual(['what is in temporary tables of the session'])
    },
  )

  it('does not see what a transaction has written that is open, and says so', async () => {
    const [reach] = reachesOf('DELETE FROM plain')
    const held = reach ? [{ reach, facts: FACTS, mayCount: true, bound: undefined }] : []
    expect((await blast.of(held, SESSION, true)).unknown).toEqual(['rows that the open transaction has written'])
  })
})

const NOT_COUNTED = 'how many rows it changes: they could not be counted before it runs'

interface Done {
  /** `deletes public.orders`: rows. */
  readonly changed: Readonly<Record<string, number>>
  /** What the server says that goes because of CASCADE. */
  readonly cascaded: readonly string[]
  readonly locks: Readonly<Record<string, string>>
  readonly tables: ReadonlySet<string>
  readonly rewritten: readonly string[]
  readonly scanned: readonly string[]
}

type Relation = Blast['relations'][number]

const namesOf = ({ relations }: Blast, which: (relation: Relation) => boolean): readonly string[] =>
  [...new Set(relations.filter(which).map(({ name }) => name))].sort()

const STRONG: ReadonlySet<LockLevel> = new Set([
  'ROW EXCLUSIVE',
  'SHARE UPDATE EXCLUSIVE',
  'SHARE',
  'SHARE ROW EXCLUSIVE',
  'EXCLUSIVE',
  'ACCESS EXCLUSIVE',
])

const locksSaid = ({ relations }: Blast, tables: ReadonlySet<string>) =>
  Object.fromEntries(
    relations
      .filter(({ name }) => tables.has(name))
      .flatMap(({ name, lock }) => (lock && STRONG.has(lock) ? [[name, lock] as const] : []))
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  )

/** Every relation of ours but for indexes, by what they are called before it runs. */
const tablesOf = async (client: Client): Promise<ReadonlyMap<string, string>> => {
  const { rows } = await client.query<{ oid: string; name: string }>(`
    SELECT c.oid::text AS oid, n.nspname || '.' || c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND c.relkind NOT IN ('i', 'I')`)
  return new Map(rows.map(({ oid, name }) => [oid, name]))
}

/** The strongest of each; what only readers and row lockers take is left out. */
const locksOf = async (client: Client, tables: ReadonlyMap<string, string>): Promise<Record<string, string>> => {
  const { rows } = await client.query<{ oid: string; modes: string[] }>(`
    SELECT relation::text AS oid, array_agg(mode) AS modes FROM pg_locks
     WHERE pid = pg_backend_pid() AND locktype = 'relation' GROUP BY 1`)
  const found = rows.flatMap(({ oid, modes }) => {
    const name = tables.get(oid)
    const strongest = MODES.findLast(([mode]) => modes.includes(mode))?.[1]
    return strongest === undefined || name === undefined ? [] : [[name, strongest] as const]
  })
  return Object.fromEntries(found.sort(([a], [b]) => (a < b ? -1 : 1)))
}

const MODES: readonly (readonly [string, LockLevel])[] = [
  ['RowExclusiveLock', 'ROW EXCLUSIVE'],
  ['ShareUpdateExclusiveLock', 'SHARE UPDATE EXCLUSIVE'],
  ['ShareLock', 'SHARE'],
  ['ShareRowExclusiveLock', 'SHARE ROW EXCLUSIVE'],
  ['ExclusiveLock', 'EXCLUSIVE'],
  ['AccessExclusiveLock', 'ACCESS EXCLUSIVE'],
]

const filesOf = async (client: Client): Promise<ReadonlyMap<string, string>> => {
  const { rows } = await client.query<{ name: string; file: string }>(`
    SELECT n.nspname || '.' || c.relname AS name, pg_relation_filenode(c.oid)::text AS file
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND c.relkind IN ('r', 'm')`)
  return new Map(rows.map(({ name, file }) => [name, file]))
}

const scannedOf = async (client: Client): Promise<readonly string[]> => {
  const { rows } = await client.query<{ name: string }>(`
    SELECT schemaname || '.' || relname AS name FROM pg_stat_xact_user_tables WHERE seq_scan > 0 ORDER BY 1`)
  return rows.map(({ name }) => name)
}

const changedOf = async (client: Client): Promise<Readonly<Record<string, number>>> => {
  const { rows } = await client.query<{ name: string; deleted: number; updated: number }>(`
    SELECT schemaname || '.' || relname AS name, n_tup_del::int AS deleted, n_tup_upd::int AS updated
      FROM pg_stat_xact_user_tables`)
  const changes = rows.flatMap(({ name, deleted, updated }) => [
    // Of a partitioned table, whichever partition they are in.
    [`deletes ${name.replace(/_1$/, '')}`, deleted] as const,
    [`updates ${name.replace(/_1$/, '')}`, updated] as const,
  ])
  return Object.fromEntries(changes.filter(([, count]) => count > 0).sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** Everything that something else may depend on. */
const objectsOf = async (client: Client): Promise<readonly string[]> => {
  const { rows } = await client.query<{ name: string }>(`
    SELECT DISTINCT i.type || ' ' || i.identity AS name
      FROM (SELECT DISTINCT classid, objid FROM pg_depend WHERE deptype <> 'p' AND classid <> 0 AND objid >= 16384) d,
           LATERAL pg_identify_object(d.classid, d.objid, 0) i
     WHERE i.type IS NOT NULL AND i.identity NOT LIKE '%pg_toast%'
    UNION
    SELECT i.type || ' ' || i.identity
      FROM pg_attribute a, LATERAL pg_identify_object('pg_class'::regclass, a.attrelid, a.attnum) i
     WHERE a.attrelid >= 16384 AND a.attnum > 0 AND NOT a.attisdropped`)
  return rows.map(({ name }) => name)
}

const SESSION = {
  searchPath: ['pg_catalog', 'public'],
  temporary: [],
  changedSchema: false,
  tentative: false,
  tainted: false,
}

const FACTS = { countable: true, uses: [], actions: [] } as unknown as Facts

const configOf = (port: number): DatabaseConfig => ({
  name: 'shop',
  environment: 'prod',
  upstream: {
    host: '127.0.0.1',
    port,
    database: 'shop',
    tls: 'disable',
    channelBinding: 'prefer',
    guard: { role: 'guard', password: new Secret('trusted') },
    roles: {},
    targetSessionAttrs: 'any',
    loadBalanceHosts: 'disable',
    connectTimeoutMs: 5_000,
  },
})

const SCHEMA = `
CREATE TABLE customers (id int PRIMARY KEY, email text, note text, code varchar(10), price numeric(10,2),
  seen timestamp(3), at timestamptz, checked int CHECK (checked IS NOT NULL), strict int NOT NULL, x int, data text);
INSERT INTO customers SELECT i, 'c' || i || '@example.com', 'n', 'c', 1, now(), now(), i, i, i, 'd'
  FROM generate_series(1, 50) i;
CREATE TABLE orders (id int PRIMARY KEY, customer_id int REFERENCES customers ON DELETE CASCADE, status text);
INSERT INTO orders SELECT i, 1 + i % 50, 's' FROM generate_series(1, 200) i;
CREATE TABLE items (id int PRIMARY KEY, order_id int REFERENCES orders ON DELETE CASCADE,
  twin int REFERENCES items ON DELETE SET NULL);
INSERT INTO items SELECT i, 1 + i % 200, CASE WHEN i > 1 THEN i - 1 END FROM generate_series(1, 600) i;
CREATE TABLE payments (id int PRIMARY KEY, order_id int REFERENCES orders, amount int);
INSERT INTO payments SELECT i, 100 + i, 1 FROM generate_series(1, 20) i;
CREATE TABLE plain (id int PRIMARY KEY, a text, b int, big bigint);
INSERT INTO plain SELECT i, 'a', i, i FROM generate_series(1, 100) i;
CREATE INDEX plain_a ON plain (a);
CREATE UNIQUE INDEX plain_b ON plain (b);
CREATE UNLOGGED TABLE fast (id int PRIMARY KEY, a text);
INSERT INTO fast SELECT i, 'a' FROM generate_series(1, 10) i;
CREATE TABLE events (id int, at date NOT NULL, kind text) PARTITION BY RANGE (at);
CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE events_2 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE events_rest PARTITION OF events DEFAULT;
INSERT INTO events SELECT i, date '2024-01-01' + i, 'k' FROM generate_series(1, 700) i;
CREATE TABLE keyed (id int, at date, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE keyed_1 PARTITION OF keyed FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
INSERT INTO keyed SELECT i, '2024-02-01' FROM generate_series(1, 50) i;
CREATE TABLE keyed_notes (id int, at date, note text, FOREIGN KEY (id, at) REFERENCES keyed ON DELETE CASCADE);
INSERT INTO keyed_notes SELECT id, at, 'n' FROM keyed;
CREATE TABLE tree (id int PRIMARY KEY, parent int REFERENCES tree ON DELETE CASCADE);
INSERT INTO tree SELECT i, CASE WHEN i > 1 THEN i / 2 END FROM generate_series(1, 127) i;
CREATE TABLE top (id int PRIMARY KEY, code int UNIQUE);
CREATE TABLE lefts (id int PRIMARY KEY, top int REFERENCES top ON DELETE CASCADE);
CREATE TABLE rights (id int PRIMARY KEY, top int REFERENCES top ON DELETE CASCADE);
CREATE TABLE bottoms (l int REFERENCES lefts ON DELETE CASCADE, r int REFERENCES rights ON DELETE CASCADE);
CREATE TABLE coded (code int REFERENCES top (code) ON UPDATE CASCADE ON DELETE SET DEFAULT DEFAULT 1, id int);
INSERT INTO top SELECT i, i FROM generate_series(1, 9) i;
INSERT INTO lefts SELECT i, 1 + i % 9 FROM generate_series(1, 30) i;
INSERT INTO rights SELECT i, 1 + i % 9 FROM generate_series(1, 40) i;
INSERT INTO bottoms SELECT 1 + i % 30, 1 + (i * 7) % 40 FROM generate_series(1, 100) i;
INSERT INTO coded SELECT 1 + i % 9, i FROM generate_series(1, 45) i;
CREATE SCHEMA other;
CREATE TABLE other.customers (id bigint PRIMARY KEY);
CREATE TABLE other.notes (customer int REFERENCES other.customers ON DELETE CASCADE);
INSERT INTO other.customers VALUES (1), (2), (3);
INSERT INTO other.notes VALUES (1), (2), (2);
CREATE TABLE "Odd ""Names""" ("a b" int PRIMARY KEY);
CREATE TABLE "where" ("select" int REFERENCES "Odd ""Names""" ON DELETE CASCADE);
INSERT INTO "Odd ""Names""" VALUES (1), (2), (3);
INSERT INTO "where" VALUES (1), (1), (2), (3);
CREATE TABLE wide (a int, b int, PRIMARY KEY (a, b));
CREATE TABLE wide_notes (y int, x int, FOREIGN KEY (x, y) REFERENCES wide (a, b) ON DELETE CASCADE);
INSERT INTO wide SELECT i, 2 * i FROM generate_series(1, 5) i;
INSERT INTO wide_notes SELECT 2 * i, i FROM generate_series(1, 5) i;
CREATE TABLE guarded (id int);
INSERT INTO guarded VALUES (1), (2);
ALTER TABLE guarded ENABLE ROW LEVEL SECURITY;
CREATE TABLE ring_a (id int PRIMARY KEY, b int);
CREATE TABLE ring_b (id int PRIMARY KEY, a int REFERENCES ring_a ON DELETE CASCADE);
ALTER TABLE ring_a ADD FOREIGN KEY (b) REFERENCES ring_b ON DELETE CASCADE;
CREATE TABLE loose (id int, at date NOT NULL, kind text);
INSERT INTO loose VALUES (1, '2027-01-01', 'k');
CREATE TABLE base (id int, v text);
CREATE TABLE derived (more int) INHERITS (base);
CREATE TABLE heir (id int, v text);
INSERT INTO base VALUES (1, 'b'), (2, 'b');
INSERT INTO derived VALUES (3, 'd', 1), (4, 'd', 2);
CREATE VIEW seen AS SELECT email FROM customers;
CREATE VIEW seen_again AS SELECT email FROM seen;
CREATE MATERIALIZED VIEW totals AS SELECT status, count(*) AS n FROM orders GROUP BY 1;
CREATE UNIQUE INDEX totals_status ON totals (status);
CREATE DOMAIN positive AS int CHECK (VALUE > 0);
CREATE DOMAIN word AS text;
CREATE FUNCTION noted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE SEQUENCE numbers;
CREATE POLICY own ON plain USING (true);
CREATE TRIGGER noted BEFORE UPDATE ON plain FOR EACH ROW EXECUTE FUNCTION noted();
ALTER TABLE orders ADD CONSTRAINT orders_later FOREIGN KEY (customer_id) REFERENCES customers NOT VALID;
CREATE TABLE mixed (id int PRIMARY KEY, a int, b int GENERATED ALWAYS AS (a + 1) STORED, s serial);
INSERT INTO mixed (id, a) VALUES (1, 1);
CREATE VIEW mixed_b AS SELECT b FROM mixed;
ANALYZE;
`

/** With the version that they came with, where that is later than the oldest. */
const LOCKING: readonly (readonly [sql: string, from?: number])[] = [
  ['ALTER TABLE plain ADD COLUMN n int'],
  ['ALTER TABLE plain ADD COLUMN n int NOT NULL DEFAULT 7'],
  ["ALTER TABLE plain ADD COLUMN n text DEFAULT upper('x')"],
  ['ALTER TABLE plain ADD COLUMN n timestamptz DEFAULT now()'],
  ['ALTER TABLE plain ADD COLUMN n timestamptz DEFAULT clock_timestamp()'],
  ['ALTER TABLE plain ADD COLUMN n float8 DEFAULT random()'],
  ['ALTER TABLE plain ADD COLUMN n uuid DEFAULT gen_random_uuid()'],
  ['ALTER TABLE plain ADD COLUMN n serial'],
  ['ALTER TABLE plain ADD COLUMN n int GENERATED ALWAYS AS IDENTITY'],
  ['ALTER TABLE plain ADD COLUMN n int GENERATED ALWAYS AS (b + 1) STORED'],
  ['ALTER TABLE plain ADD COLUMN n int GENERATED ALWAYS AS (b + 1) VIRTUAL', 18],
  ['ALTER TABLE plain ADD COLUMN n positive'],
  ['ALTER TABLE plain ADD COLUMN n word'],
  ['ALTER TABLE plain ADD COLUMN n int CHECK (n > 0)'],
  ['ALTER TABLE plain ADD COLUMN n int UNIQUE'],
  ['ALTER TABLE plain ADD COLUMN n int REFERENCES customers'],
  ['ALTER TABLE plain ADD COLUMN n int DEFAULT 1 REFERENCES customers'],
  ['ALTER TABLE plain DROP COLUMN a'],
  ['ALTER TABLE customers DROP COLUMN email CASCADE'],
  ['ALTER TABLE customers ALTER COLUMN code TYPE varchar(20)'],
  ['ALTER TABLE customers ALTER COLUMN code TYPE varchar(5)'],
  ['ALTER TABLE customers ALTER COLUMN code TYPE text'],
  ['ALTER TABLE customers ALTER COLUMN code TYPE varchar'],
  ['ALTER TABLE customers ALTER COLUMN code TYPE char(20)'],
  ['ALTER TABLE customers ALTER COLUMN data TYPE varchar'],
  ['ALTER TABLE customers ALTER COLUMN data TYPE varchar(50)'],
  ['ALTER TABLE customers ALTER COLUMN data TYPE word'],
  ['ALTER TABLE customers ALTER COLUMN x TYPE positive'],
  ['ALTER TABLE customers ALTER COLUMN x TYPE bigint'],
  ['ALTER TABLE customers ALTER COLUMN x TYPE int'],
  ['ALTER TABLE customers ALTER COLUMN x TYPE int USING x'],
  ['ALTER TABLE customers ALTER COLUMN x TYPE int USING x::int'],
  ['ALTER TABLE customers ALTER COLUMN x TYPE int USING x + 1'],
  ['ALTER TABLE customers ALTER COLUMN x TYPE oid'],
  ['ALTER TABLE customers ALTER COLUMN price TYPE numeric(12,2)'],
  ['ALTER TABLE customers ALTER COLUMN price TYPE numeric(12,3)'],
  ['ALTER TABLE customers ALTER COLUMN price TYPE numeric(8,2)'],
  ['ALTER TABLE customers ALTER COLUMN price TYPE numeric'],
  ['ALTER TABLE customers ALTER COLUMN seen TYPE timestamp(6)'],
  ['ALTER TABLE customers ALTER COLUMN seen TYPE timestamp'],
  ['ALTER TABLE customers ALTER COLUMN seen TYPE timestamp(1)'],
  ['ALTER TABLE customers ALTER COLUMN x SET NOT NULL'],
  ['ALTER TABLE customers ALTER COLUMN checked SET NOT NULL'],
  ['ALTER TABLE customers ALTER COLUMN strict SET NOT NULL'],
  ['ALTER TABLE customers ALTER COLUMN strict DROP NOT NULL'],
  ['ALTER TABLE customers ALTER COLUMN x SET DEFAULT 1'],
  ['ALTER TABLE customers ALTER COLUMN x DROP DEFAULT'],
  ['ALTER TABLE customers ALTER COLUMN x SET STATISTICS 100'],
  ['ALTER TABLE customers ALTER COLUMN x SET (n_distinct = 5)'],
  ['ALTER TABLE customers ALTER COLUMN data SET STORAGE EXTERNAL'],
  ['ALTER TABLE customers ALTER COLUMN data SET COMPRESSION pglz', 14],
  ['ALTER TABLE plain ADD CONSTRAINT c CHECK (b > 0)'],
  ['ALTER TABLE plain ADD CONSTRAINT c CHECK (b > 0) NOT VALID'],
  ['ALTER TABLE plain ADD CONSTRAINT c UNIQUE (big)'],
  ['ALTER TABLE plain ADD CONSTRAINT c UNIQUE USING INDEX plain_b'],
  ['ALTER TABLE plain ADD CONSTRAINT c EXCLUDE (b WITH =)'],
  ['ALTER TABLE plain ADD CONSTRAINT c FOREIGN KEY (b) REFERENCES customers NOT VALID'],
  ['ALTER TABLE orders ADD CONSTRAINT c FOREIGN KEY (customer_id) REFERENCES customers'],
  ['ALTER TABLE plain ADD CONSTRAINT c NOT NULL b', 18],
  ['ALTER TABLE plain ADD CONSTRAINT c NOT NULL b NOT VALID', 18],
  ['ALTER TABLE loose ADD PRIMARY KEY (id)'],
  ['ALTER TABLE loose ADD FOREIGN KEY (id, at) REFERENCES keyed NOT VALID'],
  ['ALTER TABLE keyed ADD FOREIGN KEY (id) REFERENCES customers'],
  ['ALTER TABLE customers ALTER COLUMN id TYPE bigint'],
  ['ALTER TABLE orders ALTER COLUMN customer_id TYPE bigint'],
  ['ALTER TABLE events ADD CONSTRAINT c CHECK (id > 0)'],
  // Before, its partitions are locked less than is said.
  ['ALTER TABLE events ADD CONSTRAINT c UNIQUE (id, at)', 18],
  ['ALTER TABLE payments DROP CONSTRAINT payments_order_id_fkey'],
  ['ALTER TABLE plain DROP CONSTRAINT plain_pkey'],
  ['ALTER TABLE orders DROP CONSTRAINT orders_pkey CASCADE'],
  ['ALTER TABLE plain SET UNLOGGED'],
  ['ALTER TABLE plain SET LOGGED'],
  ['ALTER TABLE fast SET LOGGED'],
  ['ALTER TABLE plain SET ACCESS METHOD heap', 15],
  ['ALTER TABLE plain SET TABLESPACE pg_default'],
  ['ALTER TABLE plain SET (fillfactor = 70)'],
  ['ALTER TABLE plain SET (autovacuum_enabled = off, parallel_workers = 2)'],
  ['ALTER TABLE plain SET (user_catalog_table = true)'],
  ['ALTER TABLE plain RESET (fillfactor)'],
  ['ALTER TABLE plain CLUSTER ON plain_a'],
  ['ALTER TABLE plain SET WITHOUT CLUSTER'],
  ['ALTER TABLE plain ENABLE ROW LEVEL SECURITY'],
  ['ALTER TABLE plain DISABLE TRIGGER noted'],
  ['ALTER TABLE plain ENABLE TRIGGER ALL'],
  ['ALTER TABLE plain REPLICA IDENTITY FULL'],
  ['ALTER TABLE plain OWNER TO postgres'],
  ['ALTER TABLE plain RENAME TO other'],
  ['ALTER TABLE plain RENAME COLUMN a TO z'],
  ['ALTER TABLE plain RENAME CONSTRAINT plain_pkey TO key'],
  ['ALTER TABLE base RENAME COLUMN v TO w'],
  ['ALTER TABLE plain SET SCHEMA public'],
  ['ALTER TABLE events ADD COLUMN n int DEFAULT 1'],
  ['ALTER TABLE events ADD COLUMN n float8 DEFAULT random()'],
  ['ALTER TABLE events ALTER COLUMN kind TYPE varchar(9)'],
  ['ALTER TABLE events ALTER COLUMN kind SET NOT NULL'],
  ['ALTER TABLE events ALTER COLUMN kind SET DEFAULT 1'],
  ['ALTER TABLE ONLY base ALTER COLUMN v SET DEFAULT 1'],
  ['ALTER TABLE base ADD COLUMN n int'],
  ['ALTER TABLE base ALTER COLUMN id TYPE bigint'],
  ['ALTER TABLE heir INHERIT base'],
  ["ALTER TABLE events ATTACH PARTITION loose FOR VALUES FROM ('2027-01-01') TO ('2028-01-01')"],
  // On 13 the partition is locked less than is said.
  ['ALTER TABLE events DETACH PARTITION events_1', 14],
  ['ALTER TABLE derived NO INHERIT base'],
  ['ALTER TABLE mixed ALTER COLUMN b DROP EXPRESSION'],
  ['ALTER TABLE mixed ALTER COLUMN b SET EXPRESSION AS (a + 2)', 17],
  ['ALTER TABLE orders VALIDATE CONSTRAINT orders_later'],
  ['ALTER TABLE plain ADD COLUMN n int, ALTER COLUMN b TYPE bigint, ALTER COLUMN a SET STATISTICS 5'],
  ['ALTER INDEX plain_a RENAME TO plain_z'],
  ['ALTER INDEX plain_a SET (fillfactor = 70)'],
  ['ALTER SEQUENCE numbers RESTART'],
  ['ALTER VIEW seen RENAME TO looked'],
  ['ALTER VIEW seen ALTER COLUMN email SET DEFAULT 1'],
  ['ALTER POLICY own ON plain USING (false)'],
  ['CREATE INDEX ON plain (big)'],
  ['CREATE INDEX ON events (kind)'],
  ['CREATE TRIGGER t BEFORE INSERT ON plain FOR EACH ROW EXECUTE FUNCTION noted()'],
  ['CREATE RULE r AS ON UPDATE TO plain DO NOTHING'],
  ['CREATE POLICY p ON plain USING (true)'],
  ['CREATE STATISTICS st ON a, b FROM plain'],
  ['CREATE OR REPLACE VIEW seen_again AS SELECT email FROM seen'],
  ["CREATE TABLE events_3 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')"],
  ['COMMENT ON TABLE plain IS NULL'],
  ['COMMENT ON COLUMN plain.a IS NULL'],
  ['DROP TABLE plain'],
  ['DROP TABLE items'],
  ['DROP TABLE payments, items'],
  ['DROP TABLE orders CASCADE'],
  ['DROP TABLE customers CASCADE'],
  ['DROP TABLE events'],
  ['DROP TABLE events_1'],
  ['DROP TABLE base CASCADE'],
  ['DROP TABLE mixed CASCADE'],
  ['DROP INDEX plain_a'],
  ['DROP VIEW seen CASCADE'],
  ['DROP MATERIALIZED VIEW totals'],
  ['DROP SEQUENCE numbers'],
  ['DROP TRIGGER noted ON plain'],
  ['DROP POLICY own ON plain'],
  ['DROP FUNCTION noted CASCADE'],
  ['DROP FUNCTION noted() CASCADE'],
  ['TRUNCATE plain'],
  ['TRUNCATE customers CASCADE'],
  ['TRUNCATE orders, items, payments'],
  ['TRUNCATE events'],
  ['TRUNCATE ONLY base'],
  ['TRUNCATE base'],
  ['REFRESH MATERIALIZED VIEW totals'],
  ['REFRESH MATERIALIZED VIEW CONCURRENTLY totals'],
  ['CLUSTER plain USING plain_b'],
  ['REINDEX TABLE plain'],
  ['REINDEX INDEX plain_a'],
  ['ANALYZE plain'],
  ['LOCK TABLE plain IN SHARE MODE'],
  ['LOCK TABLE events'],
  ['LOCK TABLE ONLY base IN EXCLUSIVE MODE'],
]

const CASCADING: [string, string?][] = [
  ['DELETE FROM customers WHERE id IN (30, 31)'],
  ['DELETE FROM customers c USING orders o WHERE o.customer_id = c.id AND o.id IN (29, 79, 30)'],
  ['WITH chosen AS (SELECT 31 AS id) DELETE FROM customers WHERE id IN (SELECT id FROM chosen)'],
  ['EXPLAIN ANALYZE DELETE FROM customers WHERE id = 40'],
  ['DELETE FROM orders WHERE id = 30'],
  ['DELETE FROM items WHERE id = 10'],
  ['DELETE FROM items'],
  ['DELETE FROM tree WHERE id = 5'],
  ['DELETE FROM tree WHERE id IN (1, 2, 60)'],
  ['DELETE FROM top WHERE id IN (2, 3)'],
  ['DELETE FROM keyed WHERE id < 20'],
  ['DELETE FROM keyed_notes WHERE id < 20'],
  ['DELETE FROM plain'],
  ['UPDATE plain SET b = b + 1000 WHERE id > 7'],
  ['UPDATE top SET code = code + 100 WHERE id <= 4', 'at most'],
  ['UPDATE top SET id = id WHERE id <= 4'],
]

/** The same under other names, and in other words. */
const WORDED: string[] = [
  '/* a */ DELETE /* b */ FROM /* c */ ONLY (customers) /* d */ WHERE id = 31 -- e',
  'delete from "public"."customers" as "where" where "where".id = 31 returning "where".*',
  'DELETE FROM customers AS "a""b" WHERE "a""b".id IN (SELECT customer_id FROM orders WHERE id = 30)',
  'WITH d AS (DELETE FROM orders WHERE id = 30 RETURNING id) SELECT count(*) FROM d',
  'WITH d AS (DELETE FROM items WHERE id = 10), e AS (DELETE FROM tree WHERE id = 9) SELECT 1',
  'DELETE FROM items WHERE id = 10; DELETE FROM tree WHERE id = 9',
  'DELETE FROM other.customers',
  'DELETE FROM "Odd ""Names""" WHERE "a b" < 3',
  'DELETE FROM wide WHERE (a, b) IN ((1, 2), (2, 4))',
  'DELETE FROM ONLY base',
  "UPDATE customers SET note = 'x' FROM orders WHERE orders.customer_id = customers.id AND orders.id < 5",
]

const DROPPING: readonly string[] = [
  'DROP TABLE customers',
  'DROP TABLE orders',
  'DROP TABLE plain',
  'DROP TABLE items, payments',
  'DROP TABLE events',
  'DROP TABLE base',
  'DROP TABLE keyed',
  'DROP TABLE mixed',
  'DROP VIEW seen',
  'DROP VIEW mixed_b',
  'DROP MATERIALIZED VIEW totals',
  'DROP FUNCTION noted()',
  'DROP FUNCTION noted',
  'DROP TYPE positive',
  'DROP DOMAIN word',
  'DROP SEQUENCE numbers',
  'DROP SCHEMA public',
  'ALTER TABLE customers DROP COLUMN email',
  'ALTER TABLE customers DROP COLUMN id',
  'ALTER TABLE mixed DROP COLUMN a',
  'ALTER TABLE mixed DROP COLUMN s',
  'ALTER TABLE orders DROP CONSTRAINT orders_pkey',
  'ALTER TABLE plain DROP CONSTRAINT plain_pkey',
]
