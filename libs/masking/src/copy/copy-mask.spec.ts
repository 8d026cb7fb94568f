import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ColumnPlan } from '../column-plan.ts'
import { isSensitive } from '../data-class.ts'
import { maskValue } from '../mask-value.ts'
import type { CopyFormat } from './copy-format.ts'
import { CopyMask } from './copy-mask.ts'

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

const pass = plan({ action: 'pass' })
const email = plan({ class: 'email' })

describe('COPY in text', () => {
  it('masks the columns of a row and leaves the others', () => {
    expect(masked([pass, email, pass], { format: 'text' }, '1\tana@example.com\tx\n2\t\\N\ty\n')).toBe(
      '1\ta***@e***.com\tx\n2\t\\N\ty\n',
    )
  })

  it('reads and writes escapes', () => {
    const name = plan({ class: 'person-name' })
    const scan = plan({ class: 'free-text', kind: 'redact' })
    expect(masked([name, pass], { format: 'text' }, 'Ana\\nRuiz\ta\\tb\\\\\n')).toBe('A*** R***\ta\\tb\\\\\n')
    expect(masked([scan], { format: 'text' }, 'a\\tb\\\\ ana@example.com \\r\\n|\n')).toBe(
      'a\\tb\\\\ [email] \\r\\n|\n',
    )
    expect(masked([scan, pass], { format: 'text', delimiter: '|' }, 'a\\|ana@example.com|x\n')).toBe('a\\|[email]|x\n')
  })

  it('knows another NULL and a header', () => {
    expect(masked([email], { format: 'text', null: '-', header: true }, 'email\n-\nana@example.com\n')).toBe(
      'email\n-\na***@e***.com\n',
    )
    expect(masked([plan({ class: 'email', kind: 'null' })], { format: 'text', null: 'NIL' }, 'ana@example.com\n')).toBe(
      'NIL\n',
    )
  })

  it('masks a last line without its end', () =>
    expect(masked([pass, email], { format: 'text' }, '1\tana@example.com')).toBe('1\ta***@e***.com'))

  it('reads the leaves of JSON', () => {
    const json = plan({ class: 'free-text', typeOid: 3802 })
    expect(masked([json], { format: 'text' }, '{"email": "x", "a": "b\\\\nc"}\n')).toBe(
      '{"email": "***", "a": "b\\\\nc"}\n',
    )
  })
})

describe('COPY in CSV', () => {
  const csv: CopyFormat = { format: 'csv' }

  it('masks quoted and bare fields, and leaves NULL', () => {
    const rows = 'id,email\n1,ana@example.com\n2,"bo@example.org"\n3,\n4,""\n'
    expect(masked([pass, email], { ...csv, header: true }, rows)).toBe(
      'id,email\n1,a***@e***.com\n2,"b***@e***.org"\n3,\n4,""\n',
    )
  })

  it('reads quotes, delimiters and lines inside quotes', () => {
    const scan = plan({ class: 'free-text', kind: 'redact' })
    expect(masked([scan, email], csv, '"a ""b"", ana@example.com\nx",bo@example.org\n')).toBe(
      '"a ""b"", [email]\nx",b***@e***.org\n',
    )
  })

  it('quotes what has to be', () => {
    const columns = [plan({ class: 'diagnosis' }), plan({ class: 'email', kind: 'null' })]
    expect(masked(columns, { format: 'csv', null: '[diagnosis]' }, 'x,y\n')).toBe('"[diagnosis]",[diagnosis]\n')
    expect(masked([plan({ class: 'person-name' })], { format: 'csv', delimiter: '*' }, 'Ana\n')).toBe('"A***"\n')
  })

  it('knows other signs', () => {
    const other: CopyFormat = { format: 'csv', delimiter: ';', quote: "'", escape: '\\' }
    const scan = plan({ class: 'free-text', kind: 'redact' })
    expect(masked([scan, email], other, String.raw`'it\'s; ana@example.com \\';bo@example.org` + '\n')).toBe(
      String.raw`'it\'s; [email] \\';b***@e***.org` + '\n',
    )
  })
})

