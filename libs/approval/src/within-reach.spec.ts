import { Blast } from '@countersign/contracts'
import { describe, expect, it } from 'vitest'
import { beyondReach } from './within-reach.ts'

const relation = (changes: object) => ({ name: 'public.orders', effect: 'deletes', lock: 'ROW EXCLUSIVE', ...changes })

const blast = (relations: readonly object[], more: object = {}): Blast =>
  Blast.parse({ summary: '', relations, dependents: [], stops: [], unknown: [], ...more })

const exactly = (rows: number) => ({ rows: { rows, exact: true } })
const about = (rows: number) => ({ rows: { rows, exact: false } })

describe('what would be reached now', () => {
  it.each<[string, object, object]>([
    ['the same', exactly(3), exactly(3)],
    ['fewer rows', exactly(2), exactly(3)],
    ['as many as were estimated, or nearly', about(1_050), about(1_000)],
    ['rows of which nobody said before how many', exactly(3), {}],
    ['a weaker lock', { lock: 'ACCESS SHARE' }, {}],
    ['no rewrite any more', {}, { rewrites: true }],
    ['only read whole, where it was to be written', { scans: true }, { rewrites: true }],
    ['a larger table', { bytes: 9_000 }, { bytes: 5 }],
  ])('is within what was approved: %s', (_, now, approved) =>
    expect(beyondReach(blast([relation(now)]), blast([relation(approved)]))).toBeUndefined(),
  )

  it.each<[string, object, object, string]>([
    ['more rows', exactly(4), exactly(3), 'more-rows'],
    ['rows that are no longer counted exactly', about(3), exactly(3), 'more-rows'],
    ['rows that are not known any more', {}, exactly(3), 'more-rows'],
    ['many more rows than were estimated', about(1_200), about(1_000), 'more-rows'],
    ['counted, more than were estimated', exactly(1_001), about(1_000), 'more-rows'],
    ['a stronger lock', { lock: 'ACCESS EXCLUSIVE' }, {}, 'stronger-lock'],
    ['a lock where there was none', {}, { lock: undefined }, 'stronger-lock'],
    ['a rewrite', { rewrites: true }, {}, 'new-rewrite'],
    ['to be read whole', { scans: true }, {}, 'new-rewrite'],
    ['another effect', { effect: 'truncates' }, {}, 'wider-reach'],
    ['another relation', { name: 'public.payments' }, {}, 'wider-reach'],
  ])('is beyond what was approved: %s', (_, now, approved, because) =>
    expect(beyondReach(blast([relation(now)]), blast([relation(approved)]))?.because).toBe(because),
  )

  it('may be one relation less, but not one more', () => {
    const both = blast([relation({}), relation({ name: 'public.items' })])
    expect(beyondReach(blast([relation({})]), both)).toBeUndefined()
    expect(beyondReach(both, blast([relation({})]))).toEqual({ because: 'wider-reach', what: 'public.items' })
  })

  it('may lock what was to be changed anyway, but no more strongly', () => {
    const locked = (lock: string) => blast([relation({ effect: 'locks', lock })])
    expect(beyondReach(locked('ROW SHARE'), blast([relation({})]))).toBeUndefined()
    expect(beyondReach(locked('SHARE'), blast([relation({})]))?.because).toBe('wider-reach')
  })

  it('is no other object', () => {
    const view = { kind: 'view', name: 'public.seen', cascade: true }
    const index = { kind: 'index', name: 'public.seen', cascade: true }
    const approved = blast([], { dependents: [view] })
    expect(beyondReach(blast([], { dependents: [view] }), approved)).toBeUndefined()
    expect(beyondReach(blast([]), approved)).toBeUndefined()
    expect(beyondReach(blast([], { dependents: [view, index] }), approved)).toEqual({
      because: 'wider-reach',
      what: 'index public.seen',
    })
  })

  it('is known as well as it was', () => {
    const vague = blast([], { unknown: ['what code behind it does'] })
    expect(beyondReach(vague, vague)).toBeUndefined()
    expect(beyondReach(blast([]), vague)).toBeUndefined()
    expect(beyondReach(vague, blast([]))?.because).toBe('wider-reach')
    expect(beyondReach(undefined, blast([]))?.because).toBe('wider-reach')
    expect(beyondReach(vague, undefined)).toBeUndefined()
  })

  it('is, of more than can be listed, exactly the same', () => {
    const long = (digest: string) => blast([], { more: { relations: 100, dependents: 0, digest } })
    expect(beyondReach(long('a'), long('a'))).toBeUndefined()
    expect(beyondReach(long('b'), long('a'))?.because).toBe('wider-reach')
    expect(beyondReach(long('a'), blast([]))?.because).toBe('wider-reach')
    expect(beyondReach(blast([]), long('a'))).toBeUndefined()
  })
})
