import { Instant, WorkerId } from '@countersign/contracts'
import { describe, expect, it } from 'vitest'
import { catalogueFrom, changedColumns, changedRelations, classified } from './catalogue.ts'

describe('an observation of a database', () => {
  it('makes the first catalogue, and one for each version that is newer', () => {
    const first = catalogueFrom(observed('c1', 1), undefined)!
    expect(first.data).toMatchObject({ version: 'c1', columns: [{ column: 'public.orders.total', class: 'money' }] })
    expect(catalogueFrom(observed('c1', 2), first)).toBeUndefined()
    expect(catalogueFrom(observed('c0', 0), first)).toBeUndefined()
    expect(catalogueFrom(observed('c2', 2), first)?.data.version).toBe('c2')
  })

  it('is recorded once for each version, with what changed', () => {
    const first = catalogueFrom(observed('c1', 1), undefined)!
    const record = classified(first, undefined, at(1))
    const [event] = record([])
    expect(event).toMatchObject({
      type: 'data.classified',
      data: { version: 'c1', changed: [{ column: 'public.orders.total' }] },
    })
    expect(record([event!])).toEqual([])
  })
})

describe('what changed', () => {
  const column = (name: string, kind: string, confidence = 1) => ({
    column: name,
    class: kind,
    because: 'its name',
    confidence,
  })

  it('is what is new or said otherwise', () =>
    expect(changedColumns([column('a.b.c', 'x')], [column('a.b.c', 'x'), column('a.b.d', 'x')])).toEqual([
      column('a.b.d', 'x'),
    ]))

  it('touches relations whose columns came, went or hold something else, and not how sure that is', () => {
    const before = [
      column('s.added.a', 'x'),
      column('s.gone.a', 'x'),
      column('s.gone.b', 'x'),
      column('s.other.a', 'x'),
      column('s.same.a', 'x', 0.5),
    ]
    const now = [
      column('s.added.a', 'x'),
      column('s.added.b', 'x'),
      column('s.gone.a', 'x'),
      column('s.other.a', 'y'),
      column('s.same.a', 'x', 0.9),
    ]
    expect(changedRelations(before, now)).toEqual(new Set(['s.added', 's.gone', 's.other']))
  })
})

const at = (second: number) => Instant.parse(`2026-11-22T12:00:0${second}.000Z`)

const observed = (catalogueVersion: string, second: number) => ({
  worker: WorkerId.parse('n/0/1'),
  target: { environment: 'demo', database: 'shop' },
  catalogueVersion,
  columns: [{ column: 'public.orders.total', dataType: 'numeric', class: 'money', confidence: 1, because: 'its name' }],
  at: at(second),
})
