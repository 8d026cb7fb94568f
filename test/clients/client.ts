import { beforeAll, describe, expect, it } from 'vitest'
import { plantedValues } from '../support/planted.ts'
import { product } from '../support/shared-product.ts'
import { upstream } from '../support/upstream.ts'
import type { Fact } from './facts.ts'
import { expectMasked, rawValues } from './masks.ts'
import { runClient, SSLMODE, type Encryption } from './run-client.ts'
import type { Program } from './runtimes/program.ts'
import { sawOf, type Saw, type Table } from './saw.ts'
import { STATEMENTS } from './statements.ts'
import { doomedTable, ensureTables, type ClientName } from './tables.ts'

export interface ClientUnderTest {
  readonly program: () => Promise<Program>
  /** What the program's sections must have seen, so that being the same on both sides is not being wrong on both. */
  readonly shows: Readonly<Record<string, Fact>>
  readonly encryption?: Encryption
  /** False where the driver keeps the code of a refused login to itself, as libpq does: then its text must do. */
  readonly tellsLoginCode: boolean
}

/** Runs a client's program once, on the database and through the node, and says what must be true of what it saw. */
export const describeClient = (
  client: ClientName,
  { program, shows, encryption = SSLMODE, tellsLoginCode }: ClientUnderTest,
): void => {
  let saw: Saw

  beforeAll(async () => {
    await ensureTables()
    saw = await runClient(client, await program(), encryption)
  })

  describe(`${client} through the node`, () => {
    it('logs in with the token as password, with TLS and on this machine without', () => {
      expect(sawOf(saw.node, 'login')).toMatchObject({ one: 1, tls: true })
      expect(sawOf(saw.clear, 'login')).toMatchObject({ one: 1, tls: false })
    })

    it.each([
      ['a wrong token', 'wrong_token', { sqlstate: '28P01', message: 'password authentication failed' }],
      ['an unknown database', 'wrong_database', { sqlstate: '3D000', message: 'database "nowhere" does not exist' }],
    ])('is refused with %s', (_, section, { sqlstate, message }) => {
      const refused = sawOf(saw.only, section) as { sqlstate?: string; message: string }
      expect(refused.message).toContain(message)
      if (tellsLoginCode) expect(refused.sqlstate).toBe(sqlstate)
    })

    it.each(Object.keys(STATEMENTS.masked))('reads masked values in the types of its driver: %s', (statement) => {
      const direct = tablesOf(saw.direct, statement)
      for (const side of [saw.node, saw.clear]) {
        const masked = tablesOf(side, statement)
        expect(Object.keys(masked)).toEqual(Object.keys(direct))
        for (const [format, table] of Object.entries(masked)) expectMasked(statement, direct[format] ?? NO_TABLE, table)
      }
    })

    it('has met no raw value anywhere', async () => {
      const met = JSON.stringify([saw.node, saw.clear, saw.only])
      const raw = Object.keys(STATEMENTS.masked).flatMap((statement) =>
        Object.values(tablesOf(saw.direct, statement)).flatMap((table) => rawValues(statement, table)),
      )
      expect(raw.length).toBeGreaterThan(100)
      const known = new Set([...raw, ...(await plantedValues(product)), ...(await birthDates())])
      expect([...known].filter((value) => met.includes(quoted(value)))).toEqual([])
    })

    it.each([...Object.keys(STATEMENTS.errors), 'bad parameter', 'still there'])(
      'tells an error as the server does: %s',
      (name) => {
        const { [name]: direct } = sawOf(saw.direct, 'errors') as Record<string, unknown>
        const { [name]: node } = sawOf(saw.node, 'errors') as Record<string, unknown>
        expect(node).toEqual(direct)
        if (name !== 'still there') expect(JSON.stringify(node)).toMatch(/"sqlstate":"(?!ZA)[0-9A-Z]{5}"/)
      },
    )

    it.each(Object.keys(shows))('%s', (section) => {
      const node = sawOf(saw.node, section)
      expect(node).toEqual(sawOf(saw.direct, section))
      const fact = shows[section]
      if (typeof fact === 'function') fact(node)
      else expect(node).toMatchObject(fact ?? {})
    })

    it('asks as an agent for what is dangerous, and gets it once after it was countersigned', async () => {
      const held = { refused: 'ZA001', usable: 1, again: 'ZA001', detail: ZA001_DETAIL }
      const [dropped, updated] = sawOf(saw.only, 'held') as readonly unknown[]
      expect(dropped).toMatchObject(held)
      expect(updated).toMatchObject(held)
      expect(await upstream(`select to_regclass('${doomedTable(client)}')`)).toEqual([[null]])
      expect(
        await upstream(`select distinct times, count(*)::int from client_counts where client = '${client}' group by 1`),
      ).toEqual([[1, 20]])
    })

    it('tells of nothing that is not looked at here', () => {
      const looked = ['login', 'masked', 'errors', ...Object.keys(shows)]
      expect(Object.keys(saw.node).sort()).toEqual(looked.sort())
      expect(Object.keys(saw.direct).sort()).toEqual(looked)
    })
  })
}

const tablesOf = (side: Saw['node'], statement: string): Readonly<Record<string, Table>> =>
  (sawOf(side, 'masked') as Record<string, Record<string, Table>>)[statement] ?? {}

const NO_TABLE: Table = { columns: [], rows: [] }

/** As they stand in text. What is masked to the first of January of its year may look the same. */
const birthDates = async (): Promise<readonly string[]> => {
  const rows = await upstream('select date_of_birth::text from customers where date_of_birth is not null and id <= 40')
  return rows.map(([date]) => String(date)).filter((date) => !date.endsWith('-01-01'))
}

const quoted = (value: string): string => JSON.stringify(value).slice(1, -1)

const ZA001_DETAIL = {
  v: 1,
  status: 'approval_required',
  request: expect.stringMatching(/^rq_\w{10}$/),
  url: expect.stringMatching(/^http/),
  owners: ['shop-owners'],
  retry: 'same_statement',
}
