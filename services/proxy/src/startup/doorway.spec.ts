import { describe, expect, it } from 'vitest'
import { Doorway } from './doorway.ts'
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

  it('are so many of one principal, and so many in all', () => {
    const places = new Places()
    expect(['ana', 'ana', 'ana', 'bo', 'cy'].map((who) => typeof places.take(who, limits))).toEqual([
      'function',
      'function',
      'string',
      'function',
      'string',
    ])
    expect([places.take('ana', limits), places.isFull(limits)]).toEqual(['all', true])
  })

  it('come free once, however often they are left', () => {
    const places = new Places()
    const leave = places.take('ana', limits)
    places.take('ana', limits)
    if (typeof leave === 'function') for (let time = 0; time < 3; time++) leave()
    expect(places.size).toBe(1)
    expect([typeof places.take('ana', limits), places.take('ana', limits)]).toEqual(['function', 'principal'])
  })
})
