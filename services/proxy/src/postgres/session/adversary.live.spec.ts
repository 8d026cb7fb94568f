import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { cstring, FRONTEND, int16, int32, message, parse, query, SYNC } from '@countersign/pgwire'
import { freePorts, memoryLog } from '@countersign/testing'
import { installed, startPostgres, type Postgres } from '../../../../../test/corpus/postgres.ts'
import { LiveNode, LOGIN, type WatchedClient } from '../testing/live-node.ts'
import { RawSession } from '../testing/raw-session.ts'

/*
 * Clients that try to have one thing judged or masked while the server runs another. Everything is real: a whole node in
 * this process, in front of a server of each version that this machine has. No byte that a client is sent may hold what
 * stands in `customers.ssn`, and nothing may delete from `keep`, whatever the shipped policies let through, and whatever
 * a site lets through that trusts its people with roles, paths and structure.
 */

const SECRET = /ZETA-\d/

const SCHEMA = `
CREATE TABLE customers (id int PRIMARY KEY, ssn text, email text);
INSERT INTO customers VALUES (1, 'ZETA-1', 'ann.lee@example.com'), (2, 'ZETA-2', NULL);
CREATE TABLE plain (id int PRIMARY KEY, note text);
INSERT INTO plain VALUES (1, 'fine'), (2, 'good');
CREATE TABLE strictly (id int PRIMARY KEY CHECK (id > 0), ssn text);
INSERT INTO strictly VALUES (1, 'ZETA-9');
CREATE TABLE keep (id int PRIMARY KEY);
INSERT INTO keep SELECT generate_series(1, 100);
CREATE SCHEMA evil;
CREATE VIEW evil.plain AS SELECT id, ssn AS note FROM public.customers;
CREATE VIEW evil.backwards AS SELECT id, reverse(ssn) AS ssn FROM public.customers;
CREATE VIEW moves AS SELECT set_config('search_path', 'evil', false) AS note;
CREATE TABLE moved_by_default (id int, path text DEFAULT set_config('search_path', 'evil', false));
CREATE FUNCTION wipe() RETURNS int LANGUAGE sql AS $$ DELETE FROM public.keep; SELECT 1 $$;
CREATE FUNCTION move() RETURNS trigger LANGUAGE plpgsql AS
  $$ BEGIN PERFORM set_config('search_path', 'evil', false); RETURN NEW; END $$;
CREATE TABLE moved_by_trigger (id int);
CREATE TRIGGER moves BEFORE INSERT ON moved_by_trigger FOR EACH ROW EXECUTE FUNCTION move();
CREATE TABLE wiped_by_default (id int, done int DEFAULT wipe());
CREATE FUNCTION inserts() RETURNS void LANGUAGE sql AS $$ INSERT INTO public.wiped_by_default (id) VALUES (1) $$;
CREATE FUNCTION on_its_path() RETURNS text LANGUAGE sql SET search_path = evil AS
  $$ SELECT string_agg(note, ',') FROM plain $$;
CREATE FUNCTION moves_itself() RETURNS text LANGUAGE plpgsql AS $$
  DECLARE r text; BEGIN SET LOCAL search_path = evil; SELECT string_agg(note, ',') INTO r FROM plain; RETURN r; END $$;
CREATE FUNCTION as_owner() RETURNS text LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS
  $$ SELECT string_agg(ssn, ',') FROM customers $$;
CREATE FUNCTION reopens() RETURNS int LANGUAGE plpgsql AS $$
  DECLARE c refcursor := 'c'; BEGIN CLOSE c; OPEN c FOR SELECT reverse(ssn) || ssn FROM public.customers; RETURN 1; END $$;
CREATE FUNCTION prepares() RETURNS void LANGUAGE plpgsql AS
  $$ BEGIN DEALLOCATE p; PREPARE p AS SELECT reverse(ssn) || ssn FROM public.customers; END $$;
CREATE FUNCTION fills() RETURNS void LANGUAGE plpgsql AS
  $$ BEGIN INSERT INTO got SELECT id, ssn FROM public.customers; END $$;
CREATE FUNCTION misreads() RETURNS text LANGUAGE sql AS
  $$ SELECT set_config('standard_conforming_strings', 'off', false) $$;
CREATE FUNCTION errs() RETURNS int LANGUAGE plpgsql AS
  $$ DECLARE x int; BEGIN SELECT ssn INTO x FROM public.customers LIMIT 1; RETURN x; END $$;
CREATE FUNCTION tells() RETURNS trigger LANGUAGE plpgsql AS
  $$ BEGIN RAISE EXCEPTION 'no: %', (SELECT ssn FROM public.customers LIMIT 1); END $$;
CREATE TABLE told (id int);
CREATE TRIGGER tells BEFORE INSERT ON told FOR EACH ROW EXECUTE FUNCTION tells();
CREATE TABLE own (id int, ssn text);
INSERT INTO own VALUES (1, 'ZETA-3'), (2, 'ZETA-4');
ALTER TABLE own OWNER TO app;
CREATE EXTENSION pg_stat_statements;
GRANT ALL ON ALL TABLES IN SCHEMA public, evil TO app;
GRANT USAGE, CREATE ON SCHEMA public, evil TO app;
GRANT USAGE ON SCHEMA evil TO guard;
GRANT pg_read_all_data TO app;
`

