import { describe, expect, it } from 'vitest'
import { ByteWriter } from '../byte-writer.ts'
import type { ColumnPlan } from '../column-plan.ts'
import { cellFor } from './cell-for.ts'
import { EDITED, KEPT, NULLED } from './cell-mask.ts'

/*
 * What becomes of values of text. Whether servers and clients can read it is asked in types.live.spec.ts.
 */

const KEY = Buffer.alloc(32, 1)
const ENUM = 70_000

describe('a column of a class', () => {
  it.each<[Partial<ColumnPlan>, string, string | null]>([
    [{ class: 'email' }, 'ana@example.com', 'a***@e***.com'],
    [{ class: 'email' }, 'a@b.co', '***@***.co'],
    [{ class: 'email' }, 'Ana <ana@mail.example.co.uk>', '***'],
    [{ class: 'email' }, 'not an address', '***'],
    [{ class: 'email' }, 'a@b.c 078-05-1120', '***'],
    [{ class: 'email' }, 'ana@example.com, bo@example.org', 'a***@e***.org'],
    [{ class: 'email' }, '', ''],
    [{ class: 'phone' }, '+1 (415) 555-1234', '+* (***) ***-1234'],
    [{ class: 'phone' }, '5551234', '*******'],
    [{ class: 'ssn' }, '078-05-1120', '***-**-1120'],
    [{ class: 'ssn' }, '078051120', '*****1120'],
    [{ class: 'card' }, '4111 1111 1111 1111', '**** **** **** 1111'],
    [{ class: 'card' }, '123', '***'],
    [{ class: 'bank-account' }, 'DE89370400440532013000', '******************3000'],
    [{ class: 'national-id' }, 'AB123456C', '*****456C'],
    [{ class: 'national-id' }, 'ÄÖÜ-1234567-é', '***-****567-é'],
    [{ class: 'phone' }, '+49\u201130\u00a01234567', '+*********4567'],
    [{ class: 'person-name' }, 'Ana María Ruiz', 'A*** M*** R***'],
    [{ class: 'person-name' }, 'Žofie X', 'Ž*** ***'],
    [{ class: 'person-name' }, '王小明', '王***'],
    [{ class: 'person-name' }, ' ', '***'],
    [{ class: 'address' }, '1 Main Street', '[address]'],
    [{ class: 'birth-date' }, '1985-07-04', '1985-01-01'],
    [{ class: 'birth-date' }, '4 July 1985', '[birth-date]'],
    [{ class: 'diagnosis' }, 'E11.9', '[diagnosis]'],
    [{ class: 'secret' }, 'abc', '[secret]'],
    [{ class: 'password' }, '', '[password]'],
    [{ class: 'ip-address' }, '203.0.113.7', '203.0.0.0'],
    [{ class: 'ip-address' }, 'fe80::1', 'fe80::'],
    [{ class: 'ip-address' }, 'localhost', '0.0.0.0'],
    [{ class: 'unknown' }, 'x', '[masked]'],
    [{ class: 'free-text', whole: true }, 'x', '[masked]'],
    [{ class: 'email', kind: 'redact' }, 'ana@example.com', '[email]'],
    [{ class: 'email', kind: 'null' }, 'ana@example.com', null],
    [{ class: 'email', whole: true }, 'ana@example.com', '[email]'],
    [{ class: 'email', whole: true }, '', '[email]'],
    [{ class: 'email', whole: true, kind: 'pseudonym' }, 'ana@example.com', '[email]'],
    // Lengths: varchar(n) and char(n) have n + 4 as their modifier.
    [{ class: 'email', typeOid: 1043, typmod: 10 }, 'ana@example.com', 'a***@e'],
    [{ class: 'secret', typeOid: 1043, typmod: 9 }, 'abc', '***'],
    [{ class: 'secret', typeOid: 1043, typmod: 6 }, 'ab', '**'],
    [{ class: 'email', typeOid: 1042, typmod: 24 }, 'ana@example.com     ', 'a***@e***.com       '],
    [{ class: 'secret', typeOid: 1042, typmod: 6 }, 'ab', '**'],
    [{ class: 'person-name', typeOid: 1042, typmod: 9 }, 'Ž Ž  ', '*** *'],
    // Other types.
    [{ class: 'ssn', typeOid: 20 }, '78051120', '1120'],
    [{ class: 'ssn', typeOid: 23 }, '1234567', '0'],
    [{ class: 'secret', typeOid: 20, kind: 'partial' }, '12345678', '0'],
    [{ class: 'secret', typeOid: 20, kind: 'redact' }, '12345678', null],
    [{ class: 'card', typeOid: 1700 }, '4111111111111111', '1111'],
    [{ class: 'birth-date', typeOid: 23, kind: 'year' }, '19850704', '19850101'],
    [{ class: 'birth-date', typeOid: 1082, kind: 'year' }, '1985-07-04', '1985-01-01'],
    [{ class: 'birth-date', typeOid: 1082, whole: true }, '1985-07-04', '2000-01-01'],
    [{ class: 'birth-date', typeOid: 1082, whole: true }, '04.07.1985', '01.01.2000'],
    [{ class: 'diagnosis', typeOid: 1082 }, '1985-07-04', '2000-01-01'],
    [{ class: 'birth-date', typeOid: 1082 }, 'infinity', null],
    [{ class: 'birth-date', typeOid: 1082, whole: true }, 'infinity', '2000-01-01'],
    [{ class: 'birth-date', typeOid: 1114 }, 'Thu Jul 04 12:00:01.5 1985', null],
    [{ class: 'geo', typeOid: 701 }, '48.1351', '0'],
    [{ class: 'ip-address', typeOid: 869 }, '203.0.113.7/24', '203.0.0.0'],
    [{ class: 'ip-address', typeOid: 650 }, '2001:db8:1::/48', '2001:db8::/32'],
    [{ class: 'unknown', typeOid: 16 }, 't', 'f'],
    [{ class: 'unknown', typeOid: 1186 }, 'P1Y', 'PT0S'],
    [{ class: 'unknown', typeOid: 1560 }, '10110', '00000'],
    // Values with parts.
    [{ class: 'phone', typeOid: 1009 }, '{"+1 415 555 1234",NULL,5551234}', '{"+* *** *** 1234",NULL,*******}'],
    [
      { class: 'email', typeOid: 1009 },
      '[0:1]={{ana@example.com},{"a \\"b\\"@c.de"}}',
      '[0:1]={{"a***@e***.com"},{"a***@***.de"}}',
    ],
    [{ class: 'ssn', typeOid: 1007 }, '{123456789,NULL,5}', '{"6789",NULL,"0"}'],
    [{ class: 'email', typeOid: 1009, whole: true }, '{a,b}', '{}'],
    [{ class: 'email', typeOid: 1009, kind: 'null' }, '{a,b}', null],
    [{ class: 'email', typeOid: 1009 }, 'no array', null],
    [{ class: 'unknown', typeOid: 2277 }, '{a,b}', '{"[masked]","[masked]"}'],
    [{ class: 'unknown', typeOid: 2249 }, '(1,"a b",,"")', '("[masked]","[masked]",,"[masked]")'],
    [{ class: 'unknown', typeOid: 2249, whole: true }, '(1,a)', null],
    [{ class: 'unknown', typeOid: 142 }, '<a b="c">d<!-- e --></a>', '<a b="[masked]">[masked]<!--[masked]--></a>'],
    [{ class: 'unknown', typeOid: 142 }, '<a', '[masked]'],
    [{ class: 'email', typeOid: ENUM }, 'ana@example.com', 'a***@e***.com'],
    [{ class: 'email', typeOid: ENUM }, '{ana@example.com}', '{"a***@e***.com"}'],
    [{ class: 'unknown', typeOid: ENUM }, '(1,x)', '("[masked]","[masked]")'],
    [{ class: 'unknown', typeOid: ENUM }, '"a"=>"b", "c"=>NULL', '"a"=>"[masked]", "c"=>NULL'],
  ])('%o: %s', (plan, value, masked) => expect(apply({ action: 'mask', ...plan }, value)).toBe(masked))
})

