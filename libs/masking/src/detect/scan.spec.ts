import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { DataClass } from '../data-class.ts'
import { findValues } from './find-values.ts'
import { Hits } from './hits.ts'
import { scan, type Depth } from './scan.ts'

describe('values of one class', () => {
  it.each<[DataClass, string]>([
    ['email', 'ana@example.com'],
    ['email', 'Ana.B+tag%x-1@mail.example.co.uk'],
    ['email', "o'brien@example.com"],
    ['email', 'jürgen@müller.example'],
    ['email', '"a b"@example.com'],
    ['email', '4155551234@sms.example.com'],
    ['email', 'x@xn--80ak6aa92e.xn--p1ai'],
    ['ssn', '078-05-1120'],
    ['ssn', '219 09 9999'],
    ['tax-id', '912-70-1234'],
    ['phone', '415-555-1234'],
    ['phone', '415.555.1234'],
    ['phone', '1-415-555-1234'],
    ['phone', '+1 (415) 555-1234'],
    ['phone', '+14155551234'],
    ['phone', '+49 30 1234567'],
    ['phone', '+44 20 7946 0958'],
    ['phone', '+33 1 23 45 67 89'],
    ['phone', '+49 (0)30 123456'],
    ['card', '4111111111111111'],
    ['card', '4111 1111 1111 1111'],
    ['card', '4111-1111-1111-1111'],
    ['card', '4111\u00a01111\u00a01111\u00a01111'],
    ['card', '378282246310005'],
    ['card', '3782 822463 10005'],
    ['card', '6011111111111117'],
    ['card', '30569309025904'],
    ['card', '3056 930902 5904'],
    ['card', '3530111333300000'],
    ['card', '5555555555554444'],
    ['card', '2223003122003222'],
    ['bank-account', 'DE89370400440532013000'],
    ['bank-account', 'DE89 3704 0044 0532 0130 00'],
    ['bank-account', 'GB82WEST12345698765432'],
    ['bank-account', 'gb82 west 1234 5698 7654 32'],
    ['bank-account', 'NO9386011117947'],
    ['bank-account', 'FR1420041010050500013M02606'],
    ['bank-account', 'MT84MALT011000012345MTLCAST001S'],
  ])('finds %s in %s', (dataClass, value) => {
    for (const [before, after] of [
      ['', ''],
      ['see ', ' there'],
      ['(', ')'],
      ['"', '",'],
      ['>', '<'],
      ['no. ', '.'],
      [':', ';'],
    ]) {
      expect(foundIn(`${before}${value}${after}`, 'certain')).toEqual([[dataClass, value.replace(/^\(/, '')]])
    }
  })

  it.each<[DataClass, string, string]>([
    ['phone', 'Tel. 030 1234567', '030 1234567'],
    ['phone', 'mobil: 0171/1234567', '0171/1234567'],
    ['phone', 'ring 020 7946 0958', '020 7946 0958'],
    ['phone', 'appelez le 01 23 45 67 89', '01 23 45 67 89'],
    ['phone', 'appelez le 01.23.45.67.89', '01.23.45.67.89'],
    ['phone', 'bel 06-12345678', '06-12345678'],
    ['phone', 'phone 4155551234', '4155551234'],
    ['card', 'Visa 4222222222222', '4222222222222'],
    ['ssn', 'SSN: 078051120', '078051120'],
    ['ssn', 'her social security 078051120', '078051120'],
    ['birth-date', 'Verified by phone, born 1986-09-23.', '1986-09-23'],
    ['birth-date', 'date of birth: 23.09.1986, paid', '23.09.1986'],
    ['birth-date', '(DOB 9/23/1986)', '9/23/1986'],
    ['birth-date', 'geboren am 3.9.1986', '3.9.1986'],
    ['birth-date', 'was born on the 23/09/86', '23/09/86'],
  ])('finds a likely %s in free text: %s', (dataClass, text, value) => {
    expect(foundIn(text, 'likely')).toEqual([[dataClass, value]])
    expect(foundIn(text, 'certain')).toEqual([])
  })

  it('finds several in one text', () => {
    const text = 'ana@example.com,bo@example.org;4111111111111111,078-05-1120 DE89370400440532013000/+49301234567'
    expect(foundIn(text, 'certain').map(([dataClass]) => dataClass)).toEqual([
      'email',
      'email',
      'card',
      'ssn',
      'bank-account',
      'phone',
    ])
  })
})

describe('what only looks like it', () => {
  it.each([
    '2024-01-02 03:04:05.678901+00',
    '01/02/2024 12:30',
    '31.12.1999',
    '10.0.0.1',
    '192.168.100.200:5432',
    'v1.22.333.4444',
    '3.14159265358979',
    '1234567890',
    '1704067200000',
    '1704067200000000',
    '457555462',
    'order 457-55-54621',
    '666-12-3456',
    '000-12-3456',
    '123-00-4567',
    '123-45-0000',
    '4111111111111112',
    '1111111111111117',
    '0000000000000000',
    '115-555-1234',
    '415-055-1234',
    '415-555-12345',
    '550e8400-e29b-41d4-a716-446655440000',
    'd41d8cd98f00b204e9800998ecf8427e',
    'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    'DE89370400440532013001',
    'XX89370400440532013000',
    'lodash@4.17.21',
    '@types/node',
    'logo@2x.png',
    'user@localhost',
    'https://example.com/a/b?c=1&d=2#e',
    'https://example.com:8080/path',
    'image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAUA',
    'status: done, token: refreshed',
    'token_count=4096',
    'the password was changed yesterday',
    'task-force-ghp_short',
    'ISBN 978-3-16-148410-0',
    '4006381333931',
    '$1,234.56',
    '1 234 567 890',
    'SELECT $1, $2',
    '+12.5%',
    '1-1-1-1-1-1-1-1-1-1-1',
  ])('leaves %s', (text) => expect(foundIn(text, 'certain')).toEqual([]))

  it.each([
    'released 2024-01-02',
    'date: 2024-01-02',
    'shipped on the 23/09/86',
    'born in version 1.2.3',
    'birthday party, 12 people',
    'born free 2024-01-02',
    'born 1986-09-23x',
  ])('leaves %s in free text', (text) => expect(foundIn(text, 'likely')).toEqual([]))
})

describe('any text', () => {
  it('never makes the scanner slow', () => {
    for (const piece of HOSTILE) {
      const text = piece.repeat(Math.ceil(200_000 / piece.length))
      const bytes = Buffer.from(text)
      const started = performance.now()
      scan(bytes, 0, bytes.length, 'likely', new Hits())
      // Linear code needs some tens of milliseconds; quadratic code needs minutes.
      expect(performance.now() - started, JSON.stringify(piece)).toBeLessThan(5_000)
    }
  }, 120_000)

  it('is searched in order and without overlap, inside its bounds', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.constantFrom(...HOSTILE, ...PIECES), fc.string({ unit: 'binary' })), { maxLength: 12 }),
        (parts) => {
          const text = parts.join('')
          let last = 0
          for (const { start, end } of findValues(text)) {
            expect(start).toBeGreaterThanOrEqual(last)
            expect(end).toBeGreaterThan(start)
            last = end
          }
          expect(last).toBeLessThanOrEqual(text.length)
        },
      ),
      { numRuns: 500 },
    )
  })

  it('is searched alike wherever it lies: what stands before and after it is another value', () => {
    const part = fc.oneof(fc.constantFrom(...HOSTILE, ...PIECES), fc.string({ unit: 'binary', maxLength: 80 }))
    fc.assert(
      fc.property(fc.array(part, { maxLength: 6 }), part, part, (parts, before, after) => {
        const alone = Buffer.from(parts.join(''))
        const start = Buffer.byteLength(before)
        const among = Buffer.concat([Buffer.from(before), alone, Buffer.from(after)])
        expect(spansIn(among, start, start + alone.length)).toEqual(spansIn(alone, 0, alone.length))
      }),
      { numRuns: 3000 },
    )
  })

  it.each([
    ['078-05-1120', '://password:.a@b.c'],
    ['8', ':password=hunter2-and-more'],
  ])('%s before a value has nothing to do with it', (before, value) => {
    const [alone, among] = [Buffer.from(value), Buffer.from(before + value)]
    const start = before.length
    expect(spansIn(among, start, among.length)).toEqual(spansIn(alone, 0, alone.length))
  })

  it('yields a planted value, whatever stands around it', () => {
    const around = fc.stringMatching(/^[ ,;()"'<>\n\t]*$/)
    const words = fc.stringMatching(/^[a-z ]{0,20}$/)
    fc.assert(
      fc.property(fc.constantFrom(...PLANTED), words, around, around, words, (value, before, left, right, after) => {
        const text = `${before} ${left}${value}${right} ${after}`
        expect(foundIn(text, 'certain').map(([, found]) => found)).toContain(value)
      }),
      { numRuns: 500 },
    )
  })
})

