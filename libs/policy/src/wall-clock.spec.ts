import { describe, expect, it } from 'vitest'
import { momentOf, wallClock } from './index.ts'

const at = (zone: string | undefined, instant: string) => wallClock(zone)(new Date(instant))

describe('the time as policies know it', () => {
  it.each([
    [undefined, '2026-11-23T09:05:59.999Z', { hour: 9, weekday: 1, minuteOfDay: 545 }],
    ['UTC', '2026-11-22T00:00:00.000Z', { hour: 0, weekday: 7, minuteOfDay: 0 }],
    ['UTC', '2026-11-22T23:59:59.999Z', { hour: 23, weekday: 7, minuteOfDay: 1439 }],
    // Another day than at Greenwich, on either side.
    ['Pacific/Auckland', '2026-11-22T23:30:00.000Z', { hour: 23, weekday: 1, minuteOfDay: 750 }],
    ['America/Los_Angeles', '2026-11-23T02:00:00.000Z', { hour: 2, weekday: 7, minuteOfDay: 1080 }],
    // Zones that are not whole hours.
    ['Asia/Kathmandu', '2026-11-23T00:00:00.000Z', { hour: 0, weekday: 1, minuteOfDay: 345 }],
    // Summer time: the hour that is left out, and the one that comes twice.
    ['Europe/Zurich', '2026-03-29T00:59:00.000Z', { hour: 0, weekday: 7, minuteOfDay: 119 }],
    ['Europe/Zurich', '2026-03-29T01:00:00.000Z', { hour: 1, weekday: 7, minuteOfDay: 180 }],
    ['Europe/Zurich', '2026-10-25T00:30:00.000Z', { hour: 0, weekday: 7, minuteOfDay: 150 }],
    ['Europe/Zurich', '2026-10-25T01:30:00.000Z', { hour: 1, weekday: 7, minuteOfDay: 150 }],
  ])('in %s at %s', (zone, instant, expected) => expect(at(zone, instant)).toEqual(expected))

  it('goes on with the minute, forwards and backwards', () => {
    const clock = wallClock('Europe/Zurich')
    const minutes = ['22:59:59.999', '23:00:00.000', '22:59:30.000'].map(
      (time) => clock(new Date(`2026-11-22T${time}Z`)).minuteOfDay,
    )
    expect(minutes).toEqual([1439, 0, 1439])
    expect(clock(new Date('2026-11-22T23:00:00.000Z')).weekday).toBe(1)
  })

  it.each([
    '1970-01-01T00:00:00.000Z',
    '2024-02-29T23:59:00.000Z',
    '2026-11-23T09:05:00.000Z',
    '2100-03-01T00:00:00.000Z',
  ])('reads the instant %s of the record', (instant) => expect(momentOf(instant).getTime()).toBe(Date.parse(instant)))

  it('knows no zone that nobody knows', () => expect(() => wallClock('Europe/Atlantis')).toThrow(RangeError))
})