describe('a column that is scanned', () => {
  const plain = 'nothing in it'
  const social = ['078', '05', '1120'].join('-')

  it.each<[Partial<ColumnPlan>, string, string | null]>([
    [{}, plain, plain],
    [{}, 'call ana@example.com, +1 415 555 1234', 'call a**@e******.com, +* *** *** 1234'],
    [{}, `x password=hunter2 y`, 'x password=[password] y'],
    [{ typeOid: 1043, typmod: 24 }, 'x password=hunter2 y', 'x password=******* y'],
    [{ kind: 'redact' }, 'call ana@example.com', 'call [email]'],
    [{}, 'call +49\u201130\u00a01234567', 'call +**\u2011**\u00a0***4567'],
    [{ kind: 'null' }, 'call ana@example.com', null],
    [{ class: 'clear' }, '030 1234567', '030 1234567'],
    [{ class: 'free-text' }, '030 1234567', '*** ***4567'],
    [{ class: 'clear' }, '4222222222222', '4222222222222'],
    [{ typeOid: 20 }, '4111111111111111', '4111111111111111'],
    // JSON, of its type or found in a text.
    [
      { typeOid: 3802 },
      '{"a": 1, "email": "x", "b": ["ana@example.com"]}',
      '{"a": 1, "email": "***", "b": ["a**@e******.com"]}',
    ],
    [{}, '{"a": 1, "email": "x", "b": ["ana@example.com"]}', '{"a": 1, "email": "***", "b": ["a**@e******.com"]}'],
    [{ typeOid: 114 }, String.raw`{"a":"ana\u0040example.com"}`, '{"a":"a**@e******.com"}'],
    [{ typeOid: 114 }, String.raw`{"\u0065mail":"x"}`, String.raw`{"\u0065mail":"***"}`],
    [
      { typeOid: 114 },
      String.raw`{"a":"{\"b\":\"ana\\u0040example.com\"}"}`,
      String.raw`{"a":"{\"b\":\"a**@e******.com\"}"}`,
    ],
    [
      { typeOid: 114 },
      '{"address": {"street": "x", "zip": 80331, "ok": true, "no": null}}',
      '{"address": {"street": "[address]", "zip": null, "ok": null, "no": null}}',
    ],
    [
      { typeOid: 114 },
      '{"name": "x", "customer": {"name": "Ana Ruiz", "plan": "pro"}}',
      '{"name": "x", "customer": {"name": "A*** R***", "plan": "pro"}}',
    ],
    [
      { typeOid: 114 },
      '{"customers": [{"name": "Ana Ruiz"}, {"name": "Bo"}]}',
      '{"customers": [{"name": "A*** R***"}, {"name": "B***"}]}',
    ],
    [{ typeOid: 114 }, '{"ana@example.com": 3}', '{"a**@e******.com": 3}'],
    [{ typeOid: 114 }, '[4111111111111111, 1.5, -2e10, 12345]', '[1111, 1.5, -2e10, 12345]'],
    [
      { typeOid: 114 },
      '{"ssn": 78051120, "dob": "1985-07-04", "password": "x"}',
      '{"ssn": 1120, "dob": "1985-01-01", "password": "[password]"}',
    ],
    [{ typeOid: 114, kind: 'null' }, '{"email": "x", "b": "y"}', '{"email": null, "b": "y"}'],
    [{ typeOid: 114 }, ' "ana@example.com" ', ' "a**@e******.com" '],
    [{ typeOid: 114 }, '{"broken": ', '"[masked]"'],
    [{}, '{"broken": "ana@example.com"', '{"broken": "a**@e******.com"'],
    [{ kind: 'redact' }, '{"email": "x", "b": ana@example.com}', '{"email": "x", "b": [email]}'],
    [{}, '[ana@example.com]', '[a**@e******.com]'],
    [{}, `[${social}]`, '[***-**-1120]'],
    // What else has parts.
    [{ typeOid: 1009 }, '{a,"ana@example.com, x",NULL}', '{a,"a**@e******.com, x",NULL}'],
    [{ typeOid: 1009 }, String.raw`{"{\"email\":\"x\"}"}`, String.raw`{"{\"email\":\"***\"}"}`],
    [{ typeOid: 199 }, String.raw`{"{\"email\": \"x\"}"}`, String.raw`{"{\"email\": \"***\"}"}`],
    [{ typeOid: 2249 }, '(1,"bo@example.com ""x""",,plain)', '(1,"b*@e******.com ""x""",,plain)'],
    [{ typeOid: 142 }, '<r><email>x</email><n>1</n></r>', '<r><email>***</email><n>1</n></r>'],
    [{ typeOid: 142 }, '<r><v>ana&#64;example.com &lt; 3</v></r>', '<r><v>a**@e******.com &lt; 3</v></r>'],
    [
      { typeOid: 142 },
      '<r phone="5551234"><![CDATA[ana@example.com]]></r>',
      '<r phone="*******"><![CDATA[a**@e******.com]]></r>',
    ],
    [{ typeOid: ENUM }, '"email"=>"x", "b"=>"ana@example.com"', '"email"=>"***", "b"=>"a**@e******.com"'],
    [{ typeOid: 3614 }, "'ana@example.com':1", null],
    [{ typeOid: 3614 }, "'ana':1", "'ana':1"],
    [{ typeOid: 17 }, `\\x${Buffer.from('to ana@example.com').toString('hex')}`, null],
    [{ typeOid: 17 }, '\\x616e61', '\\x616e61'],
    [{ typeOid: 17 }, 'to ana@example.com', null],
  ])('%o: %s', (plan, value, masked) =>
    expect(apply({ action: 'scan', class: 'free-text', ...plan }, value)).toBe(masked),
  )
})

