import { isUtf8 } from 'node:buffer'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ColumnPlan } from './column-plan.ts'
import { DATA_CLASSES, isSensitive, MASK_KINDS } from './data-class.ts'
import { MaskingError } from './masking-error.ts'
import { RowMask } from './row-mask.ts'
import { knownTypes } from './values/types.ts'

describe('rows', () => {
  it('pass untouched and unread when all columns do', () => {
    const mask = new RowMask([plan({ action: 'pass' }), plan({ action: 'scan', typeOid: 23 })])
    const bytes = Buffer.from('no row at all')
    expect(mask.passes).toBe(true)
    expect(mask.apply(bytes, 0, bytes.length)).toBeUndefined()
    expect(mask.applyRun(bytes, 3, 6)).toBeUndefined()
  })

  it('are edited where they lie when nothing changes its length', () => {
    const bytes = row(['1', '078-05-1120', null])
    const mask = new RowMask([plan({ action: 'pass' }), plan({ class: 'ssn' }), plan({ class: 'ssn' })])
    expect(mask.apply(bytes, 0, bytes.length)).toBeUndefined()
    expect(bytes).toEqual(row(['1', '***-**-1120', null]))
    expect(mask.maskedColumns).toEqual([1])
  })

  it('are written anew when something does', () => {
    const bytes = row(['1', 'ana@example.com', 'x', null, ''])
    const mask = new RowMask([
      plan({ action: 'pass' }),
      plan({ class: 'email' }),
      plan({ action: 'pass' }),
      plan({ class: 'email' }),
      plan({ class: 'secret', kind: 'null' }),
    ])
    expect(mask.apply(bytes, 0, bytes.length)).toEqual(row(['1', 'a***@e***.com', 'x', null, null]))
    expect(mask.maskedColumns).toEqual([1, 4])
  })

  it('in a run keep their order and their bounds', () => {
    const rows = [row(['a', 'ana@example.com']), row(['b', null]), row(['c', 'bo@example.org'])]
    const bytes = Buffer.concat([Buffer.from('before'), ...rows, Buffer.from('after')])
    const mask = new RowMask([plan({ action: 'pass' }), plan({ class: 'email' })])
    const sent = mask.applyRun(bytes, 6, bytes.length - 5)
    expect(sent).toEqual(Buffer.concat([row(['a', 'a***@e***.com']), row(['b', null]), row(['c', 'b***@e***.org'])]))
    expect([bytes.subarray(0, 6).toString(), bytes.subarray(-5).toString()]).toEqual(['before', 'after'])
    expect(mask).toMatchObject({ rows: 3, maskedValues: 2 })
  })

  it('that have been answered are not touched by later ones', () => {
    const mask = new RowMask([plan({ class: 'email' })])
    const [first, second] = [row(['ana@example.com']), row(['bo@example.org'])]
    const sent = mask.apply(first, 0, first.length)
    mask.apply(second, 0, second.length)
    expect(sent).toEqual(row(['a***@e***.com']))
  })

  it('may be as large as they like', () => {
    const text = `${'x '.repeat(2_000_000)}ana@example.com`
    const bytes = row([text])
    const mask = new RowMask([plan({ action: 'scan', class: 'free-text', kind: 'redact' })])
    expect(mask.apply(bytes, 0, bytes.length)?.equals(row([text.replace('ana@example.com', '[email]')]))).toBe(true)
  })
})

