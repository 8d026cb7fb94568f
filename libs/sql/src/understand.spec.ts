import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { loadParser, SqlRefusedError, SqlSyntaxError, understand, type Command } from './index.ts'
import { nameText } from './action.ts'
import { READERS } from './statements/statement-kinds.ts'

beforeAll(() => loadParser())

const commands = (text: string) => understand(text).commands
const only = (text: string): Command => {
  const [command, ...others] = commands(text)
  expect(others).toEqual([])
  return command!
}
const effects = (text: string) =>
  only(text).effects.map(({ action, object }) => `${action} ${object.kind} ${nameText(object)}`)
const dangers = (text: string) => only(text).dangers.map(({ code }) => code)

describe('a text', () => {
  it('may hold no statement', () => {
    expect(understand('').commands).toEqual([])
    expect(understand(' -- nothing\n;;').commands).toEqual([])
  })

  it('is cut into its statements, in bytes', () => {
    const text = "SELECT 'é'; DELETE FROM orders ; /* x */ SELECT 2"
    const bytes = Buffer.from(text)
    const cut = commands(text).map(({ span }) => bytes.toString('utf8', span.start, span.end).trim())
    expect(cut).toEqual(["SELECT 'é'", 'DELETE FROM orders', 'SELECT 2'])
  })

  it("is refused with PostgreSQL's own message and place", () => {
    const refused = () => understand('SELECT é FRM x y z')
    expect(refused).toThrow(SqlSyntaxError)
    expect(refused).toThrow(
      expect.objectContaining({ sqlstate: '42601', position: 13, message: expect.stringContaining('"x"') }),
    )
  })

  it.each([
    ['SQL_NUL', 'SELECT 1\0; DROP TABLE x'],
    ['SQL_COMMENTS_TOO_DEEP', `${'/*'.repeat(65)}${'*/'.repeat(65)} SELECT 1`],
    ['SQL_TOO_LARGE', `SELECT '${'x'.repeat(17 * 1024 * 1024)}'`],
    ['SQL_TOO_DEEP', `SELECT ${'1+'.repeat(3_000)}1`],
  ])('is not even read: %s', (code, text) => {
    expect(() => understand(text)).toThrow(SqlRefusedError)
    expect(() => understand(text)).toThrow(expect.objectContaining({ code }))
  })

  it('may nest comments as deep as anybody does, and hold comment signs in strings', () => {
    expect(commands(`${'/*'.repeat(64)}${'*/'.repeat(64)} SELECT 1`)).toHaveLength(1)
    expect(commands(`SELECT '${'/*'.repeat(500)}', $$${'/*'.repeat(500)}$$ -- ${'/*'.repeat(500)}`)).toHaveLength(1)
  })
})

