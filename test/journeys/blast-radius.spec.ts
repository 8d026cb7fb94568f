import { Client, type DatabaseError } from 'pg'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { start, type Running } from '../support/run.ts'
import { product } from '../support/shared-product.ts'
import { until } from '../support/until.ts'
import { untilNodeSees, upstream } from '../support/upstream.ts'

/*
 * What a held statement would reach: shown to those who sign, kept, and looked at once more before it runs.
 */

interface Shown {
  readonly blast: {
    readonly summary: string
    readonly relations: readonly { name: string; rows?: object }[]
    readonly sample?: { readonly rows: readonly (readonly (string | null)[])[] }
  }
}

const running: Running[] = []
const clients: Client[] = []

beforeAll(async () => {
  await upstream(`
    create table if not exists reach_people (id int primary key, email text);
    create table if not exists reach_notes (id serial, person int references reach_people on delete cascade);
    truncate reach_people cascade;
    insert into reach_people select g, 'person' || g || '@example.com' from generate_series(1, 20) g;
    insert into reach_notes (person) select 1 + g % 20 from generate_series(1, 60) g`)
  await untilNodeSees('reach_people', 2)
  await untilNodeSees('reach_notes', 2)
})

afterEach(async () => {
  for (const each of running.splice(0)) {
    each.kill('SIGKILL')
    await each.ended
  }
  for (const client of clients.splice(0)) await client.end().catch(() => {})
})

const psql = (sql: string): Running => {
  const each = start('psql', [product.dsn('ana'), '-X', '-v', 'VERBOSITY=verbose', '-c', sql])
  running.push(each)
  return each
}

const requestOf = async (held: Running): Promise<string> => {
  await held.says(/request rq_\w{10}/)
  return /request (rq_\w{10})/.exec(held.said())?.[1] ?? ''
}

const shownTo = (who: string, id: string) =>
  until(async () => {
    const { status, body } = await product.api<Shown>(who, `requests/${id}`)
    return status === 200 ? body : undefined
  })

const approve = (id: string) => product.cli('requests', 'approve', id, '--as', 'bo')

const agent = async (): Promise<Client> => {
  const client = new Client(product.dsn('copilot', { sslmode: 'no-verify' }))
  client.on('error', () => {})
  await client.connect()
  clients.push(client)
  return client
}

const refusalOf = (asked: Promise<unknown>): Promise<DatabaseError> =>
  asked.then(
    () => Promise.reject(new Error('it was not refused')),
    (error: unknown) => error as DatabaseError,
  )

describe('a statement that is held', () => {
  it('tells its approvers how many rows go with those that it names, and shows some of them masked', async () => {
    const held = psql('delete from reach_people')
    const id = await requestOf(held)
    const { blast } = await shownTo('bo', id)
    expect(blast.relations).toEqual([
      { name: 'public.reach_people', effect: 'deletes', rows: { rows: 20, exact: true }, lock: 'ROW EXCLUSIVE' },
      {
        name: 'public.reach_notes',
        effect: 'deletes',
        through: 'foreign key reach_notes_person_fkey',
        rows: { rows: 60, exact: true },
        lock: 'ROW EXCLUSIVE',
      },
    ])
    expect(blast.sample?.rows).toHaveLength(5)
    expect(JSON.stringify(blast)).not.toMatch(/person\d+@example/)
    const { stdout } = await product.cli('requests', 'show', id, '--as', 'bo')
    expect(stdout).toContain('60 rows of public.reach_notes go with them (foreign key reach_notes_person_fkey)')
    expect(stdout).toMatch(/first rows of public\.reach_people, masked/)
    expect((await shownTo('ana', id)).blast.sample).toBeUndefined()
  })

  it('does not run when more rows would go with it than were approved', async () => {
    const held = psql('delete from reach_people')
    const id = await requestOf(held)
    await shownTo('bo', id)
    await upstream('insert into reach_notes (person) values (7)')
    expect((await approve(id)).status).toBe(0)
    expect((await held.ended).stderr).toMatch(/ERROR: {2}ZA003.*more rows than were approved: public\.reach_notes/)
    expect(await upstream('select count(*)::int from reach_people')).toEqual([[20]])
  })

  it('and is run again by a program is void for the same reason, on the record', async () => {
    const client = await agent()
    const { detail } = await refusalOf(client.query('delete from reach_people where id > 0'))
    const { request } = JSON.parse(detail ?? '') as { request: string }
    await shownTo('bo', request)
    expect((await approve(request)).status).toBe(0)
    await upstream('insert into reach_notes (person) values (8)')
    const refusal = await refusalOf(client.query('delete from reach_people where id > 0'))
    expect([refusal.code, refusal.message]).toEqual(['ZA003', expect.stringContaining('more-rows')])
    const { body } = await product.api<object>('bo', `requests/${request}`)
    expect(body).toMatchObject({ phase: 'voided', endedBecause: 'more-rows' })
    expect(await upstream('select count(*)::int from reach_people')).toEqual([[20]])
  })

  it('runs when it reaches what was approved', async () => {
    const client = await agent()
    const sql = 'delete from reach_people where id < 30'
    const { detail } = await refusalOf(client.query(sql))
    const { request } = JSON.parse(detail ?? '') as { request: string }
    await shownTo('bo', request)
    expect((await approve(request)).status).toBe(0)
    expect((await client.query(sql)).rowCount).toBe(20)
    expect(await upstream('select count(*)::int from reach_notes')).toEqual([[0]])
  })

  it('is explained to whoever asks, without a row of it', async () => {
    const { stdout } = await psql('explain (policy) truncate reach_people cascade').ended
    expect(stdout).toMatch(
      /reaches: truncates public\.reach_people \(.*; locks public\.reach_people, public\.reach_notes/,
    )
  })
})
