import { beforeAll, describe, expect, it } from 'vitest'
import { postgresql, type Dialect, type DialectCommand } from '@countersign/sql'
import { displayTextOfMysql, loadParsers, mysql, shapeOfMysql, understandMysql } from './index.ts'

beforeAll(() => loadParsers())

const only = (sql: string) => {
  const [command] = understandMysql(sql).commands
  if (!command) throw new Error('nothing')
  return command
}

const codes = (sql: string) => only(sql).dangers.map(({ code }) => code)

describe('a text', () => {
  it('is told apart into its statements', () => {
    const tags = (sql: string) => understandMysql(sql).commands.map(({ tag }) => tag)
    expect(tags("SELECT ';'; DELETE FROM t;; COMMIT -- ; DROP TABLE t")).toEqual(['SELECT', 'DELETE', 'COMMIT'])
    expect(tags('')).toEqual([])
    expect(tags('/* nothing */ ;')).toEqual([])
  })

  it('says where each statement stands', () => {
    const sql = '  SELECT 1 ; /* c */ DROP TABLE t'
    expect(understandMysql(sql).commands.map(({ span }) => sql.slice(span.start, span.end))).toEqual([
      'SELECT 1',
      'DROP TABLE t',
    ])
  })

  it('holds a stored program together, and nothing behind it', () => {
    expect(
      only('CREATE PROCEDURE p () BEGIN IF 1 THEN DELETE FROM t; END IF; SELECT CASE 1 WHEN 1 THEN 2 END; END').tag,
    ).toBe('CREATE PROCEDURE')
    const behind = [
      'CREATE PROCEDURE p () BEGIN SELECT 1; END; DROP TABLE t',
      'CREATE PROCEDURE p () SELECT 1; DROP TABLE t',
      'CREATE FUNCTION f () RETURNS INT RETURN 1; DROP TABLE t',
    ]
    expect(behind.map((sql) => only(sql).unread)).toEqual(behind.map(() => expect.any(String)))
  })

  it.each([
    ['a NUL', 'SELECT 1\0', 'SQL_NUL'],
    ['what is not UTF-8', `SELECT '\ud800'`, 'SQL_AMBIGUOUS'],
    ['too much', `SELECT '${'x'.repeat(1024 * 1024)}'`, 'SQL_TOO_LARGE'],
    ['parentheses', `SELECT ${'('.repeat(40)}1${')'.repeat(40)}`, 'SQL_TOO_DEEP'],
    ['parentheses that do not close', 'SELECT ('.repeat(40), 'SQL_TOO_DEEP'],
    ['parentheses between ENDs', 'SELECT (END '.repeat(40), 'SQL_TOO_DEEP'],
    ['operators', `SELECT 1${'+1'.repeat(5_000)}`, 'SQL_TOO_DEEP'],
    ['conditions', `SELECT 1 WHERE a${' AND a'.repeat(5_000)}`, 'SQL_TOO_DEEP'],
    ['unions', 'SELECT 1'.concat(' UNION SELECT 1'.repeat(5_000)), 'SQL_TOO_DEEP'],
    ['negations', `SELECT ${'NOT '.repeat(500)}1`, 'SQL_TOO_DEEP'],
    ['signs', `SELECT ${'- '.repeat(500)}1`, 'SQL_TOO_DEEP'],
    ['cases', `SELECT ${'CASE WHEN 1 THEN '.repeat(500)}1`, 'SQL_TOO_DEEP'],
    ['statements', 'SELECT 1;'.repeat(5_000), 'SQL_TOO_DEEP'],
  ])('is refused for %s', (_what, sql, code) => {
    expect(() => understandMysql(sql)).toThrow(expect.objectContaining({ code }))
    // And nothing is broken by it.
    expect(only('SELECT 1').tree).toBeDefined()
  })

  it('that is large and plain is understood', () => {
    expect(
      only(`INSERT INTO t (a, b) VALUES ${Array.from({ length: 3_000 }, (_, n) => `(${n}, 'x')`).join(', ')}`).tree,
    ).toBeDefined()
    expect(
      only(`SELECT a FROM t WHERE a IN (${Array.from({ length: 10_000 }, (_, n) => n).join(', ')})`).tree,
    ).toBeDefined()
    expect(
      only(`SELECT a FROM t WHERE ${Array.from({ length: 90 }, (_, n) => `a = ${n}`).join(' OR ')}`).tree,
    ).toBeDefined()
  })
})