describe('every kind of statement of the grammar', () => {
  it('has an entry, or is a part of others', () => {
    const types = readFileSync(
      join(dirname(createRequire(import.meta.url).resolve('@pgsql/types')), 'types.d.ts'),
      'utf8',
    )
    const tags = [...types.matchAll(/^export interface (\w+Stmt) /gm)].map(([, tag]) => tag!)
    expect(tags.length).toBeGreaterThan(110)
    expect(Object.keys(READERS).sort()).toEqual(tags.sort())
  })

  it.each<[string, string, string[]]>([
    [
      'SELECT',
      'SELECT * FROM a JOIN s.b USING (id) WHERE x IN (SELECT y FROM c)',
      ['read relation a', 'read relation s.b', 'read relation c'],
    ],
    ['SELECT', 'WITH a AS (SELECT 1), b AS (SELECT * FROM a, z) SELECT * FROM b', ['read relation z']],
    ['SELECT', 'WITH RECURSIVE a AS (SELECT 1 UNION SELECT * FROM a) TABLE a', []],
    ['SELECT', 'WITH d AS (DELETE FROM t RETURNING *) SELECT * FROM d', ['delete relation t']],
    ['SELECT', 'SELECT * FROM d, (WITH d AS (SELECT 1) SELECT * FROM d) x', ['read relation d']],
    ['SELECT INTO', 'SELECT 1 AS a INTO TEMP t2', ['create relation pg_temp.t2']],
    ['INSERT', 'INSERT INTO t SELECT * FROM u', ['read relation u', 'write relation t']],
    ['UPDATE', 'UPDATE t SET a = (SELECT 1 FROM u) FROM v', ['read relation u', 'read relation v', 'write relation t']],
    [
      'MERGE',
      'MERGE INTO t USING u ON t.i = u.i WHEN MATCHED THEN DELETE',
      ['read relation u', 'write relation t', 'delete relation t'],
    ],
    [
      'MERGE',
      'MERGE INTO t USING u ON t.i = u.i WHEN NOT MATCHED THEN INSERT VALUES (1)',
      ['read relation u', 'write relation t'],
    ],
    ['CREATE TABLE', 'CREATE TABLE s.t (a int DEFAULT f())', ['create relation s.t']],
    ['CREATE TABLE', 'CREATE TEMP TABLE t (a int)', ['create relation pg_temp.t']],
    ['CREATE TABLE AS', 'CREATE TABLE t AS SELECT * FROM u', ['read relation u', 'create relation t']],
    ['CREATE MATERIALIZED VIEW', 'CREATE MATERIALIZED VIEW t AS SELECT 1', ['create relation t']],
    ['CREATE VIEW', 'CREATE OR REPLACE VIEW v AS SELECT * FROM u', ['create relation v']],
    ['CREATE INDEX', 'CREATE INDEX i ON t (lower(a))', ['alter relation t']],
    [
      'CREATE SCHEMA',
      'CREATE SCHEMA s CREATE TABLE t (a int) GRANT SELECT ON t TO PUBLIC',
      ['create schema s', 'create relation t', 'grant relation t'],
    ],
    ['CREATE SEQUENCE', 'CREATE SEQUENCE q', ['create relation q']],
    ['CREATE FUNCTION', "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'", ['create routine f']],
    [
      'CREATE TRIGGER',
      'CREATE TRIGGER g AFTER INSERT ON t EXECUTE FUNCTION f()',
      ['create trigger g on t', 'alter relation t'],
    ],
    [
      'CREATE RULE',
      'CREATE RULE r AS ON UPDATE TO t DO INSTEAD DELETE FROM u',
      ['create rule r on t', 'alter relation t'],
    ],
    ['CREATE ROLE', "CREATE ROLE r PASSWORD 'x'", ['grant role r']],
    ['CREATE EXTENSION', 'CREATE EXTENSION x', ['administer extension x']],
    ['CREATE TYPE', "CREATE TYPE ty AS ENUM ('a')", ['create type ty']],
    ['CREATE POLICY', 'CREATE POLICY p ON t USING (true)', ['alter relation t']],
    ['DROP TABLE', 'DROP TABLE IF EXISTS a, s.b CASCADE', ['drop relation a', 'drop relation s.b']],
    ['DROP TRIGGER', 'DROP TRIGGER g ON s.t', ['drop trigger g on s.t', 'alter relation s.t']],
    ['DROP FUNCTION', 'DROP FUNCTION s.f(int)', ['drop routine s.f']],
    ['DROP DATABASE', 'DROP DATABASE d', ['drop database d']],
    ['TRUNCATE', 'TRUNCATE ONLY a, b CASCADE', ['truncate relation a', 'truncate relation b']],
    ['ALTER TABLE', 'ALTER TABLE t DROP COLUMN c', ['alter relation t']],
    ['ALTER TABLE', 'ALTER TABLE t OWNER TO r', ['alter relation t', 'grant relation t']],
    ['ALTER TABLE', 'ALTER TABLE t RENAME TO u', ['alter relation t']],
    ['ALTER SYSTEM', 'ALTER SYSTEM SET x = 1', ['administer setting x']],
    ['GRANT', 'GRANT SELECT ON t, s.u TO r', ['grant relation t', 'grant relation s.u']],
    ['GRANT', 'GRANT ALL ON ALL TABLES IN SCHEMA s TO r', ['grant schema s']],
    ['REVOKE ROLE', 'REVOKE a FROM b', ['grant role a', 'grant role b']],
    ['COPY', 'COPY t TO STDOUT', ['copyOut relation t', 'read relation t']],
    ['COPY', 'COPY t FROM STDIN', ['copyIn relation t', 'write relation t']],
    ['COPY', "COPY t TO PROGRAM 'x'", ['copyOut relation t', 'read relation t', 'administer program program']],
    ['COPY', 'COPY (DELETE FROM t RETURNING *) TO STDOUT', ['delete relation t']],
    ['EXPLAIN', 'EXPLAIN DELETE FROM t', []],
    ['EXPLAIN', 'EXPLAIN ANALYZE DELETE FROM t', ['delete relation t']],
    ['EXPLAIN', 'EXPLAIN (ANALYZE, ANALYZE off) DELETE FROM t', []],
    ['EXPLAIN', "EXPLAIN (VERBOSE, analyse 'on') DELETE FROM t", ['delete relation t']],
    ['PREPARE', 'PREPARE p AS DELETE FROM t', []],
    ['DECLARE CURSOR', 'DECLARE c CURSOR FOR SELECT * FROM t', ['read relation t']],
    ['LOCK TABLE', 'LOCK TABLE t IN ACCESS SHARE MODE', ['maintain relation t']],
    ['VACUUM', 'VACUUM (FULL) t', ['maintain relation t']],
    ['CALL', 'CALL s.p(1)', ['execute routine s.p']],
    ['DO', 'DO $$ BEGIN DELETE FROM t; END $$', ['execute routine DO', 'delete relation t']],
    ['SET', "SET LOCAL x = 'a'", ['configure setting x']],
    ['SHOW', 'SHOW x', ['read setting x']],
    ['BEGIN', 'BEGIN READ ONLY', ['transact statement BEGIN']],
    ['NOTIFY', "NOTIFY ch, 'x'", ['write channel ch']],
    ['COMMENT', "COMMENT ON COLUMN t.c IS 'x'", ['alter relation t']],
  ])('%s: %s', (tag, text, expected) => {
    expect(only(text).tag).toBe(tag)
    expect(effects(text)).toEqual(expected)
  })
})

