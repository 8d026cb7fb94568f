import { Principal, Target } from '@countersign/contracts'
import { loadParser } from '@countersign/sql'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { corpus, everyday } from '../../../test/corpus/corpus.ts'
import { installed, type Postgres } from '../../../test/corpus/postgres.ts'
import { startShop } from '../../../test/corpus/shop.ts'
import { Rewriting, type Tally } from '../../../test/rewrites/campaign.ts'

/*
 * A statement written in another way is judged at least as strictly (test/rewrites/README.md). A few hundred of what
 * `npm run fuzz -- --only rewrites` tries by the ten thousand, and those that were once judged more leniently.
 */

const SEEDS = 250

/** EXECUTE, EXPLAIN ANALYZE and DO of what was held when it was sent by itself. */
const FOUND = [959, 1774, 2847, 3278, 3556, 4183, 4999, 5581, 6917]

const principal = Principal.parse({ id: 'ana', kind: 'person', groups: ['developers'] })
const target = Target.parse({ environment: 'prod', database: 'shop' })

describe.each(installed().slice(0, 1))('a statement written in another way, with $label', (binaries) => {
  let server: Postgres
  let rewriting: Rewriting

  beforeAll(async () => {
    await loadParser()
    server = await startShop(binaries)
    const statements = [...corpus.filter(({ setup }) => !setup).map(({ sql }) => sql), ...everyday]
    rewriting = await Rewriting.over(server, { principal, target }, statements)
  })
  afterAll(async () => {
    await rewriting?.close()
    await server?.stop()
  })

  it('is never judged more leniently, nor shows more', async () => {
    const tally: Tally = { tried: 0, judged: 0, weakened: [] }
    const seeds = [...FOUND, ...Array.from({ length: SEEDS }, (_, index) => 100_000 + index)]
    for (const seed of seeds) await rewriting.attempt(seed, tally)
    expect(tally.weakened).toEqual([])
    expect(tally.judged).toBeGreaterThan(SEEDS / 2)
  })

  it('nor when it is made into a view or a function', async () => {
    const tally: Tally = { tried: 0, judged: 0, weakened: [] }
    await rewriting.asObjects(tally, 7)
    expect(tally.weakened).toEqual([])
    expect(tally.judged).toBeGreaterThan(50)
  })
})
