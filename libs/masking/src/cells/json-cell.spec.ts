import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ByteWriter } from '../byte-writer.ts'
import { isSensitive, type DataClass } from '../data-class.ts'
import { findValues } from '../detect/find-values.ts'
import { KEPT, NULLED, REPLACED } from './cell-mask.ts'
import { jsonCell, JsonMask, type JsonOptions } from './json-cell.ts'
import { KeyClasses } from './key-classes.ts'

const OPTIONS: JsonOptions = { depth: 'likely', kind: 'partial' }

describe('any JSON', () => {
  it('stays JSON of the same shape, and other leaves stay what they are', () => {
    fc.assert(
      fc.property(document, fc.boolean(), (value, spaced) => {
        const source = JSON.stringify(value, null, spaced ? 2 : 0)
        const masked: unknown = JSON.parse(masking(source, OPTIONS))
        compare(JSON.parse(source), masked, false)
      }),
      { numRuns: 1500 },
    )
  })

  it('is byte for byte what it was when nothing is in it', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const source = JSON.stringify(value)
        // Random keys and leaves hardly ever name or hold anything; those that do are another test's.
        fc.pre(findValues(source).length === 0 && !/[a-z]{2}/i.test(source.replaceAll(/true|false|null/g, '')))
        expect(masking(source, OPTIONS)).toBe(source)
      }),
      { numRuns: 500 },
    )
  })

  it('loses every leaf of a column that is masked', () => {
    fc.assert(
      fc.property(fc.array(fc.stringMatching(/^[a-z]{6,12}$/), { minLength: 1, maxLength: 5 }), (leaves) => {
        const source = JSON.stringify({ a: leaves, b: { c: leaves[0] } })
        const masked = masking(source, { ...OPTIONS, class: 'secret' })
        for (const leaf of leaves) expect(masked).not.toContain(leaf)
      }),
      { numRuns: 300 },
    )
  })

  it('is told from what is none', () => {
    const grammar = [
      '{',
      '}',
      '[',
      ']',
      ':',
      ',',
      '"',
      '\\',
      'a',
      '1',
      '-',
      '.',
      'e',
      'true',
      'null',
      ' ',
      '\n',
      '"a"',
      'é',
    ]
    const mask = new JsonMask(OPTIONS)
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...grammar), { maxLength: 14 }).map((parts) => parts.join('')),
        (source) => {
          const bytes = Buffer.from(source)
          const out = new ByteWriter()
          const outcome = mask.tryApply(bytes, 0, bytes.length, out)
          // It may take for JSON what a strict reader would not (a control character in a string), never the other way.
          if (isJson(source)) expect(outcome, source).not.toBeUndefined()
          if (outcome === undefined) expect(out.length).toBe(0)
        },
      ),
      { numRuns: 5000 },
    )
  })

  it('may be nested as deep as memory allows', () => {
    const deep = `${'['.repeat(200_000)}"ana@example.com"${']'.repeat(200_000)}`
    expect(masking(deep, OPTIONS)).toBe(deep.replace('ana@example.com', 'a**@e******.com'))
  })
})

describe('escapes', () => {
  it.each([
    [String.raw`"ana\u0040example.com"`, '"a**@e******.com"'],
    [String.raw`"\ud83d\ude00 ana@example.com"`, '"😀 a**@e******.com"'],
    [String.raw`"\ud83d ana@example.com"`, '"\ufffd a**@e******.com"'],
    [String.raw`"\n\t\"\\\/ ana@example.com"`, String.raw`"\u000a\u0009\"\\/ a**@e******.com"`],
    [String.raw`"\u00zz ana@example.com"`, '"\ufffd a**@e******.com"'],
  ])('%s', (source, expected) => expect(masking(source, OPTIONS)).toBe(expected))
})

it('remembers keys by their bytes, whatever their hash', () => {
  const keys = new KeyClasses()
  const verdict = (key: string): DataClass | undefined => {
    const bytes = Buffer.from(`<${key}>`)
    return keys.verdictOf(bytes, 1, bytes.length - 1).class
  }
  for (let round = 0; round < 2; round++) {
    expect(verdict('email')).toBe('email')
    expect(verdict('plan')).toBeUndefined()
    // These two have the same hash.
    expect(verdict('aazmmswc')).toBeUndefined()
    expect(verdict('password')).toBe('password')
    for (let i = 0; i < 5000; i++) verdict(`key${i}`)
  }
})

const SENSITIVE_KEYS = ['email', 'ssn', 'phoneNumber', 'address']
const PLAIN_KEYS = ['plan', 'count', 'tags', 'x y', '', 'a"b', 'é']
const FOUND = ['ana@example.com', 'call 415-555-1234']

const leaf = fc.oneof(
  fc.stringMatching(/^[a-zé "\\/\n]{0,12}$/),
  fc.constantFrom(...FOUND),
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e6, max: 1e6 }),
  fc.boolean(),
  fc.constant(null),
)

const { document } = fc.letrec<{ document: unknown }>((tie) => ({
  document: fc.oneof(
    { depthSize: 'small' },
    leaf,
    fc.array(tie('document'), { maxLength: 4 }),
    fc.dictionary(fc.constantFrom(...SENSITIVE_KEYS, ...PLAIN_KEYS), tie('document'), { maxKeys: 4 }),
  ),
}))

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Walks both at once. Below a sensitive key no text may be what it was, unless it was empty. */
const compare = (before: unknown, after: unknown, isHidden: boolean): void => {
  if (Array.isArray(before)) {
    expect(after).toHaveLength(before.length)
    for (const [i, element] of before.entries()) compare(element, (after as unknown[])[i], isHidden)
  } else if (isRecord(before)) {
    expect(Object.keys(after as object)).toEqual(Object.keys(before))
    for (const [key, value] of Object.entries(before)) {
      compare(value, (after as Record<string, unknown>)[key], isHidden || SENSITIVE_KEYS.includes(key))
    }
  } else if (!isHidden && (typeof before !== 'string' || findValues(before).length === 0)) expect(after).toEqual(before)
  else if (typeof before === 'string' && /[\p{L}\d]/u.test(before)) expect(after).not.toBe(before)
}

const masking = (source: string, options: JsonOptions): string => {
  const bytes = Buffer.from(source)
  const out = new ByteWriter()
  const outcome = jsonCell(options).apply(bytes, 0, bytes.length, out)
  if (outcome === NULLED) return 'null'
  if (outcome === KEPT) expect(bytes.toString()).toBe(source)
  return outcome === REPLACED ? out.copy().toString() : bytes.toString()
}

const isJson = (text: string): boolean => {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

it('counts as sensitive what these tests take for it', () => {
  for (const key of SENSITIVE_KEYS) {
    const bytes = Buffer.from(key)
    const found = new KeyClasses().verdictOf(bytes, 0, bytes.length).class
    expect(found !== undefined && isSensitive(found), key).toBe(true)
  }
})