describe('rows that lie', () => {
  const mask = () => new RowMask([plan({ class: 'email' }), plan({ action: 'pass' })])
  const good = row(['ana@example.com', 'x'])
  const changed = (at: number, ...values: readonly number[]) => {
    const bytes = Buffer.from(good)
    bytes.set(values, at)
    return bytes
  }

  it.each<[string, Buffer]>([
    ['cut off', good.subarray(0, good.length - 1)],
    ['cut off within a length', good.subarray(0, 9)],
    ['too short for a header', good.subarray(0, 6)],
    ['empty', Buffer.alloc(0)],
    ['of another kind', changed(0, 0x43)],
    ['with a length beyond their end', changed(1, 0, 0, 1, 0)],
    ['with a negative length', changed(1, 0xff, 0xff, 0xff, 0xff)],
    ['with a length below their header', changed(1, 0, 0, 0, 4)],
    ['with a value beyond their end', changed(7, 0, 0, 1, 0)],
    ['with a value of negative length', changed(7, 0xff, 0xff, 0xff, 0xfe)],
    ['with a value of great length', changed(7, 0x7f, 0xff, 0xff, 0xff)],
    ['with bytes behind their values', changed(26, 0, 0, 0, 0)],
    ['followed by something', Buffer.concat([good, Buffer.from('x')])],
  ])('are refused: %s', (_name, bytes) => {
    expect(() => mask().apply(bytes, 0, bytes.length)).toThrow(expect.objectContaining({ code: 'MASKING_MALFORMED' }))
  })

  it.each<[string, Buffer]>([
    ['fewer', row(['ana@example.com'])],
    ['more', row(['ana@example.com', 'x', 'y'])],
    ['none', row([])],
  ])('are refused: %s columns than were described', (_name, bytes) => {
    expect(() => mask().apply(bytes, 0, bytes.length)).toThrow(
      expect.objectContaining({ code: 'MASKING_PLAN_MISMATCH' }),
    )
  })

  it('never name a value', () => {
    const bytes = row(['ana@example.com', 'x', 'y'])
    expect(() => mask().apply(bytes, 0, bytes.length)).not.toThrow(/ana/)
  })

  it('whatever their bytes are, are refused or answered, and no other way', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 60 }),
        fc.array(columnPlan, { minLength: 1, maxLength: 3 }),
        (noise, columns) => {
          const bytes = Buffer.concat([Buffer.from([0x44, 0, 0, 0, noise.length + 6, 0, columns.length]), noise])
          try {
            const sent = new RowMask(columns, { pseudonymKey: KEY }).apply(bytes, 0, bytes.length)
            if (sent) valuesOf(sent)
          } catch (error) {
            expect(error).toBeInstanceOf(MaskingError)
          }
        },
      ),
      { numRuns: 2000 },
    )
  })
})

const maskedRun = (columns: readonly ColumnPlan[], bytes: Buffer): Buffer => {
  const lying = Buffer.from(bytes)
  return new RowMask(columns, { pseudonymKey: KEY }).applyRun(lying, 0, lying.length) ?? lying
}

describe('any rows', () => {
  it('come out with the same columns, those that pass with the same bytes, and without what was planted', () => {
    fc.assert(
      fc.property(table, ({ columns, rows }) => {
        const bytes = Buffer.concat(rows.map(row))
        const sent = maskedRun(columns, bytes)
        const masked = splitRows(sent).map(valuesOf)
        expect(masked.map((values) => values.length)).toEqual(rows.map((values) => values.length))
        for (const [r, values] of rows.entries()) {
          for (const [c, value] of values.entries()) {
            const got = masked[r]?.[c]
            expect(got === null || isUtf8(got ?? Buffer.of(0xff))).toBe(true)
            if (columns[c]?.action === 'pass' || value === null)
              expect(got).toEqual(value === null ? null : Buffer.from(value))
            else for (const planted of PLANTED) expect(got?.toString() ?? '').not.toContain(planted)
          }
        }
      }),
      { numRuns: 1000 },
    )
  })

  it('are masked alike one by one and in a run', () => {
    fc.assert(
      fc.property(table, ({ columns, rows }) => {
        const bytes = Buffer.concat(rows.map(row))
        const run = maskedRun(columns, bytes)
        const mask = new RowMask(columns, { pseudonymKey: KEY })
        const single = rows.map((values) => {
          const one = row(values)
          return mask.apply(one, 0, one.length) ?? one
        })
        expect(Buffer.concat(single)).toEqual(run)
      }),
      { numRuns: 300 },
    )
  })
})