describe('COPY in binary', () => {
  const binary: CopyFormat = { format: 'binary' }
  const column = (part: Partial<ColumnPlan>) => plan({ format: 'binary', ...part })
  const plans = [column({ action: 'pass' }), column({ class: 'email' }), column({ class: 'ssn', typeOid: 23 })]
  const rows = [
    ['one', 'ana@example.com', number(123_456_789)],
    [null, null, null],
    ['three', '', number(5)],
  ]

  it('masks values, and leaves header, trailer and NULL', () => {
    const sent = streamed(plans, binary, [binaryCopy(rows)])
    expect(sent).toEqual(
      binaryCopy([
        ['one', 'a***@e***.com', number(6789)],
        [null, null, null],
        ['three', '', number(0)],
      ]),
    )
  })

  it('passes the extension of a header by', () => {
    const extended = binaryCopy(rows, Buffer.from('more to come'))
    expect(streamed([pass, pass, plan({ ...email, kind: 'null', format: 'binary' })], binary, [extended])).toEqual(
      binaryCopy(
        rows.map(([a, b]) => [a ?? null, b ?? null, null]),
        Buffer.from('more to come'),
      ),
    )
  })

  it.each<[string, Buffer]>([
    ['without its signature', Buffer.from('PGCOPX\n\u00ff\r\n\0\0\0\0\0\0\0\0\0\0\0', 'latin1')],
    ['with row identifiers', Buffer.concat([binaryCopy([]).subarray(0, 11), Buffer.from([0, 1, 0, 0, 0, 0, 0, 0])])],
    [
      'with a header of negative length',
      Buffer.concat([binaryCopy([]).subarray(0, 15), Buffer.from([255, 255, 255, 255])]),
    ],
    [
      'with a value of negative length',
      Buffer.concat([binaryCopy([]).subarray(0, 19), Buffer.from([0, 3, 255, 255, 255, 254])]),
    ],
    ['cut off', binaryCopy(rows).subarray(0, -1)],
    ['cut off in a value', binaryCopy(rows).subarray(0, 40)],
    ['that goes on after its end', Buffer.concat([binaryCopy(rows), Buffer.from('x')])],
  ])('refuses a stream %s', (_name, bytes) => {
    expect(() => streamed(plans, binary, [bytes])).toThrow(expect.objectContaining({ code: 'MASKING_MALFORMED' }))
  })
})

describe('a stream that is not as planned', () => {
  it.each<[string, CopyFormat, Buffer]>([
    ['more', { format: 'text' }, Buffer.from('a\tb\tc\n')],
    ['fewer', { format: 'text' }, Buffer.from('a\n')],
    ['more', { format: 'csv' }, Buffer.from('a,b,c')],
    ['fewer', { format: 'csv' }, Buffer.from('a')],
    ['more', { format: 'binary' }, binaryCopy([['a', 'b', 'c']])],
    ['fewer', { format: 'binary' }, binaryCopy([['a']])],
  ])('is stopped: %s columns in %o', (_how, format, bytes) => {
    expect(() => streamed([pass, email], format, [bytes])).toThrow(
      expect.objectContaining({ code: 'MASKING_PLAN_MISMATCH' }),
    )
  })

  it('does not send what came in place of a column', () => {
    const mask = new CopyMask([pass, email], { format: 'text' })
    expect(() => mask.push(Buffer.from('a\tb\tana@example.com'))).toThrow('columns')
  })
})

describe('a field without end', () => {
  const options = { fieldLengthMax: 1000 }

  it.each<CopyFormat>([{ format: 'text' }, { format: 'csv' }])(
    'is refused at the bound if it has to be read, in %o',
    (format) => {
      const mask = new CopyMask([email], format, options)
      const pushAll = () => {
        for (let i = 0; i < 200; i++) mask.push(Buffer.from('0123456789'))
      }
      expect(pushAll).toThrow(expect.objectContaining({ code: 'MASKING_FIELD_TOO_LARGE' }))
      expect(() => streamed([email], format, [Buffer.from(`${'x'.repeat(1001)}\n`)], options)).toThrow('1000 bytes')
      expect(streamed([email], format, [Buffer.from(`${'x'.repeat(1000)}\n`)], options).toString()).toBe('***\n')
    },
  )

  it('is refused by its length in binary, before it has come', () => {
    const mask = new CopyMask([plan({ class: 'email', format: 'binary' })], { format: 'binary' }, options)
    const start = binaryCopy([['x'.repeat(1001)]]).subarray(0, 30)
    expect(() => mask.push(start)).toThrow(expect.objectContaining({ code: 'MASKING_FIELD_TOO_LARGE' }))
  })

  it('flows through if it passes', () => {
    const large = 'x'.repeat(100_000)
    expect(
      streamed(
        [pass, email],
        { format: 'text' },
        pieces(Buffer.from(`${large}\tana@example.com\n`), 999),
        options,
      ).toString(),
    ).toBe(`${large}\ta***@e***.com\n`)
    const column = { format: 'binary' } as const
    const sent = streamed(
      [plan({ ...pass, ...column }), plan({ ...email, ...column })],
      column,
      pieces(binaryCopy([[large, 'ana@example.com']]), 999),
      options,
    )
    expect(sent.equals(binaryCopy([[large, 'a***@e***.com']]))).toBe(true)
  })
})

