import { afterAll, describe, expect, it } from 'vitest'
import { classifyColumn } from './classify/classify-column.ts'
import type { DataClass } from './data-class.ts'
import { findValues } from './detect/find-values.ts'
import type { Depth } from './detect/scan.ts'

/*
 * How much is found, and how much is taken for what it is not, over values made here: each kind as one column of 400.
 * MASKING_TABLE=1 prints the table that stands in the README.
 */
const VALUES = 400

let seed = 1

/** Always the same numbers: a test must not pass by luck. (Numerical Recipes' generator.) */
const below = (limit: number): number => {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
  return Math.floor((seed / 2 ** 32) * limit)
}

const pick = <T>(choices: readonly T[]): T => {
  const choice = choices[below(choices.length)]
  if (choice === undefined) throw new RangeError('nothing to pick from')
  return choice
}

const text = (alphabet: string, length: number): string =>
  Array.from({ length }, () => alphabet[below(alphabet.length)]).join('')
const digits = (length: number): string => text('0123456789', length)
const DIGITS_1_TO_9 = '123456789'
const HEX = '0123456789abcdef'
const BASE62 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
const two = (from: number, to: number): string => `${from + below(to - from + 1)}`.padStart(2, '0')
const WORDS =
  'order paid shipped late return ticket refund green large invoice monday warehouse quality pending review box'.split(
    ' ',
  )
const words = (count: number): string => Array.from({ length: count }, () => pick(WORDS)).join(' ')

const withLuhn = (start: string): string => {
  const digit = Array.from({ length: 10 }, (_, d) => d).find((d) => luhn(start + d) === 0)
  return `${start}${digit}`
}
const luhn = (number: string): number =>
  [...number]
    .toReversed()
    .reduce((sum, d, i) => sum + (i % 2 === 0 ? Number(d) : ([0, 2, 4, 6, 8, 1, 3, 5, 7, 9][Number(d)] ?? 0)), 0) % 10

const withCheck = (country: string, account: string): string => {
  const numeric = [...`${account}${country}00`].map((c) => Number.parseInt(c, 36)).join('')
  return country + String(98n - (BigInt(numeric) % 97n)).padStart(2, '0') + account
}
const iban = (): string =>
  pick([
    () => withCheck('DE', digits(18)),
    () => withCheck('FR', digits(23)),
    () => withCheck('GB', text('ABCDEFGH', 4) + digits(14)),
    () => withCheck('NL', text('ABCDEFGH', 4) + digits(10)),
    () => withCheck('IT', text('ABCDEFGH', 1) + digits(22)),
    () => withCheck('ES', digits(20)),
  ])()
const grouped = (value: string, size: number, sign: string): string =>
  value.match(new RegExp(`.{1,${size}}`, 'g'))?.join(sign) ?? value
const card = (): string =>
  pick([
    () => withLuhn(`4${digits(14)}`),
    () => withLuhn(`5${pick(['1', '2', '3', '4', '5'])}${digits(13)}`),
    () => withLuhn(`3${pick(['4', '7'])}${digits(12)}`),
    () => withLuhn(`6011${digits(11)}`),
    () => withLuhn(`35${pick(['3', '4', '5', '6', '7'])}${digits(12)}`),
  ])()
const nanp = (): string =>
  `${text('23456789', 1)}${text('02345678', 1)}${text(DIGITS_1_TO_9, 1)}${pick(['-', '.', ' '])}${text('23456789', 1)}${text('02345678', 1)}${digits(1)}${'-'}${digits(4)}`
const url64 = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
const date = (): string => `20${two(0, 25)}-${two(1, 12)}-${two(1, 28)}`