describe('both parsers', () => {
  it.each([
    'SELECT 1 FROM t PROCEDURE ANALYSE()',
    'SELECT 1 FROM t WHERE a = = 2',
    'SELECT 1 2 3',
    'SELECT * FROM JSON_TABLE(a, 1)',
    'SELECT {fn now()}',
    'DELETE FROM',
    'SELECT a FROM t WHERE a[1]',
    'SELECT NEXT VALUE FOR s',
  ])('must read it: %s', (sql) => {
    expect(only(sql)).toMatchObject({ unread: expect.any(String), effects: [{ action: 'unknown' }] })
  })

  it.each([
    'SELECT a.id FROM a LEFT OUTER JOIN b ON a.id = b.id RIGHT JOIN c USING (id) CROSS JOIN d',
    'SELECT STRAIGHT_JOIN SQL_NO_CACHE DISTINCT a FROM t FORCE INDEX FOR ORDER BY (x, y) ORDER BY a',
    'SELECT SUBSTRING(a FROM 2 FOR 3), TRIM(a), a DIV 2, a MOD 2, a <=> b, a SOUNDS LIKE b, !a FROM t',
    "SELECT MATCH (a, b) AGAINST ('x' IN BOOLEAN MODE) FROM t",
    "SELECT a FROM t WHERE a REGEXP 'x' AND b RLIKE 'y' AND c NOT LIKE 'z'",
    'UPDATE a, b SET a.x = 1 WHERE a.id = b.id',
    'DELETE FROM a, b USING a JOIN b ON a.id = b.id',
    'TABLE t',
    'INSERT INTO t VALUES (1, DEFAULT) ON DUPLICATE KEY UPDATE a = VALUES(a) + 1',
    'SELECT `a``b`, `sel ect`.`x` FROM `sel ect`',
    'SELECT ä FROM ö',
  ])('read the same in plain words: %s', (sql) => {
    expect(only(sql).unread).toBeUndefined()
  })

  it('never see what the client has written in quotes', () => {
    const [, item] = [0, only("SELECT `x`` FROM y; --` FROM `a.b` WHERE c = '\\'; DROP TABLE d'")]
    expect(item.tree).toMatchObject({
      query: {
        body: {
          items: [{ expr: { path: ['x` FROM y; --'] } }],
          from: [{ path: ['a.b'] }],
          where: { args: [{}, { value: "'; DROP TABLE d" }] },
        },
      },
    })
  })
})

describe('statements of a session', () => {
  it.each([
    ["SET sql_mode = 'STRICT_ALL_TABLES,NO_ZERO_DATE'", []],
    ["SET sql_mode = ''", []],
    ["SET sql_mode = 'STRICT_ALL_TABLES,ansi_quotes'", ['lexing']],
    ['SET sql_mode = ANSI', ['lexing']],
    ['SET sql_mode = DEFAULT', ['lexing']],
    ['SET sql_mode = @x', ['lexing']],
    ["SET NAMES 'utf8mb4' COLLATE 'utf8mb4_bin'", []],
    ['SET NAMES utf8mb4, sql_mode = ANSI', ['lexing']],
    ['SET NAMES sjis', ['encoding']],
    ['SET NAMES utf8mb4 COLLATE gbk_bin', ['encoding']],
    ['SET character_set_client = gbk', ['encoding']],
    ['SET character_set_results = NULL', []],
    ['SET character_set_client = NULL', ['encoding']],
    ['SET GLOBAL wait_timeout = 1', ['server-control']],
    ['SET @@persist.wait_timeout = 1', ['server-control']],
    ['SET a = 1', ['guard-rail']],
    ['SET session_track_system_variables = 1', ['guard-rail']],
    ['SET foreign_key_checks = OFF', ['protection-off']],
    ['SET foreign_key_checks = 1', []],
    ['SET max_execution_time = 0', ['time-limit']],
    ['SET SESSION TRANSACTION READ WRITE, ISOLATION LEVEL SERIALIZABLE', ['read-write']],
  ])('%s', (sql, dangers) => {
    expect(codes(sql)).toEqual(dangers)
    expect(only(sql).harmless).toBe(dangers.length === 0)
  })

  it.each([
    'SET @x = (SELECT 1)',
    'SET @x = f()',
    'SET @@session.`sql_mode` = 4',
    'SET STATEMENT a = 1 FOR SELECT 1',
    'USE a.b',
    'COMMIT AND',
    'BEGIN NOT ATOMIC',
    'START TRANSACTION AS',
    'SHOW TABLES WHERE f()',
    'SHOW TABLES WHERE `f`()',
    'SHOW TABLES WHERE a = (SELECT 1)',
    'DELIMITER //',
    'XYZ',
    'constructor',
    '__proto__',
    'EXPLAIN FORMAT=JSON INTO @x SELECT 1',
    'DESCRIBE',
  ])('does not know %s', (sql) => {
    expect(only(sql)).toMatchObject({ harmless: false, effects: [{ action: 'unknown' }] })
  })
})

