/*
 * PostgreSQL's built-in types, by OID: how a value is stored, and what its zero is, in both formats of the protocol.
 * OIDs and layouts are part of the protocol's promise and have not changed since PostgreSQL 8.
 */

/** How the bytes of a value are made, as far as masking has to know. */
export type Storage =
  /** Characters, alike in both formats. */
  | 'text'
  | 'json'
  /** One byte (the version, 1) before the text in the binary format: jsonb, jsonpath. */
  | 'versioned-json'
  | 'xml'
  | 'bytes'
  | 'integer'
  | 'numeric'
  | 'date'
  | 'timestamp'
  | 'timestamp-tz'
  | 'uuid'
  | 'inet'
  | 'bits'
  | 'array'
  | 'record'
  /** Whatever else: it is never looked into, and masked by its zero. */
  | 'other'

export interface PgType {
  readonly name: string
  readonly storage: Storage
  /** The zero of the type; absent where there is none, so that NULL must do. */
  readonly zeroText?: string
  readonly zeroBinary?: Buffer
  /** The type of an array's elements; 0 where only the value itself says it. */
  readonly element?: number
}

export type WireFormat = 'text' | 'binary'

const zeros = (count: number): Buffer => Buffer.alloc(count)

type Row = readonly [oid: number, array: number, name: string, storage: Storage, zeroText?: string, zeroBinary?: Buffer]

const LINE_ZERO = Buffer.concat([zeros(8), Buffer.from('bff0000000000000', 'hex'), zeros(8)])
const ONE_POINT = Buffer.concat([Buffer.from([0, 0, 0, 1]), zeros(16)])
/** A snapshot in which none runs: their number, and the first and last that it knows. */
const NO_TRANSACTIONS = Buffer.from('0000000000000000000000010000000000000001', 'hex')
const EMPTY_RANGE = Buffer.from([1])

