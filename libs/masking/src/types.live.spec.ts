import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { dropPostgres, startPostgres } from '@countersign/platform'
import { freePorts } from '@countersign/testing'
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DATA_CLASSES, isSensitive, MASK_KINDS } from './data-class.ts'
import { maskValue } from './mask-value.ts'
import { knownTypes, type WireFormat } from './values/types.ts'

/*
 * The server is the judge: it sends each type in both formats, and must be able to read what became of it, as the same
 * value from both. Clients decode what the server can read.
 */

const VALUES: Readonly<Record<string, readonly string[]>> = {
  bool: ['t'],
  bytea: ['\\x6869'],
  '"char"': ['x'],
  name: ['ana@example.com'],
  int8: ['78051120', '-9223372036854775808', '19850704'],
  int2: ['-5', '32767'],
  int4: ['123456789', '0'],
  regproc: ['now'],
  text: ['ana@example.com', 'x', 'Ana Ruiz', '1985-07-04', '078-05-1120'],
  oid: ['4294967295'],
  tid: ['(1,2)'],
  xid: ['7'],
  cid: ['7'],
  json: ['{"email": "ana@example.com", "n": [1, true, null, "x"], "ssn": 78051120}', '"x"', '[]'],
  xml: ['<r a="b"><email>ana@example.com</email>x</r>'],
  point: ['(1.5,2)'],
  lseg: ['[(1,2),(3,4)]'],
  path: ['[(1,2),(3,4)]'],
  box: ['(3,4),(1,2)'],
  polygon: ['((1,2),(3,4),(5,6))'],
  line: ['{1,2,3}'],
  cidr: ['203.0.113.0/24', '2001:db8:1::/48'],
  float4: ['1.5', 'NaN'],
  float8: ['-1e300'],
  unknown: [],
  circle: ['<(1,2),3>'],
  macaddr8: ['08:00:2b:01:02:03:04:05'],
  money: ['$1,234.50'],
  macaddr: ['08:00:2b:01:02:03'],
  inet: ['203.0.113.7', '203.0.113.7/24', '2001:db8:1::5', '::1'],
  aclitem: [],
  bpchar: ['ana@example.com'],
  varchar: ['ana@example.com'],
  date: ['1985-07-04', '0044-03-15 BC', '20250-12-31', 'infinity', '-infinity', '2000-12-31', '1999-12-31'],
  time: ['04:05:06.789'],
  timestamp: ['1985-07-04 12:13:14.5', '0044-03-15 10:00:00 BC', 'infinity', '1999-12-31 23:59:59.999999'],
  timestamptz: ['1985-07-04 12:13:14.5+00', '-infinity'],
  interval: ['1 year 2 mons 3 days 04:05:06'],
  timetz: ['04:05:06+02'],
  bit: ['10110'],
  varbit: ['101'],
  numeric: ['12345678.90', '-0.00012', 'NaN', '1e40', '100000000', '99999', '123456789012345678901234567890.5'],
  refcursor: ['c'],
  regprocedure: ['now()'],
  regoper: ['||/'],
  regoperator: ['+(integer,integer)'],
  regclass: ['pg_class'],
  regtype: ['integer'],
  record: [],
  cstring: [],
  void: [],
  uuid: ['550e8400-e29b-41d4-a716-446655440000'],
  txid_snapshot: ['10:20:10,14,15'],
  pg_lsn: ['16/B374D848'],
  tsvector: ["'ana':1 'ruiz':2"],
  tsquery: ["'ana' & 'ruiz'"],
  regconfig: ['english'],
  regdictionary: ['simple'],
  jsonb: ['{"email": "ana@example.com", "n": [1, true, null, "x"], "ssn": 78051120}', '3'],
  int4range: ['[1,5)'],
  numrange: ['(1.5,2]'],
  tsrange: ['["2020-01-01 00:00:00","2021-01-01 00:00:00")'],
  tstzrange: ['["2020-01-01 00:00:00+00",)'],
  daterange: ['[1985-07-04,1985-07-05)'],
  int8range: ['[1,5)'],
  jsonpath: ['$."a"'],
  regnamespace: ['pg_catalog'],
  regrole: ['postgres'],
  regcollation: ['"C"'],
  int4multirange: ['{[1,5)}'],
  nummultirange: ['{[1.5,5)}'],
  tsmultirange: ['{["2020-01-01 00:00:00","2021-01-01 00:00:00")}'],
  tstzmultirange: ['{["2020-01-01 00:00:00+00",)}'],
  datemultirange: ['{[1985-07-04,1985-07-05)}'],
  int8multirange: ['{[1,5)}'],
  pg_snapshot: ['10:20:10,14,15'],
  xid8: ['7'],
  int2vector: ['1 2'],
  oidvector: ['1 2'],
  anyarray: [],
}

