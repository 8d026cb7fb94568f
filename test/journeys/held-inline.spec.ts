import { afterEach, describe, expect, it, onTestFinished } from 'vitest'
import { start, type Running } from '../support/run.ts'
import { product } from '../support/shared-product.ts'
import { until } from '../support/until.ts'
import { untilNodeSees, upstream } from '../support/upstream.ts'

const HOLD_SECONDS = 8 // As the project's setup configures it.

const POLLING = { timeout: 10_000 }

const running: Running[] = []

/** psql, beside what the approvers do. */
const psql = (sql: string, as = 'ana'): Running => {
  const each = start('psql', [product.dsn(as), '-X', '-v', 'VERBOSITY=verbose', '-c', sql])
  running.push(each)
  return each
}

const requestOf = async (held: Running): Promise<string> => {
  await held.says(/request rq_\w{10}/)
  return /request (rq_\w{10})/.exec(held.said())?.[1] ?? ''
}

const cli = (verb: string, id: string, as: string, ...more: readonly string[]) =>
  product.cli('requests', verb, id, '--as', as, ...more)

/** Control reads of it from the log, a moment after the client does. */
const requestOnRecord = async (held: Running) => {
  const id = await requestOf(held)
  return until(async () => {
    const { status, body } = await product.api<{ rows: unknown }>('bo', `requests/${id}`)
    return status === 200 ? body : undefined
  })
}

const phaseOf = async (id: string) => (await product.api<{ phase: string }>('bo', `requests/${id}`)).body.phase

afterEach(async () => {
  for (const each of running.splice(0)) {
    each.kill('SIGKILL')
    await each.ended
  }
})

describe('a statement that is held while its client waits', () => {
  it('names the request and the owners, is refused to its own author, and runs when an owner approves', async () => {
    await upstream('create table kept_customers as table customers')
    // An approval is for the schema that it was asked under.
    await untilNodeSees('kept_customers', 16)
    onTestFinished(async () => {
      const [found] = await upstream("select to_regclass('customers')")
      await upstream(
        found?.[0] === null ? 'alter table kept_customers rename to customers' : 'drop table kept_customers',
      )
      await untilNodeSees('customers', 16)
    })
    const dropped = psql('drop table customers')
    const id = await requestOf(dropped)
    expect(dropped.said()).toMatch(/NOTICE:.*held for approval: DROP TABLE public\.customers/)
    expect(dropped.said()).toMatch(/shop-owners/)

    const own = await cli('approve', id, 'ana')
    expect(own.status).toBe(4)
    expect(own.stderr).toMatch(/own request/)
    expect(await upstream("select to_regclass('customers')::text")).toEqual([['customers']])

    expect((await cli('approve', id, 'bo')).status).toBe(0)
    expect(await dropped.ended, dropped.said()).toMatchObject({ status: 0, stdout: 'DROP TABLE\n' })
    expect(await upstream("select to_regclass('customers')::text")).toEqual([[null]])

    // The record gets there within a second.
    await expect
      .poll(() => product.clickhouse(`select phase, people_for from approvals where request_id = '${id}'`), POLLING)
      .toEqual([{ phase: 'claimed', people_for: ['bo'] }])
    await expect
      .poll(
        () => product.clickhouse(`select refused_because from votes where request_id = '${id}' and person = 'ana'`),
        POLLING,
      )
      .toEqual([{ refused_because: 'own-request' }])
  })

  it('is not run when an owner denies, and the client reads why', async () => {
    const deleted = psql('delete from order_items')
    const id = await requestOf(deleted)
    expect((await cli('deny', id, 'bo', '--reason', 'wrong table')).status).toBe(0)
    const { status, stderr } = await deleted.ended
    expect(status).not.toBe(0)
    expect(stderr).toMatch(/ERROR: {2}42501: denied by bo: wrong table/)
    expect(Number((await upstream('select count(*) from order_items'))[0]?.[0])).toBeGreaterThan(10_000)
  })

  it('carries the exact number of rows', async () => {
    const [[rows] = []] = await upstream('select count(*)::int from orders')
    const all = psql('delete from orders')
    expect((await requestOnRecord(all)).rows).toEqual({ rows, exact: true })
    all.kill('SIGINT')

    const [[some] = []] = await upstream('select count(*)::int from orders where id <= 1500')
    const many = psql('delete from orders where id <= 1500')
    expect((await requestOnRecord(many)).rows).toEqual({ rows: some, exact: true })
  })

  it(
    'expires when nobody answers, and nothing runs',
    async () => {
      const truncated = psql('truncate support_tickets')
      const id = await requestOf(truncated)
      const { status, stderr } = await truncated.ended
      expect(status).not.toBe(0)
      expect(stderr).toMatch(/NOTICE:.*still waiting/)
      expect(stderr).toMatch(/ERROR: {2}ZA002/)
      expect(await phaseOf(id)).toBe('expired')
      expect((await cli('approve', id, 'bo')).status).not.toBe(0)
      expect(Number((await upstream('select count(*) from support_tickets'))[0]?.[0])).toBeGreaterThan(0)
    },
    (HOLD_SECONDS + 30) * 1000,
  )

  it('is withdrawn by Ctrl-C, and cannot be approved any more', async () => {
    const dropped = psql('drop view active_customers')
    const id = await requestOf(dropped)
    dropped.kill('SIGINT')
    expect((await dropped.ended).stderr).toMatch(/ERROR: {2}57014/)
    await expect.poll(() => phaseOf(id), { timeout: 5_000 }).toBe('withdrawn')
    expect((await cli('approve', id, 'bo')).status).not.toBe(0)
    expect(await upstream("select to_regclass('active_customers')::text")).toEqual([['active_customers']])
  })

  it('is withdrawn when its client is gone', async () => {
    const dropped = psql('drop view active_customers')
    const id = await requestOf(dropped)
    dropped.kill('SIGKILL')
    await expect.poll(() => phaseOf(id), { timeout: 5_000 }).toBe('withdrawn')
  })

  it('aborts the transaction that it stands in when it is refused', async () => {
    const script = psql(
      "begin; insert into settings (key, value) values ('journey', '1'); delete from products; commit",
    )
    const id = await requestOf(script)
    await cli('deny', id, 'cy', '--reason', 'no')
    await script.ended
    expect(await upstream("select count(*)::int from settings where key = 'journey'")).toEqual([[0]])
  })

  it('is void when policy would say something else of it by then', async () => {
    // Approved for as many rows as there were when it was asked for; by then there are more.
    await upstream("create table if not exists growing as select g as id, 'x' as note from generate_series(1, 100) g")
    await untilNodeSees('growing', 2)
    const deleted = psql('delete from growing')
    const id = await requestOf(deleted)
    await upstream("insert into growing select g, 'y' from generate_series(101, 300) g")
    expect((await cli('approve', id, 'bo')).status).toBe(0)
    expect((await deleted.ended).stderr).toMatch(/ERROR: {2}ZA003.*more rows/)
    expect(await upstream('select count(*)::int from growing')).toEqual([[300]])
  })
})
