import { describe, expect, it } from 'vitest'
import { distance, localClock, localTime } from './clock.ts'

describe('a time for people', () => {
  it('is where they are', () => {
    const at = new Date(2026, 10, 22, 9, 4, 5)
    expect(localTime(at.toISOString())).toBe('2026-11-22 09:04:05')
    expect(localClock(at.toISOString())).toBe('09:04:05')
  })

  it('is shown as it came when it is none', () => {
    expect(localTime('soon')).toBe('soon')
    expect(localClock('soon')).toBe('soon')
  })
})

describe('how far away a moment is', () => {
  const now = new Date('2026-11-22T12:00:00.000Z')
  it.each([
    ['2026-11-22T12:00:28.000Z', 'in 28 s'],
    ['2026-11-22T12:01:59.000Z', 'in 119 s'],
    ['2026-11-22T12:02:00.000Z', 'in 2 min'],
    ['2026-11-22T11:57:01.000Z', '2 min ago'],
    ['2026-11-22T09:00:00.000Z', '3 h ago'],
    ['2026-11-25T12:00:00.000Z', 'in 3 d'],
    ['2026-11-22T12:00:00.000Z', 'in 0 s'],
  ])('%s is %s', (instant, expected) => expect(distance(instant, now)).toBe(expected))
})