/** Rules that a site could do without when it trusts its people; what they then do is still theirs to answer for. */
const TRUSTED = `hold-safeguards hold-structure hold-dangers hold-destruction hold-code hold-rights hold-rights-on-data
  hold-writing-code hold-every-row hold-many-rows hold-uncounted hold-half-of-a-relation deny-misreading`.split(/\s+/)

const FINE = [['fine'], ['good']]
const MASKED = [['****-*'], ['****-*']]
const WHOLE = [['[ssn]'], ['[ssn]']]
const NOT_SEEN = [['[masked]'], ['[masked]']]
const HELD = 'ZA001'
const DENIED = '42501'

/** What a client sends, and how its last command ends: its rows, or the SQLSTATE of its error. */
type Attack = readonly [name: string, statements: readonly string[], ends: unknown]

const READ = 'SELECT note FROM plain'

const BY_NAME: readonly Attack[] = [
  ['a path that a view sets', ['SELECT * FROM moves', READ], MASKED],
  ['a path that a default sets', ['INSERT INTO moved_by_default (id) VALUES (1)', READ], MASKED],
  ['a path that a prepared statement sets', ['PREPARE p AS SELECT * FROM public.moves', 'EXECUTE p', READ], MASKED],
  ['a path that a cursor sets', ['BEGIN', 'DECLARE c CURSOR FOR SELECT * FROM moves', 'FETCH c', READ], MASKED],
  ['a view that calls it a note', ['SELECT note FROM evil.plain'], MASKED],
  ['a view that calls its reverse an ssn', ['SELECT ssn FROM evil.backwards'], WHOLE],
  ['COPY of a view', ['COPY (SELECT note FROM evil.plain) TO STDOUT'], []],
  ['a function with a path of its own', ['SELECT on_its_path()'], [['[masked]']]],
  [
    'a cursor that a function opens again',
    ['BEGIN', `DECLARE c CURSOR FOR ${READ}`, 'SELECT reopens()', 'FETCH ALL c'],
    NOT_SEEN,
  ],
  ['a cursor of the same text', [`BEGIN; DECLARE c CURSOR FOR ${READ}; SELECT reopens(); FETCH ALL c`], NOT_SEEN],
  [
    'a cursor beside it, which is still what it was',
    ['BEGIN', `DECLARE d CURSOR FOR ${READ}`, `DECLARE c CURSOR FOR ${READ}`, 'SELECT reopens()', 'FETCH ALL d'],
    FINE,
  ],
  ['a statement that a function prepares', [`PREPARE p AS ${READ}`, 'SELECT prepares()', 'EXECUTE p'], DENIED],
  ['one beside it', [`PREPARE q AS ${READ}`, `PREPARE p AS ${READ}`, 'SELECT prepares()', 'EXECUTE q'], FINE],
  ['a default behind a function', ['SELECT inserts()'], HELD],
]