describe('what is dangerous about a statement', () => {
  it.each<[string, string[]]>([
    ["SELECT pg_read_file('/etc/passwd')", ['server-file']],
    [`SELECT U&"\\0070g_read_file"('x')`, ['server-file']],
    ['SELECT pg_catalog."pg_read_file"($1)', ['server-file']],
    ["COPY t FROM PROGRAM 'x'", ['program']],
    ["COPY t FROM '/etc/passwd'", ['server-file']],
    ["SELECT * FROM dblink('host=x', 'select 1') AS t(a int)", ['remote']],
    ["SELECT query_to_xml('select 1', true, false, '')", ['sql-in-string']],
    ["SELECT ts_rewrite('a'::tsquery, 'select x')", ['sql-in-string']],
    ["SELECT ts_rewrite('a'::tsquery, 'b'::tsquery, 'c'::tsquery)", []],
    ['SELECT pg_sleep(1)', ['sleep']],
    ['SELECT * FROM t FOR UPDATE', ['locks-every-row']],
    ['SELECT * FROM t WHERE id = 1 FOR UPDATE', []],
    ['SELECT * FROM t LIMIT 1 FOR UPDATE SKIP LOCKED', []],
    ['SELECT count(*) FROM generate_series(1, 1000) a, generate_series(1, 1000) b', ['large-product']],
    ['SELECT count(*) FROM generate_series(1, 1000) a CROSS JOIN generate_series(1, 2000, 2) b', ['large-product']],
    ['SELECT count(*) FROM generate_series(1, 1000) a, generate_series(1, 1000) b WHERE a = b', []],
    ['SET ROLE dba', ['role-switch']],
    ['SET "role" TO dba', ['role-switch']],
    ['RESET SESSION AUTHORIZATION', ['role-switch']],
    ["SELECT set_config('role', 'dba', false)", ['role-switch']],
    ["SELECT set_config('ro' || 'le', 'dba', false)", ['setting-unknown']],
    ["SELECT set_config('default_transaction_read_only', 'off', false)", ['read-write']],
    ["SELECT set_config('application_name', $1, false)", []],
    ["SELECT set_config('search_path', $1, false)", ['search-path']],
    ['SET search_path = public', []],
    ['SET search_path = "$user", public', []],
    ["SET search_path = ''", []],
    ['SET search_path = public, pg_catalog', ['search-path']],
    ['SET search_path = evil', ['search-path']],
    ['SET standard_conforming_strings = on', []],
    ['SET standard_conforming_strings = off', ['lexing']],
    ["SET client_encoding = 'SJIS'", ['encoding']],
    ["SET NAMES 'UTF8'", []],
    ['SET TRANSACTION READ WRITE', ['read-write']],
    ['BEGIN READ WRITE', ['read-write']],
    ['SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE', ['read-write']],
    ['BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY DEFERRABLE', []],
    ['SET statement_timeout = 0', ['time-limit']],
    ["SET statement_timeout = '0ms'", ['time-limit']],
    ["SET statement_timeout = '5s'", []],
    ['SET log_statement = none', ['guard-rail']],
    ["PREPARE TRANSACTION 'x'", ['two-phase']],
    ['LOCK t', ['exclusive-lock']],
    ['LOCK TABLE t IN ROW EXCLUSIVE MODE', []],
    ['CREATE INDEX CONCURRENTLY i ON t (a)', []],
    ['CREATE INDEX i ON t (a)', ['exclusive-lock']],
    ['REINDEX TABLE CONCURRENTLY t', []],
    ['ALTER TABLE t ALTER a TYPE int USING 0', ['data-loss']],
    ['ALTER TABLE t DISABLE TRIGGER ALL', ['protection-off']],
    ['CREATE ROLE r SUPERUSER', ['superuser']],
    ['CREATE ROLE r NOSUPERUSER', []],
    ['GRANT pg_read_server_files TO r', ['superuser']],
    ["CREATE FUNCTION f() RETURNS int LANGUAGE c AS 'x', 'y'", ['untrusted-language', 'unreadable-code']],
    ["CREATE FUNCTION f() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'", ['security-definer']],
    ["CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'DELETE FROM t RETURNING 1'", ['writes-in-code']],
    ['CREATE FUNCTION f() RETURNS void LANGUAGE sql BEGIN ATOMIC DELETE FROM t; END', ['writes-in-code']],
    ["DO $$ BEGIN EXECUTE 'DR' || 'OP TABLE t'; END $$", ['dynamic-code']],
    ["DO LANGUAGE plpython3u 'import os'", ['unreadable-code', 'untrusted-language']],
    ['DO $$ DECLARE x int := pg_sleep(1); BEGIN NULL; END $$', ['sleep']],
  ])('%s', (text, expected) => expect(dangers(text)).toEqual(expected))
})