describe('any stream, in any pieces', () => {
  const value = fc.option(
    fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 15 }),
      fc.stringMatching(/^[a-z,;|"'\\\n\r\t*]{0,15}$/),
      fc.constantFrom(
        'ana@example.com',
        'call "ana@example.com", or\tnot\\',
        '078-05-1120',
        '\\N',
        '\\.',
        'NULL',
        '{"email": "x\\n"}',
        '{"a": "ana@example.com"}',
      ),
    ),
    { freq: 6 },
  )
  const columns = fc.array(
    fc.constantFrom(
      pass,
      email,
      plan({ class: 'ssn' }),
      plan({ class: 'person-name' }),
      plan({ class: 'free-text' }),
      plan({ class: 'clear', kind: 'redact' }),
      plan({ class: 'email', kind: 'null' }),
    ),
    { minLength: 1, maxLength: 4 },
  )
  const format = fc.constantFrom<CopyFormat>(
    { format: 'text' },
    { format: 'text', delimiter: '|', null: 'NULL', header: true },
    { format: 'csv' },
    { format: 'csv', delimiter: ';', quote: "'", escape: '\\', null: 'NULL', header: true },
    { format: 'csv', delimiter: '\t', escape: '|' },
    { format: 'binary' },
  )
  const stream = fc.record({ columns, format }).chain(({ columns, format }) =>
    fc.record({
      columns: fc.constant(
        columns.map((column) => ({
          ...column,
          format: format.format === 'binary' ? ('binary' as const) : ('text' as const),
        })),
      ),
      format: fc.constant(format),
      rows: fc.array(fc.tuple(...columns.map(() => value)), { maxLength: 5 }),
      size: fc.integer({ min: 1, max: 40 }),
    }),
  )

  it('comes out as each value would alone', () => {
    fc.assert(
      fc.property(stream, ({ columns, format, rows, size }) => {
        // In text a value that is written like NULL cannot be told from it: the server has no other way either.
        const nothing = format.format === 'text' ? (format.null ?? '\\N') : undefined
        const seen = rows.map((values) => values.map((value) => (value === nothing && value !== '\\N' ? null : value)))
        const expected = seen.map((values) => values.map((value, i) => alone(columns[i] ?? pass, value)))
        const sent = streamed(columns, format, pieces(encode(rows, format), size))
        expect(decode(sent, format)).toEqual(expected)
      }),
      { numRuns: 3000 },
    )
  })
})

/** What `maskValue` makes of it. */
const alone = (column: ColumnPlan, value: string | null): string | null => {
  if (value === null || column.action === 'pass') return value
  if (column.action === 'mask')
    return maskValue(column.class, column.kind, column, Buffer.from(value))?.toString() ?? null
  // Scanned: the same as in a stream of one value, in a format without escapes.
  const sent = streamed([{ ...column, format: 'binary' }], { format: 'binary' }, [binaryCopy([[value]])])
  return decodeBinary(sent)[0]?.[0] ?? null
}

const masked = (columns: readonly ColumnPlan[], format: CopyFormat, text: string): string => {
  const whole = streamed(columns, format, [Buffer.from(text)]).toString()
  for (const size of [1, 2, 3, 7])
    expect(streamed(columns, format, pieces(Buffer.from(text), size)).toString()).toBe(whole)
  return whole
}

const streamed = (
  columns: readonly ColumnPlan[],
  format: CopyFormat,
  parts: readonly Buffer[],
  options = {},
): Buffer => {
  const mask = new CopyMask(columns, format, options)
  // The input is overwritten after each piece, as a socket's buffer is: what was sent may not depend on it.
  const sent = parts.map((part) => {
    const input = Buffer.from(part)
    const output = Buffer.from(mask.push(input))
    input.fill(0x21)
    return output
  })
  return Buffer.concat([...sent, mask.end()])
}

const pieces = (bytes: Buffer, size: number): readonly Buffer[] =>
  Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.subarray(i * size, (i + 1) * size))

function number(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}

function binaryCopy(rows: readonly (readonly (string | Buffer | null)[])[], extension = Buffer.alloc(0)): Buffer {
  const int = (size: 2 | 4, value: number) => {
    const bytes = Buffer.alloc(size)
    bytes.writeIntBE(value, 0, size)
    return bytes
  }
  const header = [Buffer.from('PGCOPY\n\u00ff\r\n\0', 'latin1'), int(4, 0), int(4, extension.length), extension]
  const tuples = rows.flatMap((values) => [
    int(2, values.length),
    ...values.flatMap((value) => {
      if (value === null) return [int(4, -1)]
      const bytes = Buffer.from(value)
      return [int(4, bytes.length), bytes]
    }),
  ])
  return Buffer.concat([...header, ...tuples, int(2, -1)])
}