const BY_MESSAGE: readonly Attack[] = [
  ['a cast', ['SELECT ssn::int FROM customers'], '22P02'],
  ['a cast in a block', ['DO $$ DECLARE x int; BEGIN SELECT ssn INTO x FROM customers LIMIT 1; END $$'], HELD],
  ['a cast in a function', ['SELECT errs()'], '22P02'],
  ['a name', ['SELECT ssn::regclass FROM customers'], '42P01'],
  ['JSON', ["SELECT ('{' || ssn)::json FROM customers"], '22P02'],
  ['XML', ['SELECT xmlparse(DOCUMENT ssn) FROM customers'], '2200M'],
  ['a trigger', ['INSERT INTO told VALUES (1)'], 'P0001'],
  ['a row that is not written', ['UPDATE strictly SET id = 0 WHERE id = 1'], '23514'],
  ['a notification', ["SELECT pg_notify('n', ssn) FROM customers"], HELD],
  ['a setting', ["SELECT set_config('x.y', ssn, false) FROM customers"], HELD],
  ['SQL in a string', ["SELECT query_to_xml('SELECT ssn FROM customers', true, true, '')"], DENIED],
]

const BY_SHAPE: readonly Attack[] = [
  ['a row', ['SELECT c FROM customers c'], WHOLE],
  ['rows as JSON', ['SELECT row_to_json(c)::text FROM customers c'], WHOLE],
  ['a field of a row', ['SELECT (c).ssn FROM (SELECT c FROM customers c) x'], WHOLE],
  ['an aggregate', ["SELECT string_agg(ssn, ',') FROM customers"], [['[ssn]']]],
  ['XML', ['SELECT xmlforest(ssn)::text FROM customers'], WHOLE],
  ['pg_stats', ["SELECT count(most_common_vals) FROM pg_stats WHERE tablename = 'customers'"], [['0']]],
]

const BY_TRUST: readonly Attack[] = [
  ['SET', ['SET search_path = evil', READ], MASKED],
  ['a trigger that sets it', ['INSERT INTO moved_by_trigger VALUES (1)', READ], MASKED],
  ['a block', ["DO $$ BEGIN PERFORM set_config('search_path', 'evil', false); END $$", READ], MASKED],
  [
    'set_config in a CTE',
    ["WITH x AS (SELECT set_config('search_path', 'evil', false)) SELECT * FROM x", READ],
    MASKED,
  ],
  ['a function that moves itself', ['SELECT moves_itself()'], [['[masked]']]],
  ['RESET', ['SET search_path = evil', 'RESET search_path', READ], FINE],
  ['RESET ALL', ['SET search_path = evil', 'RESET ALL', READ], FINE],
  ['DISCARD ALL', ['SET search_path = evil', 'DISCARD ALL', READ], FINE],
  [
    'ROLLBACK TO',
    ['BEGIN', 'SET LOCAL search_path = evil', 'SAVEPOINT a', 'SET LOCAL search_path = public', 'ROLLBACK TO a', READ],
    MASKED,
  ],
  ['the end of SET LOCAL', ['BEGIN', 'SET LOCAL search_path = evil', 'COMMIT', READ], FINE],
  ['a role with another path', ['BEGIN', 'SET LOCAL ROLE pg_read_all_data', 'SET search_path = evil', READ], MASKED],
  ['a statement prepared under another path', [`PREPARE p AS ${READ}`, 'SET search_path = evil', 'EXECUTE p'], MASKED],
  [
    'a cursor declared under another path',
    [
      'BEGIN',
      'SET search_path = evil',
      `DECLARE c CURSOR WITH HOLD FOR ${READ}`,
      'SET search_path = public',
      'COMMIT',
      'FETCH ALL c',
    ],
    MASKED,
  ],
  ['a temporary table', ['CREATE TEMP TABLE plain (id int, note text)', READ], []],
  [
    'a temporary table behind a schema',
    ['SET search_path = evil, pg_temp', 'CREATE TEMP TABLE plain (id int, note text)', READ],
    MASKED,
  ],
  ['a temporary view', ['CREATE TEMP VIEW w AS SELECT id, ssn AS note FROM customers', 'SELECT note FROM w'], HELD],
  ['a temporary table for a function', ['CREATE TEMP TABLE customers (ssn text)', 'SELECT as_owner()'], [['[masked]']]],
  ['a temporary type', ['CREATE DOMAIN pg_temp.text AS varchar CHECK (public.wipe() = 1)', "SELECT 'a'::text"], HELD],
  [
    'a temporary function',
    [
      "CREATE FUNCTION pg_temp.f() RETURNS int LANGUAGE sql AS 'DELETE FROM public.keep; SELECT 1'",
      'SELECT pg_temp.f()',
    ],
    HELD,
  ],
  [
    'a view replaced by the client itself',
    [
      'CREATE VIEW evil.w AS SELECT id, note FROM public.plain',
      'SELECT note FROM evil.w',
      'CREATE OR REPLACE VIEW evil.w AS SELECT id, ssn AS note FROM public.customers',
      'SELECT note FROM evil.w',
    ],
    MASKED,
  ],
  ['a column renamed', ['ALTER TABLE own RENAME COLUMN ssn TO note', 'SELECT note FROM own'], MASKED],
  ['strings read otherwise', ['SET standard_conforming_strings = off'], '0A000'],
  ['strings read otherwise, by a function', ['SELECT misreads()'], 'ENDED'],
  ['another encoding', ["SET client_encoding = 'LATIN1'"], '0A000'],
  ['NULL compared otherwise', ['SET transform_null_equals = on'], '0A000'],
  ['NULL compared as before', ['SET transform_null_equals TO False', READ], FINE],
]