const POSITIVE: readonly (readonly [DataClass, string, Depth, () => string])[] = [
  [
    'email',
    'e-mail addresses',
    'certain',
    () =>
      `${pick(WORDS)}${pick(['.', '_', '+', ''])}${digits(3)}@${pick(['', 'mail.', 'eu.'])}example.${pick(['com', 'org', 'co.uk', 'de', 'travel'])}`,
  ],
  [
    'ssn',
    'SSNs with hyphens',
    'certain',
    () =>
      `${two(1, 8)}${text(DIGITS_1_TO_9, 1)}-${two(1, 99)}-${text(DIGITS_1_TO_9, 1)}${digits(3)}`.replace(
        /^666/,
        '667',
      ),
  ],
  [
    'card',
    'cards',
    'certain',
    () =>
      pick([
        (c: string) => c,
        (c: string) => (c.length === 16 ? grouped(c, 4, ' ') : c),
        (c: string) => (c.length === 16 ? grouped(c, 4, '-') : c),
      ])(card()),
  ],
  ['bank-account', 'IBANs', 'certain', () => pick([iban(), grouped(iban(), 4, ' ')])],
  [
    'phone',
    'phones, international',
    'certain',
    () =>
      pick([
        () => `+49 ${pick(['30', '89', '171'])} ${digits(7)}`,
        () => `+1 (${pick(['415', '212'])}) 555-${digits(4)}`,
        () => `+44 20 ${text(DIGITS_1_TO_9, 1)}${digits(3)} ${digits(4)}`,
        () => `+33${text('167', 1)}${digits(8)}`,
        () => `+34 6${digits(2)} ${digits(3)} ${digits(3)}`,
      ])(),
  ],
  ['phone', 'phones, North America', 'certain', nanp],
  [
    'phone',
    'phones, national (Europe)',
    'likely',
    () =>
      pick([
        () => `030 ${digits(7)}`,
        () => `0171/${digits(7)}`,
        () => `020 7${digits(3)} ${digits(4)}`,
        () => `07700 ${digits(6)}`,
        () => `0${text('12345', 1)} ${grouped(digits(8), 2, ' ')}`,
        () => `06-${digits(8)}`,
      ])(),
  ],
  [
    'secret',
    'API keys',
    'certain',
    () =>
      pick([
        () => `gh${pick(['p', 'o', 's'])}_${text(BASE62, 36)}`,
        () => `AK${'IA'}${text('ABCDEFGHIJKLMNOPQRSTUVWXYZ234567', 16)}`,
        () => `sk_${'live'}_${text(BASE62, 24)}`,
        () => `xox${'b'}-${digits(12)}-${text(BASE62, 24)}`,
        () => `AIz${'a'}${text(BASE62, 35)}`,
        () => `sk-${'ant'}-api03-${text(BASE62, 40)}`,
      ])(),
  ],
  [
    'secret',
    'JSON web tokens',
    'certain',
    () => `${url64({ alg: 'HS256', typ: 'JWT' })}.${url64({ sub: digits(8) })}.${text(BASE62, 43)}`,
  ],
  [
    'password',
    'password hashes',
    'certain',
    () =>
      pick([
        () => `$2b$12$${text(BASE62, 53)}`,
        () => `$argon2id$v=19$m=65536,t=3,p=4$${text(BASE62, 22)}$${text(BASE62, 43)}`,
      ])(),
  ],
  [
    'email',
    'e-mail addresses in sentences',
    'certain',
    () => `${words(4)} ${pick(WORDS)}${digits(3)}@example.com, ${words(3)}.`,
  ],
]

