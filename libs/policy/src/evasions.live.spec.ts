import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadParser, type Catalogue } from '@countersign/sql'
import {
  EvasionSession,
  evasions,
  hadEffect,
  needsOwn,
  startEvasions,
  type Evaded,
  type Evasion,
} from '../../../test/corpus/evasions.ts'
import { installed, type Postgres } from '../../../test/corpus/postgres.ts'
import { GUARD } from '../../../test/corpus/shop.ts'
import { loadCatalogue } from '../../../test/corpus/side-connection.ts'
import type { Decision } from './index.ts'

/*
 * Statements that try to be taken for what they are not, decided by the shipped policies. What each of them really does
 * was measured on both servers, and stands beside it.
 */

const RIGHT: Readonly<Record<Evasion['should'], readonly Decision['verdict'][]>> = {
  allow: ['allow'],
  review: ['hold'],
  deny: ['hold', 'deny'],
}

describe.each(installed())('evasions, with $label', (binaries) => {
  let server: Postgres
  let judged: readonly { readonly row: Evasion; readonly evaded: Evaded }[]

  beforeAll(async () => {
    await loadParser()
    server = await startEvasions(binaries)
    judged = [...(await inOne()), ...(await eachInItsOwn())]
  }, 600_000)
  afterAll(() => server?.stop())

  it('none that changed anything counts as read-only', () => {
    const measured = judged.filter(({ row }) => Object.values(row.effects ?? {}).some(hadEffect))
    expect(measured.length).toBeGreaterThan(300)
    expect(measured.filter(({ evaded }) => evaded.readOnly).map(({ row }) => `${row.id}: ${row.sql}`)).toEqual([])
  })

  it('each gets the verdict that is right', () => {
    // What this version does not know it refuses by itself.
    const wrong = judged.filter(({ row, evaded }) => !RIGHT[row.should].includes(evaded.verdict) && !evaded.fails)
    expect(
      wrong.map(
        ({ row, evaded }) =>
          `${row.id}: ${row.should}, but ${evaded.verdict} by ${evaded.policies.join(' ')}: ${row.sql}`,
      ),
    ).toEqual([])
  })

  const inOne = async () => {
    const admin = await server.connect('shop', GUARD)
    const catalogue = await loadCatalogue(admin)
    await admin.end()
    const plain = await EvasionSession.in(server, 'shop', catalogue)
    const found = []
    for (const row of evasions.filter((each) => !needsOwn(each))) {
      found.push({ row, evaded: row.setup ? await inNewSession(row, catalogue) : await plain.judge(row) })
    }
    await plain.end()
    return found
  }

  const inNewSession = async (row: Evasion, catalogue?: Catalogue, database = 'shop'): Promise<Evaded> => {
    const session = await EvasionSession.in(server, database, catalogue)
    await session.setUp(row)
    const evaded = await session.judge(row)
    await session.end()
    return evaded
  }

  const eachInItsOwn = async () => {
    const admin = await server.connect('postgres')
    const found = []
    for (const [index, row] of evasions.filter(needsOwn).entries()) {
      await admin.query(`CREATE DATABASE evasion_${index} TEMPLATE shop`)
      found.push({ row, evaded: await inNewSession(row, undefined, `evasion_${index}`) })
      await admin.query(`DROP DATABASE evasion_${index} WITH (FORCE)`)
    }
    await admin.end()
    return found
  }
})
