import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { EXAMPLES, tablesReadme, type DocumentedColumn } from '../testing/tables-readme.ts'
import { command, select, TABLES, TestServer } from '../testing/test-server.ts'
import { currentGeneration, openCurrentGeneration, type AuditDatabase } from './generations.ts'
import { MIGRATIONS_FOLDER, auditMigrations } from './migrations.ts'

const SRE = { user: 'sre', password: 'sre-secret' }

let server: TestServer
let database: AuditDatabase
let reader: AuditDatabase
beforeAll(async () => {
  server = await TestServer.start([SRE])
  database = server.database('countersign')
  reader = { ...database, ...SRE }
  await openCurrentGeneration(database)
})
afterAll(() => server.end())

interface ViewColumn extends DocumentedColumn {
  readonly table: string
  readonly purpose: string
}

const viewColumns = async () =>
  (await select(
    reader,
    `SELECT c.table AS table, t.comment AS purpose, c.name AS name, c.type AS type, c.comment AS comment
     FROM system.columns AS c INNER JOIN system.tables AS t ON t.database = c.database AND t.name = c.table
     WHERE c.database = 'countersign' AND NOT startsWith(c.table, '_') ORDER BY c.table, c.position`,
  )) as unknown as readonly ViewColumn[]

describe('the public tables', () => {
  it('are these, and say what each of them and each column is', async () => {
    const columns = await viewColumns()
    expect([...new Set(columns.map(({ table }) => table))]).toEqual([...TABLES])
    expect(columns.filter(({ comment, purpose }) => comment === '' || purpose === '')).toEqual([])
    expect(columns.filter(({ name }) => name.startsWith('_'))).toEqual([])
  })

  it('are documented in deploy/clickhouse/README.md', async () => {
    const byTable = Map.groupBy(await viewColumns(), ({ table }) => table)
    const tables = Array.from(byTable, ([name, columns]) => ({ name, comment: columns[0]?.purpose ?? '', columns }))
    await expect(tablesReadme(tables)).toMatchFileSnapshot(`${MIGRATIONS_FOLDER}/README.md`)
  })

  it.each(EXAMPLES)('answer: $question', async ({ sql }) => {
    expect(await select(reader, sql)).toEqual([])
  })

  it('can be read by a reader, who can read nothing else', async () => {
    for (const table of TABLES) expect(await select(reader, `SELECT count() AS n FROM ${table}`)).toEqual([{ n: 0 }])
    await expect(select(reader, 'SELECT * FROM countersign_g1.statements')).rejects.toThrow(/ACCESS_DENIED|privileges/)
    await expect(command(reader, 'DROP VIEW statements')).rejects.toThrow(/privileges|readonly/)
    await expect(command(reader, 'INSERT INTO countersign.votes (request_id) VALUES (1)')).rejects.toThrow(
      /privileges|readonly/,
    )
  })

  it('find a statement, a session, a minute, a person without reading everything', async () => {
    await command(database, FILL)
    const granules = async (where: string) => {
      const plan = await select(database, `EXPLAIN indexes = 1 SELECT * FROM statements WHERE ${where}`)
      const text = plan.map((row) => Object.values(row)[0]).join('\n')
      const [last] = [...text.matchAll(/Granules: (\d+)\/(\d+)/g)].slice(-1)
      const [all] = [...text.matchAll(/Granules: \d+\/(\d+)/g)]
      return Number(last?.[1]) / Number(all?.[1])
    }
    expect(await granules("statement_id = 's77.77'")).toBeLessThan(0.2)
    expect(await granules("session_id = 's77'")).toBeLessThan(0.2)
    expect(await granules("started_at >= '2026-01-03 12:00:00' AND started_at < '2026-01-03 12:01:00'")).toBeLessThan(
      0.2,
    )
    expect(await granules("person = 'p1' AND started_at >= '2026-01-02' AND started_at < '2026-01-03'")).toBeLessThan(
      0.2,
    )
    expect(await granules("verdict = 'hold'")).toBeLessThan(0.2)
    expect(await granules("request_id = 'rq_1'")).toBeLessThan(0.2)
  })
})

/** A week of 300,000 statements by ten people, two of them held. */
const FILL = `
  INSERT INTO countersign_g1.statements (statement_id, session_id, sequence, person, principal_id, started_at, verdict, request_id)
  SELECT
      concat('s', toString(intDiv(number, 100)), '.', toString(number % 100)), concat('s', toString(intDiv(number, 100))),
      number % 100, concat('p', toString(number % 10)) AS p, p, toDateTime64('2026-01-01 00:00:00', 3, 'UTC') + number * 2,
      if(number IN (5000, 205000), 'hold', 'allow'), if(number = 5000, 'rq_1', '')
  FROM numbers(300000)`

describe('the migrations', () => {
  it('can be run again and again, by several at once, each statement twice', async () => {
    const other = server.database('again')
    await Promise.all(Array.from({ length: 4 }, () => openCurrentGeneration(other)))
    expect(await currentGeneration(other)).toBe('again_g1')
    const inside = { ...other, database: 'again_g1' }
    for (const { statements } of auditMigrations()) for (const statement of statements) await command(inside, statement)
    expect(await openCurrentGeneration(other)).toBe('again_g1')
  })

  it('lie where the service looks for them when it is built, too', () => {
    const built = new URL('../../dist/store/migrations.js', import.meta.url)
    expect(fileURLToPath(new URL('../../../../deploy/clickhouse', built))).toBe(MIGRATIONS_FOLDER)
  })
})