describe('in the binary format', () => {
  const int32 = (...values: readonly number[]) =>
    Buffer.concat(values.map((value) => Buffer.from([value >>> 24, value >>> 16, value >>> 8, value])))
  const field = (text: string) => Buffer.concat([int32(text.length), Buffer.from(text)])

  const binary = (plan: Partial<ColumnPlan>, value: Buffer) =>
    applyTo({ action: 'scan', class: 'free-text', format: 'binary', ...plan }, value)

  it('jsonb keeps its version', () => {
    expect(binary({ typeOid: 3802 }, Buffer.from('\u0001{"email": "x"}'))).toEqual(
      Buffer.from('\u0001{"email": "***"}'),
    )
    expect(binary({ typeOid: 3802 }, Buffer.from('\u0001{"a": "x"}'))).toEqual(Buffer.from('\u0001{"a": "x"}'))
  })

  it('arrays of types that a database made say what their elements are', () => {
    const array = (...texts: readonly string[]) =>
      Buffer.concat([int32(1, 0, ENUM, texts.length, 1), ...texts.map(field)])
    expect(binary({ typeOid: ENUM + 1 }, array('ana@example.com', 'b'))).toEqual(array('a**@e******.com', 'b'))
    expect(binary({ typeOid: ENUM + 1, action: 'mask', class: 'email' }, array('ana@example.com'))).toEqual(
      array('a***@e***.com'),
    )
    expect(
      binary({ typeOid: ENUM + 1, action: 'mask', class: 'email', whole: true }, array('ana@example.com')),
    ).toBeNull()
  })

  it('elements that become NULL are said to be there', () => {
    const date = (flag: number, ...elements: readonly Buffer[]) =>
      Buffer.concat([int32(1, flag, 1082, elements.length, 1), ...elements])
    const masked = binary(
      { typeOid: 1182, action: 'mask', class: 'birth-date', kind: 'redact' },
      date(0, int32(4, 7), int32(4, 8)),
    )
    expect(masked).toEqual(date(1, int32(0xffffffff), int32(0xffffffff)))
  })

  it('composites say the types of their fields', () => {
    const record = (text: string, number: number) =>
      Buffer.concat([int32(3, 25), field(text), int32(23, 4, number, 25, 0xffffffff)])
    for (const typeOid of [2249, ENUM]) {
      expect(binary({ typeOid }, record('ana@example.com', 7))).toEqual(record('a**@e******.com', 7))
      expect(binary({ typeOid, action: 'mask', class: 'ssn' }, record('078-05-1120', 78_051_120))).toEqual(
        record('***-**-1120', 1120),
      )
    }
  })

  it('hstore is known by its structure', () => {
    const store = (...texts: readonly string[]) => Buffer.concat([int32(texts.length / 2), ...texts.map(field)])
    expect(binary({ typeOid: ENUM }, store('email', 'x', 'b', 'ana@example.com'))).toEqual(
      store('email', '***', 'b', 'a**@e******.com'),
    )
  })

  it('what shows no structure is NULL when it is masked, or when something stands in it', () => {
    const blob = (text: string) => Buffer.concat([Buffer.from([0, 1, 2, 255]), Buffer.from(text)])
    expect(binary({ typeOid: ENUM }, blob('x'))).toEqual(blob('x'))
    expect(binary({ typeOid: ENUM }, blob(' ana@example.com '))).toBeNull()
    expect(binary({ typeOid: ENUM, action: 'mask', class: 'geo' }, blob('x'))).toBeNull()
  })

  it('arrays and composites that are none become NULL', () => {
    for (const typeOid of [1009, 2277, 2249]) {
      for (const value of [
        Buffer.alloc(0),
        Buffer.from('{a}'),
        int32(1, 0, 25, 5, 1, 99),
        int32(7, 0, 25),
        int32(2, 25, 4),
      ]) {
        expect(binary({ typeOid, action: 'mask', class: 'email' }, value)).toBeNull()
      }
    }
  })
})