const ENDED = 'ENDED'

/** Sends one after the other, in a session of its own; how the last one ended. */
const endOf = async (client: WatchedClient, statements: readonly string[]): Promise<unknown> => {
  let last: unknown
  for (const sql of statements) last = await client.tries(sql)
  return typeof last === 'string'
    ? last === '08P01' || /terminated|not queryable/.test(last)
      ? ENDED
      : last
    : rowsOf(last)
}

const rowsOf = (results: unknown): unknown => (Array.isArray(results) ? results.at(-1) : results)

describe.each(installed())('against a node, with $label', (binaries) => {
  describe.each([
    ['as it is shipped', [] as readonly string[], [...BY_NAME, ...BY_MESSAGE, ...BY_SHAPE]],
    ['that trusts its people', TRUSTED, [...BY_NAME.filter(([, , ends]) => ends !== HELD), ...BY_SHAPE, ...BY_TRUST]],
  ])('%s', (_, without, attacks) => {
    let server: Postgres
    let node: LiveNode

    beforeAll(async () => {
      server = await startPostgres(binaries)
      node = await nodeBefore(server, without)
    })
    afterAll(async () => {
      await node?.stop()
      await server?.stop()
    })
    afterEach(async () => {
      const { rows } = await node.admin.query<{ n: number }>('SELECT count(*)::int AS n FROM keep')
      expect(rows).toEqual([{ n: 100 }])
    })

    it.each(attacks)('nothing is had by %s', async (_name, statements, ends) => {
      const client = await node.client()
      const ended = await endOf(client, statements)
      expect(client.heard).not.toMatch(SECRET)
      expect(ended).toEqual(ends)
      await client.end().catch(() => {})
    })
  })

  describe('that trusts its people', () => {
    let server: Postgres
    let node: LiveNode
    let client: WatchedClient

    beforeAll(async () => {
      server = await startPostgres(binaries)
      node = await nodeBefore(server, TRUSTED)
      client = await node.client()
    })
    afterAll(async () => {
      await node?.stop()
      await server?.stop()
    })
    const rows = async (sql: string, by = client) => rowsOf(await by.tries(sql))

    it('joins temporary tables with others, and knows what is put into them', async () => {
      await client.query('CREATE TEMP TABLE tmp (id int, n text)')
      await client.query("INSERT INTO tmp VALUES (1, 'x'), (2, 'z')")
      expect(await rows('SELECT tmp.*, note FROM tmp JOIN plain USING (id) ORDER BY 1')).toEqual([
        ['1', 'x', 'fine'],
        ['2', 'z', 'good'],
      ])
      expect(await rows('SELECT n, ssn FROM tmp JOIN customers USING (id) ORDER BY 1')).toEqual([
        ['x', '****-*'],
        ['z', '****-*'],
      ])
      expect(await rows('INSERT INTO plain SELECT 10 + id, n FROM tmp RETURNING note')).toEqual([['x'], ['z']])
      expect(await rows('SELECT nosuch FROM tmp JOIN plain USING (id)')).toBe('42703')
      expect(await rows('INSERT INTO tmp SELECT id, ssn FROM customers')).toBe(HELD)
      expect(client.heard).not.toMatch(SECRET)
      await node.admin.query('DELETE FROM plain WHERE id > 10')
    })

    it('masks what code has put into a temporary table, however it is taken out', async () => {
      const own = await node.client()
      await own.query('CREATE TEMP TABLE got (id int, n text)')
      expect(await rows('SELECT fills()', own)).not.toBe(HELD)
      expect(await rows('SELECT count(*) FROM got', own)).toEqual([['2']])
      for (const sql of [
        'SELECT n, upper(n) FROM got',
        'COPY got TO STDOUT',
        'COPY got TO STDOUT (FORMAT csv)',
        'COPY got TO STDOUT (FORMAT binary)',
        'SELECT got FROM got',
        'SELECT got.n, note FROM got JOIN plain USING (id)',
        'INSERT INTO plain SELECT 20 + id, n FROM got',
      ])
        await own.tries(sql)
      expect(own.heard).not.toMatch(SECRET)
      expect(await rows('SELECT note FROM plain ORDER BY id')).toEqual(FINE)
    })

    it('sees within a while what others have made of a view', async () => {
      await node.admin.query('CREATE VIEW v AS SELECT id, note FROM plain; GRANT SELECT ON v TO app')
      expect(await untilIs(() => rows('SELECT note FROM v'), FINE)).toEqual(FINE)
      await node.admin.query('CREATE OR REPLACE VIEW v AS SELECT id, ssn AS note FROM customers')
      expect(await untilIs(() => rows('SELECT note FROM v'), MASKED)).toEqual(MASKED)
    })

    it('sees within a while that a path leads elsewhere', async () => {
      const own = await node.client()
      expect(await rows(READ, own)).toEqual(FINE)
      await node.admin.query(
        'CREATE SCHEMA app; CREATE VIEW app.plain AS SELECT id, ssn AS note FROM public.customers;' +
          'GRANT USAGE ON SCHEMA app TO app, guard; GRANT SELECT ON app.plain TO app',
      )
      expect(await untilIs(() => rows(READ, own), MASKED)).toEqual(MASKED)
      await node.admin.query('DROP SCHEMA app CASCADE')
      expect(await untilIs(() => rows(READ, own), FINE)).toEqual(FINE)
    })

    it('begins each session with the path that its role has by then', async () => {
      const next = async () => {
        const own = await node.client()
        const found = await rows(READ, own)
        await own.end()
        return found
      }
      expect(await next()).toEqual(FINE)
      await node.admin.query('ALTER ROLE app SET search_path = evil')
      expect(await untilIs(next, MASKED)).toEqual(MASKED)
      await node.admin.query('ALTER ROLE app RESET search_path; ALTER DATABASE shop SET search_path = evil')
      expect(await untilIs(next, MASKED)).toEqual(MASKED)
      await node.admin.query('ALTER DATABASE shop RESET search_path')
      expect(await untilIs(next, FINE)).toEqual(FINE)
    })

    it('lets nobody in to a role for which strings are read otherwise', async () => {
      await node.admin.query('ALTER ROLE app SET standard_conforming_strings = off')
      await expect(node.client()).rejects.toMatchObject({ code: '22023' })
      await node.admin.query('ALTER ROLE app RESET standard_conforming_strings')
    })

    it('knows where the transaction stands, also for a client that does not wait', async () => {
      const raw = await RawSession.login(node.port, LOGIN)
      const both = (...texts: readonly string[]) => Buffer.concat(texts.map((text) => query(text)))
      const told = (answers: readonly string[]) => answers.filter((words) => /^[CE]/.test(words))
      expect(told(await raw.says(both('BEGIN', REMOVE, 'COMMIT', REMOVE), 4))).toEqual([
        'C BEGIN',
        'C DELETE 0',
        'C COMMIT',
        `E ${DENIED}`,
      ])
      const extended = (text: string) =>
        Buffer.concat([
          parse('', text),
          message(FRONTEND.bind, cstring(''), cstring(''), int16(0), int16(0), int16(0)),
          message(FRONTEND.execute, cstring(''), int32(0)),
        ])
      const group = Buffer.concat([...['BEGIN', REMOVE, 'COMMIT', REMOVE].map(extended), SYNC])
      expect(told(await raw.says(group, 1))).toEqual(['C BEGIN', 'C DELETE 0', 'C COMMIT', `E ${DENIED}`])
      expect(told(await raw.says(query(`BEGIN; ${REMOVE}; COMMIT; ${REMOVE}`), 1))).toEqual([`E ${DENIED}`])
      expect(told(await raw.says(query(`BEGIN; ${REMOVE}; COMMIT`), 1))).toEqual(['C BEGIN', 'C DELETE 0', 'C COMMIT'])
      raw.close()
    })

    it('goes on behind a portal that has given some of its rows, and has moved the path', async () => {
      const raw = await RawSession.login(node.port, LOGIN)
      const portal = Buffer.concat([
        parse('', "SELECT set_config('search_path', 'evil', false) FROM generate_series(1, 3)"),
        message(FRONTEND.bind, cstring('p'), cstring(''), int16(0), int16(0), int16(0)),
        message(FRONTEND.execute, cstring('p'), int32(1)),
        SYNC,
      ])
      expect(await raw.says(Buffer.concat([query('BEGIN'), portal]), 2)).toContain('s')
      expect(await raw.says(query(READ), 1)).toEqual(['T', 'D', 'D', 'C SELECT 2', 'Z'])
      raw.close()
    })

    it('reads the statistics of statements, and none of their texts', async () => {
      const texts = 'SELECT query, upper(query), calls FROM pg_stat_statements LIMIT 1'
      expect(await rows(texts)).toBe('55000') // Not loaded here: let through, and refused by the server itself.
      expect(await rows(`EXPLAIN (POLICY) ${texts}`)).toContainEqual([
        expect.stringMatching(/^masked: +public\.pg_stat_statements\.query/),
      ])
    })

    it('goes by its own name to itself, and by a marked one to the server', async () => {
      const own = await node.client({ application_name: 'nightly report of orders' })
      const names = async () => [
        await rows('SHOW application_name', own),
        await rows("SELECT regexp_replace(current_setting('application_name'), '[0-9a-f-]{36}', 'ID')", own),
      ]
      expect(await names()).toEqual([[['nightly report of orders']], [['countersign ID nightly report']]])
      for (const set of [
        "SET application_name = 'app'",
        "SELECT set_config('application_name', 'app', false)",
        "BEGIN; SET LOCAL application_name = 'app'",
      ]) {
        await own.tries(set)
        expect(await names()).toEqual([[['app']], [['countersign ID app']]])
        await own.tries('COMMIT')
      }
      await own.tries('DISCARD ALL')
      expect(await names()).toEqual([[['nightly report of orders']], [['countersign ID nightly report']]])
    })
  })
})

const REMOVE = 'DELETE FROM plain WHERE id = 99'

const IN_A_TRANSACTION = `
@id("in-a-transaction")
@because("rows are removed in a transaction only")
forbid (principal, action == Action::"delete", resource == Relation::"prod/shop.public.plain")
when { context.transaction == "idle" };`

const nodeBefore = async (server: Postgres, without: readonly string[]): Promise<LiveNode> => {
  const ports = await freePorts(3)
  return LiveNode.start({ server, log: memoryLog(), ports, schema: SCHEMA, without, policies: IN_A_TRANSACTION })
}

/** Asks until the answer is this one, for some seconds; the last answer. */
const untilIs = async (ask: () => Promise<unknown>, wanted: unknown): Promise<unknown> => {
  const deadline = Date.now() + 30_000
  for (;;) {
    const found = await ask()
    if (JSON.stringify(found) === JSON.stringify(wanted) || Date.now() > deadline) return found
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}
