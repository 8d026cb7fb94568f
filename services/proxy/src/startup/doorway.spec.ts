import { describe, expect, it } from 'vitest'
import { Doorway } from './doorway.ts'
import { SharedCounts } from '../workers/shared-counts.ts'
import { Places } from './places.ts'

const LIMITS = { loginsMax: 5, loginsPerAddressMax: 3 }

describe('the doorway', () => {
  const doorway = () => {
    const door = new Doorway()
    const turned: string[] = []
    const comes = (address: string, name = address) => {
      const waiting = { turnAway: () => turned.push(name) }
      return door.enter(address, waiting, LIMITS) ? () => door.leave(address, waiting) : undefined
    }
    return { door, turned, comes }
  }

  it('has room for so many of one address, and for others beside them', () => {
    const { comes } = doorway()
    expect([1, 2, 3, 4].map(() => comes('10.0.0.1') !== undefined)).toEqual([true, true, true, false])
    expect(comes('10.0.0.2')).toBeDefined()
  })

  it('counts a /64 of IPv6 as one address', () => {
    const { comes } = doorway()
    const hosts = ['2001:db8::1', '2001:db8::2', '2001:db8:0:0:9::3', '2001:db8::4']
    expect(hosts.map((host) => comes(host) !== undefined)).toEqual([true, true, true, false])
  })

  it('turns away the oldest of who has most when it is full', () => {
    const { comes, turned, door } = doorway()
    comes('10.0.0.1', 'first')
    comes('10.0.0.1', 'second')
    comes('10.0.0.1', 'third')
    comes('10.0.0.2')
    comes('10.0.0.3')
    expect(comes('10.0.0.4')).toBeDefined()
    expect(comes('10.0.0.5')).toBeDefined()
    expect([turned, door.size]).toEqual([['first', 'second'], 5])
  })

  it('lets nobody push out who has no more than itself', () => {
    const { comes, turned } = doorway()
    for (const host of [1, 2, 3, 4, 5]) comes(`10.0.0.${host}`)
    expect(comes('10.0.0.1')).toBeUndefined()
    expect(comes('10.0.0.9')).toBeDefined() // It has none yet.
    expect(turned).toEqual(['10.0.0.1'])
  })

  it('is empty when all have left, however often they say so', () => {
    const { comes, door } = doorway()
    const leave = comes('10.0.0.1')
    leave?.()
    leave?.()
    expect(door.size).toBe(0)
  })
})

describe('places', () => {
  const limits = { connectionsMax: 3, connectionsPerPrincipalMax: 2 }

  const places = () => new Places(new SharedCounts().of('w0'))
  const kinds = (taken: readonly unknown[]) => taken.map((each) => (typeof each === 'string' ? each : 'a place'))

  it('are so many of one principal, and so many in all', async () => {
    const there = places()
    const taken = await Promise.all(['ana', 'ana', 'ana', 'bo', 'cy'].map((who) => there.take(who, limits)))
    expect(kinds(taken)).toEqual(['a place', 'a place', 'principal', 'a place', 'all'])
    expect([await there.take('cy', limits), there.isFull(limits)]).toEqual(['all', true])
  })

  it('come free once, however often they are left', async () => {
    const there = places()
    const leave = await there.take('ana', limits)
    await there.take('ana', limits)
    if (typeof leave === 'function') for (let time = 0; time < 3; time++) leave()
    expect(there.size).toBe(1)
    expect(kinds([await there.take('ana', limits), await there.take('ana', limits)])).toEqual(['a place', 'principal'])
  })

  it('of one principal are counted over all workers', async () => {
    const counts = new SharedCounts()
    const [one, other] = [new Places(counts.of('w0')), new Places(counts.of('w1'))]
    const leave = await one.take('ana', limits)
    expect(kinds([await other.take('ana', limits), await other.take('ana', limits)])).toEqual(['a place', 'principal'])
    if (typeof leave === 'function') leave()
    expect(kinds([await other.take('ana', limits)])).toEqual(['a place'])
  })
})