describe('pseudonyms', () => {
  const pseudonym = (plan: Partial<ColumnPlan>, value: string) =>
    apply({ action: 'mask', kind: 'pseudonym', ...plan }, value)

  it('are equal for equal values of a class, and only for those', () => {
    const email = pseudonym({ class: 'email' }, 'ana@example.com')
    expect(email).toMatch(/^[0-9a-z]{16}@masked\.invalid$/)
    expect(pseudonym({ class: 'email' }, 'ana@example.com')).toBe(email)
    expect(pseudonym({ class: 'email' }, 'bo@example.com')).not.toBe(email)
    expect(pseudonym({ class: 'ssn' }, '078051120')).toMatch(/^~[0-9a-z]{16}$/)
    expect(pseudonym({ class: 'phone' }, '078051120')).not.toBe(pseudonym({ class: 'ssn' }, '078051120'))
  })

  it('are equal over types that hold the same', () => {
    expect(pseudonym({ class: 'ssn', typeOid: 1042, typmod: 30 }, '078-05-1120'.padEnd(26))?.trimEnd()).toBe(
      pseudonym({ class: 'ssn' }, '078-05-1120'),
    )
    expect(pseudonym({ class: 'ssn', typeOid: 20 }, '78051120')).toBe(
      pseudonym({ class: 'ssn', typeOid: 1700 }, '78051120.00'),
    )
  })

  it('fit the type', () => {
    expect(pseudonym({ class: 'ssn', typeOid: 1043, typmod: 12 }, '078051120')).toHaveLength(8)
    expect(Number(pseudonym({ class: 'ssn', typeOid: 23 }, '1'))).toBeLessThan(2 ** 31)
    expect(pseudonym({ class: 'ssn', typeOid: 2950 }, '550e8400-e29b-41d4-a716-446655440000')).toMatch(
      /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    )
    expect(pseudonym({ class: 'birth-date', typeOid: 1082 }, '1985-07-04')).toBeNull()
  })

  it('depend on the key, and are not made without one', () => {
    const plan = planOf({ action: 'mask', kind: 'pseudonym', class: 'email' })
    const bytes = Buffer.from('ana@example.com')
    const out = new ByteWriter()
    cellFor(plan, Buffer.alloc(32, 2))?.apply(bytes, 0, bytes.length, out)
    expect(out.copy().toString()).not.toBe(pseudonym({ class: 'email' }, 'ana@example.com'))
    expect(() => cellFor(plan)).toThrow(expect.objectContaining({ code: 'MASKING_NO_KEY' }))
    expect(() => cellFor(plan, Buffer.alloc(4))).toThrow(expect.objectContaining({ code: 'MASKING_NO_KEY' }))
  })
})