const NEGATIVE: readonly (readonly [kind: string, make: () => string])[] = [
  ['order numbers', () => `${pick(['ORD', 'INV', 'SO'])}-${two(20, 26)}${digits(6)}`],
  ['nine digits', () => digits(9)],
  ['ten digits', () => text(DIGITS_1_TO_9, 1) + digits(9)],
  ['sixteen digits', () => text(DIGITS_1_TO_9, 1) + digits(15)],
  ['bar codes (EAN-13)', () => `40${digits(11)}`],
  ['dates and times', () => `${date()} ${two(0, 23)}:${two(0, 59)}:${two(0, 59)}.${digits(6)}+00`],
  ['dates, American', () => `${two(1, 12)}/${two(1, 28)}/20${two(10, 26)}`],
  ['dates, German', () => `${two(1, 28)}.${two(1, 12)}.20${two(10, 26)}`],
  ['Unix times', () => `17${digits(11)}`],
  ['UUIDs', () => [8, 4, 4, 4, 12].map((length) => text(HEX, length)).join('-')],
  ['UUIDs of digits', () => [8, 4, 4, 4, 12].map((length) => digits(length)).join('-')],
  ['MD5 sums', () => text(HEX, 32)],
  ['SHA-256 sums', () => text(HEX, 64)],
  ['versions', () => `v${below(20)}.${below(30)}.${below(100)}-rc.${below(9)}`],
  ['prices', () => `${pick(['$', '€', ''])}${below(9000)}.${two(0, 99)}`],
  ['amounts with spaces', () => `${below(900) + 1} ${digits(3)} ${digits(3)},${digits(2)}`],
  ['decimals', () => `0.${digits(12)}`],
  ['addresses of the network', () => `${below(255)}.${below(255)}.${below(255)}.${below(255)}`],
  ['part numbers', () => `${text('ABCDEFG', 2)}-${digits(4)}-${digits(3)}`],
  ['parcel numbers', () => `1Z${text('ABCDEFGH0123456789', 6)}${digits(10)}`],
  ['ISBNs', () => `978-${digits(1)}-${digits(2)}-${digits(6)}-${digits(1)}`],
  ['URLs', () => `https://example.com/${pick(WORDS)}/${digits(6)}?page=${below(9)}&sort=${pick(WORDS)}`],
  ['paths', () => `/var/lib/${pick(WORDS)}/${date()}/${digits(5)}.parquet`],
  ['packages', () => `${pick(WORDS)}@${below(20)}.${below(9)}.${below(9)}`],
  ['sentences', () => `${words(9)}, ${below(90)} ${words(3)}.`],
  ['words', () => pick(WORDS)],
  ['base 64', () => Buffer.from(words(6)).toString('base64')],
  [
    'logs',
    () => `${date()}T${two(0, 23)}:${two(0, 59)}:${two(0, 59)}Z INFO ${words(2)} took=${below(900)}ms id=${digits(7)}`,
  ],
]

const column = (make: () => string): readonly string[] => Array.from({ length: VALUES }, make)
const foundIn = (values: readonly string[], depth: Depth, dataClass?: DataClass): number =>
  values.filter((value) =>
    findValues(value, depth).some((found) => dataClass === undefined || found.class === dataClass),
  ).length
const classOf = (samples: readonly string[]): DataClass =>
  classifyColumn({ schema: 's', relation: 't', column: 'x', dataType: 'text', samples }).class

describe('found', () => {
  it.each(POSITIVE)('%s: %s', (dataClass, _kind, depth, make) => {
    expect(foundIn(column(make), depth, dataClass) / VALUES).toBeGreaterThanOrEqual(0.97)
  })

  it.each(POSITIVE.filter(([, kind]) => !kind.endsWith('sentences')))(
    'as a column, %s: %s',
    (dataClass, _kind, _depth, make) => {
      expect(classOf(column(make))).toBe(dataClass)
    },
  )
})

describe('not found', () => {
  it.each(NEGATIVE)('%s', (kind, make) => {
    const values = column(make)
    // Some of these pass every check that a single value can be put to; only the column shows what they are.
    const few = kind === 'sixteen digits' ? 0.06 : 0
    expect(foundIn(values, 'certain') / VALUES).toBeLessThanOrEqual(few)
    expect(foundIn(values, 'likely') / VALUES).toBeLessThanOrEqual(few + 0.01)
  })

  it.each(NEGATIVE)('as a column, %s', (_kind, make) => {
    expect(classOf(column(make))).toSatisfy((found) => found === 'clear' || found === 'free-text')
  })
})

afterAll(() => {
  if (!process.env['MASKING_TABLE']) return
  const percent = (count: number) => `${((100 * count) / VALUES).toFixed(1)} %`
  console.table(
    POSITIVE.map(([dataClass, kind, depth, make]) => {
      const values = column(make)
      return { kind, depth, found: percent(foundIn(values, depth, dataClass)), column: classOf(values) }
    }),
  )
  console.table(
    NEGATIVE.map(([kind, make]) => {
      const values = column(make)
      return {
        kind,
        certain: percent(foundIn(values, 'certain')),
        likely: percent(foundIn(values, 'likely')),
        column: classOf(values),
      }
    }),
  )
})
