/** What a column's type says about what it can hold. */
export type ColumnFamily =
  | 'text'
  | 'integer'
  | 'numeric'
  | 'float'
  | 'boolean'
  | 'date'
  | 'timestamp'
  | 'time'
  | 'uuid'
  | 'bytes'
  | 'inet'
  | 'geometric'
  | 'json'
  | 'array'
  /** Enumerations, domains, composites, extensions' types: it can be text, so it is treated as such. */
  | 'other'

const FAMILIES: Readonly<Record<string, ColumnFamily>> = {
  text: 'text', varchar: 'text', 'character varying': 'text', char: 'text', character: 'text', bpchar: 'text',
  name: 'text', citext: 'text', string: 'text', xml: 'text', hstore: 'json', json: 'json', jsonb: 'json',
  int2: 'integer', int4: 'integer', int8: 'integer', smallint: 'integer', integer: 'integer', bigint: 'integer',
  int: 'integer', smallserial: 'integer', serial: 'integer', bigserial: 'integer', oid: 'integer',
  numeric: 'numeric', decimal: 'numeric', money: 'numeric', real: 'float', 'double precision': 'float',
  float4: 'float', float8: 'float', bool: 'boolean', boolean: 'boolean', date: 'date',
  timestamp: 'timestamp', timestamptz: 'timestamp', 'timestamp without time zone': 'timestamp',
  'timestamp with time zone': 'timestamp', time: 'time', timetz: 'time', 'time without time zone': 'time',
  'time with time zone': 'time', interval: 'time', uuid: 'uuid', bytea: 'bytes', inet: 'inet', cidr: 'inet',
  macaddr: 'boolean', macaddr8: 'boolean', point: 'geometric', geometry: 'geometric', geography: 'geometric',
  bit: 'boolean', 'bit varying': 'boolean', varbit: 'boolean',
} // prettier-ignore

/** The family of a type as `format_type` or `pg_type.typname` writes it: `character varying(80)`, `_text`, `text[]`. */
export const familyOf = (dataType: string): ColumnFamily => {
  const plain = dataType
    .toLowerCase()
    .replaceAll(/\([^)]*\)/g, '')
    .replaceAll(/\s+/g, ' ')
    .trim()
  if (plain.endsWith('[]') || plain.startsWith('_')) return 'array'
  return FAMILIES[plain.slice(plain.lastIndexOf('.') + 1).replaceAll('"', '')] ?? 'other'
}

/** Whether a value of it can hold text in which something sensitive may stand. */
export const canHoldText = (family: ColumnFamily): boolean =>
  family === 'text' || family === 'json' || family === 'array' || family === 'other'