const planOf = (plan: Partial<ColumnPlan>): ColumnPlan => ({
  action: 'mask',
  class: 'clear',
  kind: 'partial',
  whole: false,
  typeOid: 25,
  typmod: -1,
  format: 'text',
  ...plan,
})

const apply = (plan: Partial<ColumnPlan>, value: string): string | null =>
  applyTo(plan, Buffer.from(value))?.toString() ?? null

const applyTo = (plan: Partial<ColumnPlan>, value: Buffer): Buffer | null => {
  // The value stands between others, which must stay as they are, and so must what has been written before.
  const bytes = Buffer.concat([Buffer.from('<<'), value, Buffer.from('>>')])
  const out = new ByteWriter(4)
  out.ascii('before')
  const outcome = cellFor(planOf(plan), KEY)?.apply(bytes, 2, bytes.length - 2, out) ?? KEPT
  expect(bytes.subarray(0, 2).toString() + bytes.subarray(-2).toString()).toBe('<<>>')
  expect(out.copy().subarray(0, 6).toString()).toBe('before')
  if (outcome === NULLED) return null
  if (outcome === KEPT) expect(bytes.subarray(2, -2)).toEqual(value)
  return outcome === KEPT || outcome === EDITED ? bytes.subarray(2, -2) : out.copy().subarray(6)
}
