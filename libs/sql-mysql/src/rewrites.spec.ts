import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { Principal, Target } from '@countersign/contracts'
import { compilePolicies, decide, defaultPolicies, requestFrom } from '@countersign/policy'
import { SqlRefusedError, SqlSyntaxError } from '@countersign/sql'
import { modelCatalogue } from '../../../test/corpus/mysql-model.ts'
import { mysql } from './index.ts'
import { tokensOf, type Token } from './lexer.ts'

/* Writing a statement in another way never makes its verdict milder; and nothing that can be sent breaks anything. */

beforeAll(() => mysql.load())

const policies = compilePolicies(defaultPolicies())
const principal = Principal.parse({ id: 'ana', kind: 'person', groups: ['developers'] })
const target = Target.parse({ environment: 'prod', database: 'shop' })
const known = { catalogue: modelCatalogue(), session: { database: 'shop', temporary: [] } }
const SEVERITY = { allow: 0, hold: 1, deny: 2 }

const severityOf = (sql: string): number => {
  try {
    const verdicts = mysql.understand(sql).commands.map((command) => {
      const facts = mysql.judge(command, known)
      const request = requestFrom(
        facts,
        { principal, target, transaction: 'idle', hour: 12, weekday: 1, minuteOfDay: 720 },
        (column) => (/email/.test(column) ? 'email' : 'clear'),
      )
      return SEVERITY[decide(policies, request).verdict]
    })
    return Math.max(0, ...verdicts)
  } catch (error) {
    if (error instanceof SqlSyntaxError || error instanceof SqlRefusedError) return SEVERITY.deny
    throw error
  }
}

const STATEMENTS = [
  'DELETE FROM orders',
  'DELETE FROM orders WHERE id = 1 OR 1 = 1',
  'DELETE FROM orders WHERE id > 5',
  "UPDATE orders SET status = 'x'",
  'UPDATE orders SET total = 1 WHERE id = 3 OR total = total',
  'DELETE o FROM orders o JOIN customers c ON c.id = o.customer_id',
  'TRUNCATE TABLE orders',
  'DROP TABLE orders',
  'SELECT wipe() FROM orders',
  'SELECT id FROM orders WHERE wipe() = 1',
  'SELECT count (id) FROM orders',
  'INSERT INTO log (note) SELECT email FROM customers',
  "INSERT INTO log (note) VALUES ('x')",
  'SELECT email INTO @a FROM customers',
  'SELECT id FROM orders FOR UPDATE',
  "SELECT LOAD_FILE('/etc/passwd')",
  "SELECT id FROM orders INTO OUTFILE '/tmp/x'",
  'SELECT authentication_string FROM mysql.user',
  "SET sql_mode = 'ANSI_QUOTES'",
  'SET GLOBAL wait_timeout = 1',
  'SET NAMES gbk',
  "GRANT ALL ON *.* TO a IDENTIFIED BY 'b'",
  'CALL close()',
  'ANALYZE DELETE FROM orders',
  'CREATE TABLE t AS SELECT email FROM customers',
  'KILL 3',
  "PREPARE s FROM 'DELETE FROM orders'",
]

/** Ways to print one token that the server reads alike. */
const printed = (token: Token, sql: string, choice: number): string => {
  const written = sql.slice(token.start, token.end)
  if (token.kind === 'string' && token.introducer === undefined) {
    const inside = token.text.replaceAll('\\', '\\\\')
    return (
      [
        written,
        `"${inside.replaceAll('"', '""')}"`,
        `'${[...inside].map((char) => (/[a-z]/.test(char) && !'bnrtz'.includes(char) ? `\\${char}` : char)).join('')}'`,
        `'' '${inside.replaceAll("'", "''")}'`,
      ][choice % 4] ?? written
    )
  }
  if (token.kind !== 'word') return written
  if (token.word === '' || NAMES.has(token.text)) return choice % 2 === 0 ? written : `\`${token.text}\``
  return [...written]
    .map((char, at) => ((choice >> (at % 5)) % 2 === 0 ? char.toLowerCase() : char.toUpperCase()))
    .join('')
}

const NAMES = new Set(['orders', 'customers', 'log', 'id', 'total', 'status', 'email', 'note', 'customer_id', 'o', 'c'])
const GAPS = [
  ' ',
  '\t',
  '\n',
  '\r\n',
  ' /* x */ ',
  '/**/',
  " /* ' */ ",
  ' -- y\n',
  '#z\n',
  '\f',
  ' /*; DROP */ ',
  '\n--\t"\n',
  '  ',
]

const rewritten = (sql: string, choices: readonly number[]): string => {
  const tokens = tokensOf(sql)
  return tokens
    .map((token, at) => {
      const next = tokens[at + 1]
      const choice = choices[at % choices.length] ?? 0
      // Without white space `count(` is another function, and a variable goes on.
      const isGlued = next !== undefined && next.start === token.end
      return printed(token, sql, choice) + (next === undefined ? '' : isGlued ? '' : GAPS[choice % GAPS.length])
    })
    .join('')
}