describe('code', () => {
  const body = (text: string) => only(text).body!
  const bodyEffects = (text: string) =>
    body(text).statements.flatMap(({ command, repeated }) =>
      command.effects.map(({ action, object }) => `${action} ${nameText(object)}${repeated ? ' in a loop' : ''}`),
    )

  it('in PL/pgSQL is read statement by statement, expressions and loops included', () =>
    expect(
      bodyEffects(`CREATE FUNCTION f(a int) RETURNS int LANGUAGE plpgsql AS $$
        DECLARE n int := (SELECT 1 FROM t1); c CURSOR FOR SELECT * FROM t2;
        BEGIN
          n := (SELECT max(x) FROM t3);
          IF EXISTS (SELECT 1 FROM t4) THEN DELETE FROM t5; END IF;
          FOR i IN 1..3 LOOP UPDATE t6 SET a = 1 WHERE id = i; END LOOP;
          RETURN (SELECT 1 FROM t7);
        EXCEPTION WHEN others THEN INSERT INTO t8 VALUES (1);
        END $$`).sort(),
    ).toEqual(['delete t5', 'read t1', 'read t2', 'read t3', 'read t4', 'read t7', 'write t6 in a loop', 'write t8']))

  it('with a row type that the grammar cannot know is read all the same', () =>
    expect(
      bodyEffects(`CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$
        DECLARE r public.orders%ROWTYPE; BEGIN r.total := 5; DELETE FROM t; END $$`),
    ).toEqual(['delete t']))

  it('that builds its SQL is said to', () => {
    const dynamic = (statement: string) =>
      body(`DO $$ DECLARE r record; c refcursor; BEGIN ${statement} END $$`).dynamic
    expect(dynamic("EXECUTE 'x';")).toBe(true)
    expect(dynamic("FOR r IN EXECUTE 'x' LOOP NULL; END LOOP;")).toBe(true)
    expect(dynamic("OPEN c FOR EXECUTE 'x';")).toBe(true)
    expect(dynamic('PERFORM 1;')).toBe(false)
  })

  it('that cannot be read is said to be unreadable', () => {
    expect(body('DO $$ BEGIN DELETE FRM t; END $$').unreadable).toBe(true)
    expect(body("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELEC 1'").unreadable).toBe(true)
    expect(body("CREATE FUNCTION f() RETURNS int LANGUAGE plv8 AS 'return 1'").unreadable).toBe(true)
  })
})

