import type { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { installed, type Postgres } from '../../../../test/corpus/postgres.ts'
import { GUARD, startShop } from '../../../../test/corpus/shop.ts'
import { loadCatalogue, SideConnection } from '../../../../test/corpus/side-connection.ts'
import { Oracle, type Difference } from '../../../../test/touches/oracle.ts'
import { others, own, reader, schema } from '../../../../test/touches/statements.ts'
import {
  judge,
  loadParser,
  nameText,
  SqlRefusedError,
  SqlSyntaxError,
  touchesOf,
  understand,
  type Catalogue,
  type Command,
  type Facts,
} from '../index.ts'

/*
 * What we say a statement touches, against what the server itself says (test/touches/README.md).
 */

/** Statements that the server plans, of which one execution shows everything. */
const PLANNED = new Set([
  'SelectStmt',
  'InsertStmt',
  'UpdateStmt',
  'DeleteStmt',
  'MergeStmt',
  'CopyStmt',
  'CreateTableAsStmt',
  'ExplainStmt',
  'DeclareCursorStmt',
  'TruncateStmt',
  'CallStmt',
  'DoStmt',
])

/** Where we and the server differ, and why we think that we are right, or that it does not matter. */
const EXPLAINED: Readonly<Record<string, string>> = {
  'SELECT x.* FROM departments d, LATERAL mails_in(d.id) x':
    'what a function compares with its argument is not followed: the column counts as read',
  'EXPLAIN DELETE FROM customers': 'the server asks for the right to delete, but nothing is',
  'EXPLAIN (ANALYZE false, VERBOSE) DELETE FROM customers': 'the same',
  'EXPLAIN (ANALYZE, ANALYZE off) DELETE FROM orders': 'the same',
}

/** Each version has the statements that were written for this; what others were written for, the first has. */
const servers = installed().map((binaries, index) => ({
  ...binaries,
  statements: index === 0 ? [...own, ...others] : own,
}))

describe.each(servers)('touches, with $label', ({ statements, ...binaries }) => {
  let server: Postgres
  let admin: Client
  let guard: Client
  let side: SideConnection
  let oracle: Oracle
  let catalogue: Catalogue

  beforeAll(async () => {
    await loadParser()
    server = await startShop(binaries)
    admin = await server.connect('shop')
    await admin.query('SET jit = off')
    await admin.query(schema)
    await admin.query(reader)
    guard = await server.connect('shop', GUARD)
    catalogue = await loadCatalogue(guard)
    side = await SideConnection.over(guard)
    await side.path(['public'])
    oracle = await Oracle.over(admin)
  })
  afterAll(async () => {
    for (const client of [admin, guard]) await client?.end()
    await server?.stop()
  })

  const factsOf = async (command: Command): Promise<Facts> => {
    const analysis = command.analysable === undefined ? undefined : await side.analyse(command.analysable, catalogue)
    return judge(command, analysis, catalogue)
  }

  const compared = async (sql: string): Promise<readonly Difference[] | undefined> => {
    const command = onlyCommand(sql)
    if (!command) return undefined
    const facts = await factsOf(command)
    if (facts.fails !== undefined || facts.dangers.length > 0) return undefined
    return oracle.differences(sql, touchesOf(facts), {
      locks: /\bfor (no key update|update|share|key share)\b/i.test(sql),
      byCode: new Set(facts.mayRead.map(({ name }) => name)),
      unchecked: new Set(facts.uses.flatMap((use) => (use.through === 'cascade' ? [nameText(use.object)] : []))),
    })
  }

  it('are what the server says', async () => {
    const differing = new Map<string, readonly Difference[]>()
    let agreed = 0
    for (const sql of statements) {
      const differences = await compared(sql)
      if (differences?.length === 0) agreed += 1
      else if (differences) differing.set(sql, differences)
    }
    const unexplained = [...differing].filter(([sql]) => !(sql in EXPLAINED))
    expect(unexplained).toEqual([])
    const compare = agreed + differing.size
    expect(agreed / compare).toBeGreaterThan(0.99)
    expect(compare).toBeGreaterThan(statements === own ? 290 : 600)
    // Whatever else may differ: no value comes out of a column that is not said to be returned.
    expect([...differing.values()].flat().filter(({ kind }) => kind === 'planted' || kind === 'described')).toEqual([])
  }, 300_000)
})

const onlyCommand = (sql: string): Command | undefined => {
  try {
    const [command, ...more] = understand(sql).commands
    return more.length === 0 && command && PLANNED.has(command.node) ? command : undefined
  } catch (error) {
    if (error instanceof SqlSyntaxError || error instanceof SqlRefusedError) return undefined
    throw error
  }
}