describe('a statement written in another way', () => {
  const choices = fc.array(fc.nat(1_000), { minLength: 1, maxLength: 12 })

  it('is not judged more mildly', () => {
    const before = new Map(STATEMENTS.map((sql) => [sql, severityOf(sql)]))
    expect([...before].filter(([, severity]) => severity === 0)).toEqual([])
    fc.assert(
      fc.property(
        fc.constantFrom(...STATEMENTS),
        choices,
        fc.constantFrom('', ';', ' ; ', '-- x', '# y', '/* z */'),
        (sql, picked, tail) => {
          const other = rewritten(sql, picked) + tail
          expect(severityOf(other), other).toBeGreaterThanOrEqual(before.get(sql) ?? 0)
        },
      ),
      { numRuns: 300 },
    )
  })

  it('nor behind another one, in parentheses, or explained', () => {
    const wraps: readonly ((sql: string) => string)[] = [
      (sql) => `SELECT 1; ${sql}`,
      (sql) => `${sql}; SELECT 1`,
      (sql) => `/*!50000 ${sql} */`,
      (sql) => `(${sql})`,
      (sql) => `ANALYZE ${sql}`,
      (sql) => `EXPLAIN ANALYZE ${sql}`,
      (sql) => `BEGIN NOT ATOMIC ${sql}; END`,
      (sql) => `SET STATEMENT a = 1 FOR ${sql}`,
      (sql) => `EXECUTE IMMEDIATE '${sql.replaceAll("'", "''")}'`,
      (sql) => `DELIMITER //\n${sql}//`,
    ]
    const milder = STATEMENTS.flatMap((sql) =>
      wraps.map((wrap) => wrap(sql)).filter((other) => severityOf(other) < severityOf(sql) || severityOf(other) === 0),
    )
    expect(milder).toEqual([])
  })

  it('nor with a query for a constant', () => {
    const inner = ['SELECT wipe()', 'SELECT id FROM nothing', "SELECT LOAD_FILE('x')"]
    const outer: readonly ((query: string) => string)[] = [
      (query) => `SELECT (${query})`,
      (query) => `SELECT id FROM orders WHERE id = (${query})`,
      (query) => `SELECT * FROM (${query}) AS d`,
      (query) => `WITH c AS (${query}) SELECT * FROM c`,
      (query) => `SELECT 1 UNION ${query}`,
      (query) => `SELECT id FROM orders ORDER BY (${query})`,
      (query) => `SELECT CASE WHEN (${query}) THEN 1 END`,
      (query) => `SELECT id FROM orders o JOIN customers c ON c.id = (${query})`,
      (query) => `INSERT INTO log (id) VALUES ((${query}))`,
      (query) => `UPDATE orders SET total = (${query}) WHERE id = 1`,
      (query) => `SELECT EXISTS (${query})`,
      (query) => `SELECT id FROM orders GROUP BY id HAVING (${query})`,
      (query) => `SELECT SUM(id) OVER (ORDER BY (${query})) FROM orders`,
      (query) => `DO (${query})`,
    ]
    const mild = inner.flatMap((query) => outer.map((wrap) => wrap(query)).filter((sql) => severityOf(sql) === 0))
    expect(mild).toEqual([])
  })
})

describe('whatever is sent', () => {
  it('is understood or refused, and the next text as well', () => {
    const piece = fc.constantFrom(
      'SELECT',
      'FROM',
      'orders',
      'WHERE',
      "'",
      '"',
      '`',
      '\\',
      '--',
      '/*',
      '*/',
      '/*!',
      '#',
      ';',
      '(',
      ')',
      ',',
      '.',
      '@',
      '@@',
      '=',
      ':=',
      '0x',
      "X'",
      '1e',
      '?',
      '{',
      '[',
      'END',
      'CASE',
      'BEGIN',
      'UNION',
      '\0',
      '\u00a0',
      'é',
      '\ud800',
      'INSERT',
      'INTO',
      'VALUES',
      'WITH',
      'AS',
      'SET',
      'JOIN',
      'ON',
      'NOT',
      '*',
      '-',
      '1',
      ' ',
      '\n',
      'INTERVAL',
      'FOR UPDATE',
      'PARTITION (',
      'USE INDEX (',
      'OVER (',
      'CREATE PROCEDURE',
      'constructor',
      '__proto__',
    )
    const text = fc.oneof(
      fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join(' ')),
      fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join('')),
      fc.string({ unit: 'binary', maxLength: 60 }),
    )
    fc.assert(
      fc.property(text, (sql) => {
        severityOf(sql)
        expect(mysql.displayText(sql, undefined).length).toBeLessThanOrEqual(sql.length * 6 + 60)
      }),
      { numRuns: 1_500 },
    )
    expect(severityOf('SELECT id FROM orders')).toBe(0)
  })
})