describe('the shape of a text', () => {
  it('is what is left without constants and comments', () => {
    expect(shapeOfMysql("SELECT  a /* x */ FROM t WHERE b = 'x' AND c = 12 AND d = 1.5 -- y")).toBe(
      "SELECT a FROM t WHERE b = '?' AND c = 0 AND d = 0.0",
    )
    expect(shapeOfMysql('SELECT `a``b`')).toBe('SELECT `a``b`')
    expect(shapeOfMysql('SELECT /*! 1 */')).toBeUndefined()
  })

  it.each([
    ["SELECT a FROM t WHERE b = 'x'", true],
    ['INSERT INTO t VALUES (1, 2)', true],
    ['DELETE FROM t WHERE id = 3', true],
    ['DELETE FROM t WHERE id = 3 OR 1', false],
    ['DELETE FROM t WHERE id = 3 OR 1 = 2', false],
    ['DELETE FROM t WHERE id = 3 LIMIT 2', false],
    ['SELECT a FROM t ORDER BY 1', false],
    ['SELECT a FROM t GROUP BY 1', false],
    ["SELECT x.a FROM (SELECT b 'a', c 'd' FROM t) AS x", false],
    ['SELECT a FROM t FOR UPDATE', false],
    ["SET sql_mode = 'ANSI'", false],
    ['SELECT 1; SELECT 2', false],
    ["SHOW TABLES LIKE 'x'", false],
  ])('is shared by texts that mean the same: %s', (sql, shapeable) => {
    expect(understandMysql(sql).shapeable).toBe(shapeable)
  })
})

describe('the text for people', () => {
  const shown = (sql: string) => displayTextOfMysql(sql, understandMysql(sql))

  it.each([
    "CREATE USER a@b IDENTIFIED BY 's3cret'",
    `ALTER USER a@b IDENTIFIED BY "s3cret"`,
    "SET PASSWORD FOR a = PASSWORD('s3cret')",
    "GRANT ALL ON *.* TO a IDENTIFIED BY 's3cret'",
    "CHANGE MASTER TO MASTER_PASSWORD = 's3cret'",
    "CREATE SERVER s FOREIGN DATA WRAPPER mysql OPTIONS (PASSWORD 's3cret')",
    "CREATE TABLE t (a INT) CONNECTION = 'mysql://u:s3cret@h/d'",
    "PREPARE s FROM 'SET PASSWORD = s3cret'",
    "SOMETHING NEW 's3cret'",
    "CREATE USER a@b IDENTIFIED BY 'x' /* s3cret */",
    "CREATE USER a@b IDENTIFIED BY 'it''s3cret' -- s3cret",
    "CREATE USER a@b IDENTIFIED BY X'73' IDENTIFIED BY _latin1's3cret'",
  ])('hides what may be a password: %s', (sql) => {
    expect(shown(sql)).not.toContain('s3cret')
    expect(shown(sql)).toContain("'***'")
  })

  it('hides everything behind the first quote of what cannot be cut into words', () => {
    expect(displayTextOfMysql("CREATE USER a IDENTIFIED BY 's3cret", undefined)).toBe(
      "CREATE USER a IDENTIFIED BY '***'",
    )
    expect(displayTextOfMysql("/*! SET PASSWORD = 's3cret' */", undefined)).toBe("'***'")
    expect(displayTextOfMysql("SELECT 's3cret'", undefined)).toBe("SELECT '***'")
  })

  it('shows the rest, shortened', () => {
    expect(shown("SELECT a FROM t WHERE b = 'x'")).toBe("SELECT a FROM t WHERE b = 'x'")
    expect(displayTextOfMysql('SELECT 12345', mysql.understand('SELECT 12345'), 8)).toBe('SELECT 1… (12 bytes)')
  })
})

it('is a dialect like PostgreSQL', () => {
  const dialects: readonly Dialect<DialectCommand, never>[] = [
    postgresql as Dialect<DialectCommand, never>,
    mysql as Dialect<DialectCommand, never>,
  ]
  expect(dialects.map(({ shapeOf }) => shapeOf('SELECT a FROM t'))).toEqual(['SELECT a FROM t', 'SELECT a FROM t'])
})