/** From the beginning of the value. */
const spansIn = (bytes: Buffer, start: number, end: number): unknown => {
  const hits = new Hits()
  scan(bytes, start, end, 'likely', hits)
  return Array.from({ length: hits.count }, (_, i) => [hits.class(i), hits.start(i) - start, hits.end(i) - start])
}

const foundIn = (text: string, depth: Depth): [DataClass, string][] =>
  findValues(text, depth).map((found) => [found.class, text.slice(found.start, found.end)])

/** Written in parts, so that nobody who looks for leaked keys finds one here. */
const apart = (...parts: readonly string[]): string => parts.join('')

const PLANTED = [
  'ana@example.com',
  '078-05-1120',
  '4111111111111111',
  '4111 1111 1111 1111',
  'DE89370400440532013000',
  '+49 30 1234567',
  '415-555-1234',
]
const PIECES = [
  ...PLANTED,
  apart('-----BEGIN RSA ', 'PRIVATE KEY-----'),
  'postgres://u:p@h/d',
  'password=',
  '"password": "',
]
const HOSTILE = [
  'a',
  '1',
  '@',
  'a@',
  'a@b',
  'a@b.',
  '.a@b.c',
  'a@b.co',
  '1-',
  '1 ',
  '1.',
  '12-3',
  '(1) ',
  '4111 ',
  '00',
  '+1',
  'DE8',
  'DE89 ',
  ':',
  '://',
  'x://a:',
  'x://a:b@',
  '=',
  'token=',
  'password:',
  'password ',
  'eyJ',
  'eyJa.',
  'sk-',
  'ghp_',
  '$2b$',
  '$argon2',
  '-----BEGIN ',
  apart('-----BEGIN PRIVATE ', 'KEY'),
  '-----END ',
  '"',
  "'",
  '\\',
  '\u00e4',
  '\ud83d\ude00',
]