const KEY = Buffer.alloc(32, 7)
let home: string
let server: Awaited<ReturnType<typeof startPostgres>>
let client: Client

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'countersign-masking-'))
  const [port = 0] = await freePorts(1)
  const password = 'only for this test'
  server = await startPostgres({ directory: join(home, 'data'), port, password, logFile: join(home, 'postgres.log') })
  client = new Client({ host: '127.0.0.1', port, user: 'postgres', password, database: 'postgres' })
  await client.connect()
}, 120_000)

afterAll(async () => {
  await client.end()
  await server.stop(5_000)
  dropPostgres(join(home, 'data'))
  rmSync(home, { recursive: true })
})

describe('the server reads what became of', () => {
  const names = knownTypes().map(([oid, type]) => ({ oid, name: type.name }))

  it('every type that is known', () => {
    const scalars = names.filter(({ name }) => !name.endsWith('[]')).map(({ name }) => name)
    expect(Object.keys(VALUES).toSorted()).toEqual(scalars.toSorted())
  })

  it.each(names)(
    '$name',
    async ({ oid, name }) => {
      for (const literal of literalsOf(name)) {
        const sent = { text: await received(name, literal, 'text'), binary: await received(name, literal, 'binary') }
        for (const options of everyMask()) {
          const read: (string | null | undefined)[] = []
          for (const format of ['text', 'binary'] as const) {
            const type = { typeOid: oid, typmod: -1, format }
            const masked = maskValue(options.class, options.kind, type, sent[format], {
              whole: options.whole,
              pseudonymKey: KEY,
            })
            read.push(masked === null ? null : await readBack(name, masked, format))
          }
          const [text, binary] = read
          expect(text, `${name} ${literal} ${JSON.stringify(options)}`).toEqual(binary)
          if (options.whole && literal.length > 8)
            expect(read.map(String).join(' '), `${name} ${literal}`).not.toContain(literal)
        }
      }
    },
    120_000,
  )
})

/** A value as the server sends it. pg reads binary values as if they were text, so the type's own function is asked. */
const received = async (name: string, literal: string, format: WireFormat): Promise<Buffer> => {
  const value = `${quoted(literal)}::${name}`
  if (format === 'text') return Buffer.from((await asked(`${value}::text`)) ?? '')
  // The one type that borrows another's function.
  if (name === 'refcursor') return Buffer.from(literal)
  const send = await asked(`(select typsend::text from pg_type where oid = ${quoted(name)}::regtype)`)
  return Buffer.from((await asked(`encode(${send}(${value}), 'hex')`)) ?? '', 'hex')
}

const asked = async (expression: string, parameters: readonly unknown[] = []): Promise<string | undefined> =>
  (await client.query<{ v: string }>(`select ${expression} as v`, [...parameters])).rows[0]?.v

/** What the server takes it for, as text: a Buffer goes to it in the binary format. */
const readBack = (name: string, value: Buffer, format: WireFormat): Promise<string | undefined> =>
  asked(`($1::${name})::text`, [format === 'binary' ? value : value.toString()])

const everyMask = () =>
  DATA_CLASSES.filter((dataClass) => isSensitive(dataClass)).flatMap((dataClass) =>
    MASK_KINDS.flatMap((kind) => [true, false].map((whole) => ({ class: dataClass, kind, whole }))),
  )

const literalsOf = (name: string): readonly string[] => {
  if (!name.endsWith('[]')) return VALUES[name] ?? []
  const separator = name === 'box[]' ? ';' : ','
  const values = VALUES[name.slice(0, -2)] ?? []
  if (values.length === 0 || name === 'regcollation[]') return []
  const elements = values.map((value) => `"${value.replaceAll(/["\\]/g, String.raw`\$&`)}"`)
  return ['{}', `{${[...elements, 'NULL'].join(separator)}}`]
}

const quoted = (literal: string): string => `'${literal.replaceAll("'", "''")}'`
