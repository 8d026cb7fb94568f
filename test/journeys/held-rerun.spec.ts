import { Client, type DatabaseError } from 'pg'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { product } from '../support/shared-product.ts'
import { untilNodeSees, upstream } from '../support/upstream.ts'

const clients: Client[] = []

const connect = async (as: string): Promise<Client> => {
  const client = new Client(product.dsn(as, { sslmode: 'no-verify' }))
  client.on('error', () => {})
  await client.connect()
  clients.push(client)
  return client
}

const refusalOf = async (asked: Promise<unknown>): Promise<DatabaseError> => {
  try {
    await asked
  } catch (error) {
    return error as DatabaseError
  }
  throw new Error('it was not refused')
}

const detailOf = ({ detail }: DatabaseError) => JSON.parse(detail ?? '') as Record<string, unknown>

beforeAll(async () => {
  await upstream("create table if not exists rerun as select g as id, 'x' as note from generate_series(1, 3000) g")
  await untilNodeSees('rerun', 2)
})

afterEach(async () => {
  for (const client of clients.splice(0)) await client.end().catch(() => {})
})

describe('a statement of an agent that is held', () => {
  it('is refused at once with everything that a program needs to come back', async () => {
    const agent = await connect('copilot')
    const refusal = await refusalOf(agent.query('delete from rerun where id > 10'))
    expect(refusal.code).toBe('ZA001')
    expect(detailOf(refusal)).toMatchObject({
      v: 1,
      status: 'approval_required',
      request: expect.stringMatching(/^rq_/),
      url: expect.stringMatching(/^http/),
      owners: ['shop-owners'],
      retry: 'same_statement',
    })
    expect((await agent.query('select 1 as one')).rows).toEqual([{ one: 1 }])
    expect(await upstream('select count(*)::int from rerun')).toEqual([[3000]])
  })

  it('asks once, however often it is tried', async () => {
    const agent = await connect('copilot')
    const sql = 'delete from rerun where id > 20'
    const requests = new Set<unknown>()
    for (let n = 0; n < 3; n++) requests.add(detailOf(await refusalOf(agent.query(sql)))['request'])
    expect(requests.size).toBe(1)
  })

  it('runs exactly once after it was approved, for the same agent and in the same words', async () => {
    const agent = await connect('copilot')
    const sql = "update rerun set note = note || '!' where id > 2900"
    const { request } = detailOf(await refusalOf(agent.query(sql)))
    const own = await product.cli('requests', 'approve', String(request), '--as', 'ana')
    expect(own.status).toBe(4) // The agent acts for her.
    expect((await product.cli('requests', 'approve', String(request), '--as', 'bo')).status).toBe(0)

    const other = await refusalOf(agent.query(`${sql} `))
    expect([other.code, detailOf(other)['request'] === request]).toEqual(['ZA001', false])
    expect((await agent.query(sql)).rowCount).toBe(100)
    const again = await refusalOf(agent.query(sql))
    expect([again.code, detailOf(again)['request'] === request]).toEqual(['ZA001', false])
    expect(await upstream('select distinct note, count(*)::int from rerun where id > 2900 group by 1')).toEqual([
      ['x!', 100],
    ])
  })

  it('is not granted to anybody else', async () => {
    const agent = await connect('copilot')
    const sql = "update rerun set note = 'somebody else' where id > 100"
    const { request } = detailOf(await refusalOf(agent.query(sql)))
    await product.cli('requests', 'approve', String(request), '--as', 'bo')
    const someoneElse = await connect('etl')
    const refusal = await refusalOf(someoneElse.query(sql))
    expect([refusal.code, detailOf(refusal)['request'] === request]).toEqual(['ZA001', false])
    expect(await upstream("select count(*)::int from rerun where note = 'somebody else'")).toEqual([[0]])
  })

  it('is bound to its parameters as well', async () => {
    const agent = await connect('copilot')
    const sql = 'update rerun set note = $1 where id > 2800'
    const { request } = detailOf(await refusalOf(agent.query(sql, ['approved'])))
    expect((await product.cli('requests', 'approve', String(request), '--as', 'cy')).status).toBe(0)
    const other = await refusalOf(agent.query(sql, ['something else']))
    expect(detailOf(other)['request']).not.toBe(request)
    expect((await agent.query(sql, ['approved'])).rowCount).toBe(200)
  })

  it('tells a denial for as long as the request would have stood', async () => {
    const agent = await connect('copilot')
    const sql = 'truncate rerun'
    const { request } = detailOf(await refusalOf(agent.query(sql)))
    await product.cli('requests', 'deny', String(request), '--as', 'bo', '--reason', 'not tonight')
    const refusal = await refusalOf(agent.query(sql))
    expect([refusal.code, refusal.message]).toEqual(['42501', expect.stringMatching(/denied by bo: not tonight/)])
  })

  it('fails its transaction on the server too, so that nothing before it is committed', async () => {
    const agent = await connect('copilot')
    await agent.query('begin')
    await agent.query("insert into rerun values (9001, 'in a transaction')")
    expect((await refusalOf(agent.query('drop table rerun'))).code).toBe('ZA001')
    expect((await refusalOf(agent.query('select 1'))).code).toBe('25P02')
    expect((await agent.query('commit')).command).toBe('ROLLBACK')
    expect(await upstream('select count(*)::int from rerun where id = 9001')).toEqual([[0]])
  })
})

describe('a person whose program cannot show that it waits', () => {
  it('is told at once as well, and may ask to wait', async () => {
    const person = await connect('ana')
    expect((await refusalOf(person.query('drop table rerun'))).code).toBe('ZA001')
    const patient = new Client(product.dsn('ana', { sslmode: 'no-verify', options: '-c countersign.hold=2s' }))
    clients.push(patient)
    await patient.connect()
    const notices: (string | undefined)[] = []
    patient.on('notice', ({ message }) => notices.push(message))
    const refusal = await refusalOf(patient.query('drop table rerun'))
    expect([refusal.code, notices[0]]).toEqual(['ZA002', expect.stringMatching(/held for approval/)])
  })
})