const SCALARS: readonly Row[] = [
  [16, 1000, 'bool', 'other', 'f', zeros(1)],
  [17, 1001, 'bytea', 'bytes', '\\x', zeros(0)],
  [18, 1002, '"char"', 'other', '*', Buffer.from('*')],
  [19, 1003, 'name', 'text'],
  [20, 1016, 'int8', 'integer', '0', zeros(8)],
  [21, 1005, 'int2', 'integer', '0', zeros(2)],
  [22, 1006, 'int2vector', 'other'],
  [23, 1007, 'int4', 'integer', '0', zeros(4)],
  [24, 1008, 'regproc', 'other', '-', zeros(4)],
  [25, 1009, 'text', 'text'],
  [26, 1028, 'oid', 'other', '0', zeros(4)],
  [27, 1010, 'tid', 'other', '(0,0)', zeros(6)],
  [28, 1011, 'xid', 'other', '0', zeros(4)],
  [29, 1012, 'cid', 'other', '0', zeros(4)],
  [30, 1013, 'oidvector', 'other'],
  [114, 199, 'json', 'json'],
  [142, 143, 'xml', 'xml'],
  [600, 1017, 'point', 'other', '(0,0)', zeros(16)],
  [601, 1018, 'lseg', 'other', '[(0,0),(0,0)]', zeros(32)],
  [602, 1019, 'path', 'other', '((0,0))', Buffer.concat([Buffer.from([1]), ONE_POINT])],
  [603, 1020, 'box', 'other', '(0,0),(0,0)', zeros(32)],
  [604, 1027, 'polygon', 'other', '((0,0))', ONE_POINT],
  [628, 629, 'line', 'other', '{0,-1,0}', LINE_ZERO],
  [650, 651, 'cidr', 'inet', '0.0.0.0/0', Buffer.from([2, 0, 1, 4, 0, 0, 0, 0])],
  [700, 1021, 'float4', 'other', '0', zeros(4)],
  [701, 1022, 'float8', 'other', '0', zeros(8)],
  [705, 0, 'unknown', 'text'],
  [718, 719, 'circle', 'other', '<(0,0),0>', zeros(24)],
  [774, 775, 'macaddr8', 'other', '00:00:00:00:00:00:00:00', zeros(8)],
  [790, 791, 'money', 'other', '$0.00', zeros(8)],
  [829, 1040, 'macaddr', 'other', '00:00:00:00:00:00', zeros(6)],
  [869, 1041, 'inet', 'inet', '0.0.0.0', Buffer.from([2, 32, 0, 4, 0, 0, 0, 0])],
  [1033, 1034, 'aclitem', 'other'],
  [1042, 1014, 'bpchar', 'text'],
  [1043, 1015, 'varchar', 'text'],
  [1082, 1182, 'date', 'date', '2000-01-01', zeros(4)],
  [1083, 1183, 'time', 'other', '00:00:00', zeros(8)],
  [1114, 1115, 'timestamp', 'timestamp', '2000-01-01 00:00:00', zeros(8)],
  [1184, 1185, 'timestamptz', 'timestamp-tz', '2000-01-01 00:00:00+00', zeros(8)],
  [1186, 1187, 'interval', 'other', '00:00:00', zeros(16)],
  [1266, 1270, 'timetz', 'other', '00:00:00+00', zeros(12)],
  [1560, 1561, 'bit', 'bits'],
  [1562, 1563, 'varbit', 'bits'],
  [1700, 1231, 'numeric', 'numeric', '0', zeros(8)],
  [1790, 2201, 'refcursor', 'text'],
  [2202, 2207, 'regprocedure', 'other', '-', zeros(4)],
  [2203, 2208, 'regoper', 'other', '0', zeros(4)],
  [2204, 2209, 'regoperator', 'other', '0', zeros(4)],
  [2205, 2210, 'regclass', 'other', '-', zeros(4)],
  [2206, 2211, 'regtype', 'other', '-', zeros(4)],
  [2249, 2287, 'record', 'record'],
  [2275, 1263, 'cstring', 'text'],
  [2278, 0, 'void', 'other', '', zeros(0)],
  [2950, 2951, 'uuid', 'uuid', '00000000-0000-0000-0000-000000000000', zeros(16)],
  [2970, 2949, 'txid_snapshot', 'other', '1:1:', NO_TRANSACTIONS],
  [3220, 3221, 'pg_lsn', 'other', '0/0', zeros(8)],
  [3614, 3643, 'tsvector', 'other', '', zeros(4)],
  [3615, 3645, 'tsquery', 'other'],
  [3734, 3735, 'regconfig', 'other', '-', zeros(4)],
  [3769, 3770, 'regdictionary', 'other', '-', zeros(4)],
  [3802, 3807, 'jsonb', 'versioned-json'],
  [3904, 3905, 'int4range', 'other', 'empty', EMPTY_RANGE],
  [3906, 3907, 'numrange', 'other', 'empty', EMPTY_RANGE],
  [3908, 3909, 'tsrange', 'other', 'empty', EMPTY_RANGE],
  [3910, 3911, 'tstzrange', 'other', 'empty', EMPTY_RANGE],
  [3912, 3913, 'daterange', 'other', 'empty', EMPTY_RANGE],
  [3926, 3927, 'int8range', 'other', 'empty', EMPTY_RANGE],
  [4072, 4073, 'jsonpath', 'other', '$', Buffer.from('\u0001$')],
  [4089, 4090, 'regnamespace', 'other', '-', zeros(4)],
  [4096, 4097, 'regrole', 'other', '-', zeros(4)],
  [4191, 4192, 'regcollation', 'other', '-', zeros(4)],
  [4451, 6150, 'int4multirange', 'other', '{}', zeros(4)],
  [4532, 6151, 'nummultirange', 'other', '{}', zeros(4)],
  [4533, 6152, 'tsmultirange', 'other', '{}', zeros(4)],
  [4534, 6153, 'tstzmultirange', 'other', '{}', zeros(4)],
  [4535, 6155, 'datemultirange', 'other', '{}', zeros(4)],
  [4536, 6157, 'int8multirange', 'other', '{}', zeros(4)],
  [5038, 5039, 'pg_snapshot', 'other', '1:1:', NO_TRANSACTIONS],
  [5069, 271, 'xid8', 'other', '0', zeros(8)],
] // prettier-ignore

const TYPES: ReadonlyMap<number, PgType> = new Map([
  ...SCALARS.map(([oid, , name, storage, zeroText, zeroBinary]): [number, PgType] => [
    oid,
    { name, storage, ...(zeroText === undefined ? {} : { zeroText }), ...(zeroBinary ? { zeroBinary } : {}) },
  ]),
  ...SCALARS.filter(([, array]) => array !== 0).map(([oid, array, name]): [number, PgType] => [
    array,
    { name: `${name}[]`, storage: 'array', element: oid },
  ]),
  // The type of `pg_stats.most_common_vals` and its like: only a value in binary says what its elements are.
  [2277, { name: 'anyarray', storage: 'array', element: 0 }],
])

/**
 * What is known of a type; undefined for those that a database defines itself (enumerations, composites, extensions).
 */
export const typeOf = (oid: number): PgType | undefined => TYPES.get(oid)

/** Every type that is known, for tests that must not forget one. */
export const knownTypes = (): readonly (readonly [oid: number, type: PgType])[] => [...TYPES]

const VARCHAR = 1043
const BPCHAR = 1042
const NAME = 19

/**
 * How many characters a value may have, by its type modifier: `varchar(n)`, `char(n)`; Infinity where there is no
 * limit.
 */
export const lengthLimit = (oid: number, typmod: number): number => {
  if (oid === NAME) return 63
  const isLimited = (oid === VARCHAR || oid === BPCHAR) && typmod >= 5
  return isLimited ? typmod - 4 : Number.POSITIVE_INFINITY
}

/** `char(n)` is filled up with spaces. */
export const isPadded = (oid: number, typmod: number): boolean => oid === BPCHAR && typmod >= 5
