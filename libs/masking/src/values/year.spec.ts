import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { yearOfDays, yearOfMicroseconds, yearOfText } from './year.ts'

describe('the first of January', () => {
  it.each([
    ['1985-07-04', '1985-01-01'],
    ['07/04/1985', '01/01/1985'],
    ['04.07.1985', '01.01.1985'],
    ['07-04-1985', '01-01-1985'],
    ['4.7.1985', '01.01.1985'],
    ['0044-03-15 BC', '0044-01-01 BC'],
    ['20250-12-31', '20250-01-01'],
    ['19850704', '19850101'],
    ['1985-07-04 12:13:14', '1985-01-01 00:00:00'],
    ['1985-07-04 12:13:14.567+02', '1985-01-01 00:00:00+00'],
    ['1985-07-04 12:13:14+05:30', '1985-01-01 00:00:00+00'],
    ['1985-07-04T12:13:14Z', '1985-01-01T00:00:00Z'],
    ['07/04/1985 12:13:14 PST', '01/01/1985 00:00:00 UTC'],
    ['04.07.1985 12:13:14.5 CEST', '01.01.1985 00:00:00 UTC'],
    ['0044-03-15 10:00:00 BC', '0044-01-01 00:00:00 BC'],
    ['0044-03-15 10:00:00+00 BC', '0044-01-01 00:00:00+00 BC'],
  ])('%s → %s', (text, year) => expect(yearOfText(text)).toBe(year))

  it.each([
    'infinity',
    '-infinity',
    'Thu Jul 04 12:00:01.5 1985',
    '1985',
    '1985-07',
    'x1985-07-04',
    '1985-07-04 ssn 078',
    '1985-07-04 BCE',
    '12345678',
    '1.2.3',
    '',
  ])('not of %s', (text) => expect(yearOfText(text)).toBeUndefined())

  it('is the same as by the calendar of JavaScript, as far as that goes', () => {
    const epoch = Date.UTC(2000, 0, 1)
    fc.assert(
      fc.property(fc.integer({ min: -3_000_000, max: 100_000_000 - 11_000 }), (days) => {
        const year = new Date(epoch + days * 86_400_000).getUTCFullYear()
        const january = new Date(0)
        january.setUTCFullYear(year, 0, 1)
        expect(yearOfDays(days)).toBe((january.getTime() - epoch) / 86_400_000)
        expect(yearOfMicroseconds(BigInt(days) * 86_400_000_000n + 1n)).toBe(BigInt((january.getTime() - epoch) * 1000))
      }),
      { numRuns: 2000 },
    )
  })

  it('has none for infinity', () => {
    expect(yearOfDays(0x7fffffff)).toBeUndefined()
    expect(yearOfDays(-0x80000000)).toBeUndefined()
    expect(yearOfMicroseconds(2n ** 63n - 1n)).toBeUndefined()
    expect(yearOfMicroseconds(-(2n ** 63n))).toBeUndefined()
  })
})