const KEY = Buffer.alloc(32, 3)

/** Values that every depth of scan must find. */
const PLANTED = [
  'ana@example.com',
  '078-05-1120',
  '4111111111111111',
  'DE89370400440532013000',
  '+49 30 1234567',
  '415-555-1234',
]

const plain = fc.oneof(
  fc.stringMatching(/^[a-zA-Z ,.;:"'(){}[\]\\<>\n\t]{0,30}$/),
  fc.string({ unit: 'grapheme', maxLength: 12 }),
)
const separator = fc.constantFrom(' ', '\n', '"', '(', ', ', '{"a": "', "'")

const text = fc.oneof(
  plain,
  fc.tuple(plain, separator, fc.constantFrom(...PLANTED), separator, plain).map((parts) => parts.join('')),
  fc.constantFrom(...PLANTED).map((value) => JSON.stringify({ a: [value], b: value })),
  fc.constantFrom(...PLANTED).map((value) => JSON.stringify(value)),
  fc
    .tuple(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }))
    .map(([local, domain]) => `${local}@${domain}.com`),
)

const columnPlan: fc.Arbitrary<ColumnPlan> = fc.record({
  action: fc.constantFrom('pass', 'scan', 'mask'),
  class: fc.constantFrom(...DATA_CLASSES),
  kind: fc.constantFrom(...MASK_KINDS),
  whole: fc.boolean(),
  typeOid: fc.constantFrom(...knownTypes().map(([oid]) => oid), 70_000),
  typmod: fc.constantFrom(-1, 12, 44),
  format: fc.constantFrom('text', 'binary'),
})

/** Text in types of text: what a value of another type looks like, the live spec asks the server. */
const table = fc
  .array(
    columnPlan.map((column): ColumnPlan => ({ ...column, typeOid: column.typeOid === 1043 ? 1043 : 25 })),
    { minLength: 1, maxLength: 6 },
  )
  .chain((columns) =>
    fc.record({
      columns: fc.constant(columns),
      rows: fc.array(fc.tuple(...columns.map(() => fc.option(text, { freq: 5 }))), { maxLength: 6 }),
    }),
  )

const plan = (part: Partial<ColumnPlan>): ColumnPlan => {
  const dataClass = part.class ?? 'clear'
  return {
    action: isSensitive(dataClass) ? 'mask' : 'scan',
    class: dataClass,
    kind: 'partial',
    whole: false,
    typeOid: 25,
    typmod: -1,
    format: 'text',
    ...part,
  }
}

function row(values: readonly (string | null)[]): Buffer {
  const body = values.flatMap((value) => {
    const bytes = Buffer.from(value ?? '')
    const length = Buffer.alloc(4)
    length.writeInt32BE(value === null ? -1 : bytes.length)
    return value === null ? [length] : [length, bytes]
  })
  const head = Buffer.alloc(7)
  head.write('D')
  head.writeInt32BE(6 + body.reduce((sum, part) => sum + part.length, 0), 1)
  head.writeInt16BE(values.length, 5)
  return Buffer.concat([head, ...body])
}

const splitRows = (bytes: Buffer): readonly Buffer[] => {
  if (bytes.length === 0) return []
  const end = 1 + bytes.readInt32BE(1)
  return [bytes.subarray(0, end), ...splitRows(bytes.subarray(end))]
}

const valuesOf = (message: Buffer): readonly (Buffer | null)[] => {
  expect(message.readInt32BE(1)).toBe(message.length - 1)
  let at = 7
  const values = Array.from({ length: message.readInt16BE(5) }, () => {
    const length = message.readInt32BE(at)
    at += 4 + Math.max(length, 0)
    return length < 0 ? null : message.subarray(at - length, at)
  })
  expect(at).toBe(message.length)
  return values
}