const encode = (rows: readonly (readonly (string | null)[])[], format: CopyFormat): Buffer => {
  if (format.format === 'binary') return binaryCopy(rows)
  const delimiter = format.delimiter ?? (format.format === 'csv' ? ',' : '\t')
  const field = (value: string | null) =>
    format.format === 'csv' ? csvField(value, format, delimiter) : textField(value, format, delimiter)
  const lines = rows.map((values) => values.map(field).join(delimiter))
  const header = format.header ? [rows[0]?.map((_, i) => `column${i}`).join(delimiter) ?? 'x'] : []
  const all = rows.length === 0 ? [] : [...header, ...lines]
  return Buffer.from(all.map((line) => `${line}\n`).join(''))
}

const ESCAPES: Readonly<Record<string, string>> = { '\b': 'b', '\f': 'f', '\n': 'n', '\r': 'r', '\t': 't', '\v': 'v' }

const textField = (value: string | null, format: CopyFormat & { format: 'text' }, delimiter: string): string => {
  const nothing = format.null ?? '\\N'
  if (value === null) return nothing
  return [...value]
    .map((c) => (Object.hasOwn(ESCAPES, c) ? `\\${ESCAPES[c]}` : c === '\\' || c === delimiter ? `\\${c}` : c))
    .join('')
}

const csvField = (value: string | null, format: CopyFormat & { format: 'csv' }, delimiter: string): string => {
  const { quote = '"', escape = quote, null: nothing = '' } = format
  if (value === null) return nothing
  const needsQuotes =
    value === nothing || [delimiter, quote, '\n', '\r'].some((c) => value.includes(c)) || value === '\\.'
  return needsQuotes
    ? `${quote}${[...value].map((c) => (c === quote || c === escape ? escape + c : c)).join('')}${quote}`
    : value
}

const decode = (bytes: Buffer, format: CopyFormat): readonly (readonly (string | null)[])[] => {
  if (format.format === 'binary') return decodeBinary(bytes)
  const rows = format.format === 'csv' ? decodeCsv(bytes.toString(), format) : decodeText(bytes.toString(), format)
  return format.header ? rows.slice(1) : rows
}

const decodeText = (text: string, { delimiter = '\t', null: nothing = '\\N' }: CopyFormat & { format: 'text' }) => {
  const rows: (string | null)[][] = []
  let row: (string | null)[] = []
  let raw = ''
  let value = ''
  const endField = () => {
    row.push(raw === nothing ? null : value)
    raw = ''
    value = ''
  }
  const letters = new Map(Object.entries(ESCAPES).map(([c, letter]) => [letter, c]))
  for (let i = 0; i < text.length; i++) {
    const c = text[i] ?? ''
    if (c === '\\') {
      i += 1
      raw += c + (text[i] ?? '')
      value += letters.get(text[i] ?? '') ?? text[i] ?? ''
    } else if (c === delimiter) endField()
    else if (c === '\n') {
      endField()
      rows.push(row)
      row = []
    } else {
      raw += c
      value += c
    }
  }
  return rows
}

const decodeCsv = (
  text: string,
  { delimiter = ',', quote = '"', escape = quote, null: nothing = '' }: CopyFormat & { format: 'csv' },
) => {
  const rows: (string | null)[][] = []
  let row: (string | null)[] = []
  let value = ''
  let isQuoted = false
  let wasQuoted = false
  const endField = () => {
    row.push(!wasQuoted && value === nothing ? null : value)
    value = ''
    wasQuoted = false
  }
  for (let i = 0; i < text.length; i++) {
    const c = text[i] ?? ''
    const next = text[i + 1] ?? ''
    if (isQuoted && c === escape && (next === quote || next === escape)) {
      value += next
      i += 1
    } else if (c === quote) {
      isQuoted = !isQuoted
      wasQuoted = true
    } else if (!isQuoted && c === delimiter) endField()
    else if (!isQuoted && c === '\n') {
      endField()
      rows.push(row)
      row = []
    } else value += c
  }
  return rows
}

const decodeBinary = (bytes: Buffer): readonly (readonly (string | null)[])[] => {
  const rows: (string | null)[][] = []
  let at = 19 + bytes.readInt32BE(15)
  for (let count = bytes.readInt16BE(at); count !== -1; count = bytes.readInt16BE(at)) {
    at += 2
    rows.push(
      Array.from({ length: count }, () => {
        const length = bytes.readInt32BE(at)
        at += 4 + Math.max(length, 0)
        return length < 0 ? null : bytes.toString('utf8', at - length, at)
      }),
    )
  }
  expect(at + 2).toBe(bytes.length)
  return rows
}
