import { randomBytes } from 'node:crypto'
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { plantedValues } from '../support/planted.ts'
import { product } from '../support/shared-product.ts'
import { until } from '../support/until.ts'
import { upstream } from '../support/upstream.ts'

/** Stands in a statement of somebody who works as the same role, so that the database itself hides nothing. */
const marker = `zebra${randomBytes(6).toString('hex')}`

/** The marker in every form that the expressions below could give it. */
const FORMS = [marker, marker.toUpperCase(), [...marker].toReversed().join(''), Buffer.from(marker).toString('hex')]

const expectHidden = (said: string) => {
  for (const form of FORMS) expect(said).not.toContain(form)
}

let other: Client
let pid: number

beforeAll(async () => {
  other = new Client(product.dsn('etl', { sslmode: 'no-verify' }))
  await other.connect()
  const { rows } = await other.query<{ pid: number }>(`select pg_backend_pid() as pid, '${marker}' as what`)
  pid = rows[0]?.pid ?? 0
  const [[query] = []] = await upstream(`select query from pg_stat_activity where pid = ${pid}`)
  expect(query).toContain(marker)
})
afterAll(() => other.end())

describe.each(['ana', 'copilot'])('%s looks at what others do, with psql', (who) => {
  const ask = (...commands: readonly string[]) => product.psql(who, '-At', ...commands.flatMap((sql) => ['-c', sql]))

  it('and is not held: who and what state are clear, the text of statements is masked', async () => {
    const { status, stdout, stderr } = await ask(`select pid, state, query from pg_stat_activity where pid = ${pid}`)
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(stdout).toMatch(new RegExp(`^${pid}\\|idle\\|\\S`))
    expectHidden(stdout)
    const all = await ask('select * from pg_stat_activity')
    expect(all.status).toBe(0)
    expect(all.stdout).toContain(`|${pid}|`)
    expectHidden(all.stdout)
  })

  it.each([
    ['a piece of it', 'select left(query, 5000), substr(query, 30), right(query, 40) from pg_stat_activity'],
    ['something put behind it', "select query || '' from pg_stat_activity"],
    ['computing with it', "select upper(query), reverse(query), encode(query::bytea, 'hex') from pg_stat_activity"],
    ['aggregates', 'select max(query), string_agg(query, chr(10)), array_agg(query) from pg_stat_activity'],
    ['whole rows', 'select a, to_jsonb(a), a::text from pg_stat_activity a'],
    ['a subquery', 'select q.text from (select query as text from pg_stat_activity) q'],
    ['a set operation', 'select query from pg_stat_activity union select null'],
    ['an alias that is another column', 'select query as state, state as query from pg_stat_activity'],
    ['COPY', 'copy (select query from pg_stat_activity) to stdout'],
    ['COPY as CSV', 'copy (select pid, reverse(query) from pg_stat_activity) to stdout (format csv)'],
    ['the function behind the view', 'select a.query from pg_stat_get_activity(null) a'],
    ['another function', 'select pg_stat_get_backend_activity(b) from pg_stat_get_backend_idset() b'],
    ['an error', `select query::int from pg_stat_activity where pid = ${pid}`],
  ])('and does not get at it by %s', async (_, sql) => {
    const { stdout, stderr } = await ask(sql)
    expectHidden(stdout + stderr)
    expect(stderr).not.toMatch(/held|ZA001|denied/)
  })

  it('nor by a cursor, or by what is prepared', async () => {
    const cursor = await ask(
      'begin',
      'declare c cursor for select query from pg_stat_activity',
      'fetch all c',
      'commit',
    )
    const prepared = await ask('prepare p as select query from pg_stat_activity', 'execute p')
    for (const { status, stdout, stderr } of [cursor, prepared]) {
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
      expectHidden(stdout)
    }
    expect(cursor.stdout.split('\n').length).toBeGreaterThan(3)
  })

  it('and may ask for it as for any other column that is masked', async () => {
    const questions = [
      `select count(*) from pg_stat_activity where pid = ${pid} and query like '%${marker}%'`,
      "select count(*) from customers where id = 1 and email like '%@%'",
    ]
    expect(await ask(...questions)).toEqual({ status: 0, stdout: '1\n1\n', stderr: '' })
  })

  it('and sees planner statistics, but no value that stands in them', async () => {
    await upstream('analyze customers')
    const planted = await plantedValues(product)
    const [[raw] = []] = await upstream(
      "select string_agg(coalesce(most_common_vals::text, '') || coalesce(histogram_bounds::text, ''), '') from pg_stats where tablename = 'customers'",
    )
    expect(planted.some((value) => String(raw).includes(value))).toBe(true)
    for (const sql of [
      "select * from pg_stats where tablename = 'customers'",
      "select to_jsonb(s), histogram_bounds::text from pg_stats s where tablename = 'customers'",
      "copy (select array_to_string(histogram_bounds, chr(10)) from pg_stats where tablename = 'customers') to stdout",
    ]) {
      const { status, stdout } = await ask(sql)
      expect(status).toBe(0)
      expect(stdout.length).toBeGreaterThan(10)
      for (const value of planted) expect(stdout).not.toContain(value)
    }
    const computed = "select attname, null_frac * 100 from pg_stats where tablename = 'customers' and attname = 'ssn'"
    const [row = []] = await upstream(computed)
    expect((await ask(computed)).stdout).toBe(`${row.join('|')}\n`)
  })
})

describe('ana looks at what others do', () => {
  it('and the record says which column she saw masked', async () => {
    const tag = randomBytes(6).toString('hex')
    await product.psql('ana', '-c', `select pid, query as "${tag}" from pg_stat_activity limit 1`)
    const row = await until(async () => {
      const [found] = await product.clickhouse(
        `select verdict, masked_columns from statements where position(db_query_text, '${tag}') > 0 and outcome = 'completed'`,
      )
      return found
    })
    expect(row).toEqual({ verdict: 'mask', masked_columns: ['pg_catalog.pg_stat_activity.query'] })
  })

  it('and cannot keep it where it would not be masked', async () => {
    const { stdout } = await product.psql(
      'ana',
      '-At',
      '-c',
      'explain (policy) create temporary table kept as select query from pg_stat_activity',
    )
    expect(stdout).toMatch(/verdict: hold/)
    expect(stdout).toMatch(/hold-copies-of-sensitive-values/)
  })
})