describe('what the session has to remember', () => {
  it.each<[string, Partial<Command>]>([
    ['PREPARE p (int) AS SELECT $1', { prepares: 'p' }],
    [
      "EXECUTE p (1, 'a', NULL, -2.5, true, now())",
      { executes: { name: 'p', arguments: ['1', 'a', null, '-2.5', 'true', undefined] } },
    ],
    ['DEALLOCATE p', { deallocates: { name: 'p' } }],
    ['DEALLOCATE ALL', { deallocates: 'all' }],
    ['DECLARE c CURSOR WITH HOLD FOR SELECT 1', { declares: 'c' }],
    ['FETCH ALL FROM c', { fetches: { cursor: 'c', moves: false } }],
    ['MOVE c', { fetches: { cursor: 'c', moves: true } }],
    ['CLOSE ALL', { closes: 'all' }],
    ['DISCARD TEMP', { discards: 'temp' }],
    ['ROLLBACK TO SAVEPOINT a', { transaction: { kind: 'rollback-to', chain: false, savepoint: 'a' } }],
    ['COMMIT AND CHAIN', { transaction: { kind: 'commit', chain: true } }],
    [
      "SET LOCAL countersign.reason = 'x y'",
      { settings: [{ name: 'countersign.reason', kind: 'set', values: ['x y'], local: true }] },
    ],
    ['RESET ALL', { settings: [{ name: '', kind: 'reset-all', values: undefined, local: false }] }],
    ['LISTEN ch', { listens: { channel: 'ch' } }],
    ['UNLISTEN *', { unlistens: 'all' }],
    [
      'CREATE TEMP VIEW v AS SELECT 1',
      { creates: [{ kind: 'view', object: { schema: 'pg_temp', name: 'v' }, temporary: true }] },
    ],
    ['EXPLAIN (POLICY) DELETE FROM t', { explain: { analyze: false, policy: true } }],
    [
      "COPY s.t (a, b) TO STDOUT (FORMAT csv, HEADER, DELIMITER ';')",
      {
        copy: {
          direction: 'out',
          where: 'client',
          relation: { schema: 's', name: 't' },
          columns: ['a', 'b'],
          format: 'csv',
          options: { format: 'csv', header: 'true', delimiter: ';' },
        },
      },
    ],
  ])('%s', (text, expected) => expect(only(text)).toMatchObject(expected))
})

describe('what the server is asked about', () => {
  it.each([
    ['SELECT 1 ; ', 'SELECT 1 '],
    ['EXPLAIN (ANALYZE, FORMAT json) DELETE FROM t', 'DELETE FROM t'],
    ['EXPLAIN ANALYZE VERBOSE SELECT 1', 'SELECT 1'],
    ['EXPLAIN (SELECT 1)', '(SELECT 1)'],
    ['PREPARE p (text) AS SELECT $1', 'SELECT $1'],
    ['DECLARE c SCROLL CURSOR WITH HOLD FOR SELECT * FROM t FOR UPDATE', 'SELECT * FROM t FOR UPDATE'],
    ['CREATE TABLE t (a) WITH (fillfactor = 70) AS SELECT 1 AS x WITH NO DATA', 'SELECT 1 AS x'],
    ['CREATE VIEW v AS SELECT 1 WITH LOCAL CHECK OPTION', 'SELECT 1'],
    ['COPY (SELECT (1)) TO STDOUT', 'SELECT (1)'],
    ['COPY "T" (a, "B""c") TO STDOUT', 'SELECT "a", "B""c" FROM ONLY "T"'],
    ['COPY s.t FROM STDIN', 'INSERT INTO "s"."t" DEFAULT VALUES'],
    ['SELECT a INTO TEMP TABLE t2 FROM t', 'SELECT a FROM t'],
    ['SELECT a INTO s.t2 FROM t', 'SELECT a FROM t'],
  ])('%s', (text, expected) => expect(only(text).analysable).toBe(expected))

  it.each(['\u0001', '\b', '\v', '\f', '\u001f', '\u007f', '\u0085', '\t'])('keeps %j as it is', (control) => {
    expect(only(`COPY (SELECT 'é${control}' AS "${control}") TO STDOUT`).analysable).toBe(
      `SELECT 'é${control}' AS "${control}"`,
    )
    expect(only(`DELETE FROM t WHERE v = '${control}'`).changes[0]?.count).toBeDefined()
  })

  it.each(['DROP TABLE t', 'SET x = 1', 'CALL p()', 'VACUUM', 'FETCH c', 'EXECUTE p'])('%s: nothing', (text) =>
    expect(only(text).analysable).toBeUndefined(),
  )
})
