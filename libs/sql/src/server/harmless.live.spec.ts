import type { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { installed, startPostgres, type Postgres } from '../../../../test/corpus/postgres.ts'
import { loadCatalogue } from '../../../../test/corpus/side-connection.ts'
import { loadParser } from '../parser.ts'
import type { Catalogue } from './catalogue.ts'
import { isHarmless } from './harmless.ts'

/*
 * Each built-in function that counts as harmless is called, with values for the types that it takes, and the server says
 * whether a transaction number was assigned, anything locked, a setting changed.
 */

describe.each(installed())('built-ins that count as harmless, with $label', (binaries) => {
  let server: Postgres
  let client: Client
  let catalogue: Catalogue

  beforeAll(async () => {
    await loadParser()
    server = await startPostgres(binaries)
    client = await server.connect('postgres')
    catalogue = await loadCatalogue(client)
    await client.query("SET statement_timeout = '2s'")
  }, 120_000)
  afterAll(async () => {
    await client?.end()
    await server?.stop()
  })

  it('change nothing', async () => {
    const calls = await callable()
    const harmless = calls.filter(({ oid }) => {
      const found = catalogue.functions.get(oid)
      return found !== undefined && isHarmless(found)
    })
    expect(harmless.length).toBeGreaterThan(1_500)
    const changing = []
    let ran = 0
    for (const { call } of harmless) {
      const effect = await effectOf(call)
      if (effect !== 'refused') ran += 1
      if (effect !== 'refused' && effect !== '') changing.push(`${call}: ${effect}`)
    }
    expect(changing).toEqual([])
    expect(ran).toBeGreaterThan(1_000)
  }, 300_000)

  it('would be found if they did', async () => {
    expect(await effectOf('pg_current_xact_id()')).toBe('transaction')
    expect(await effectOf('pg_advisory_xact_lock(7)')).toBe('lock')
    expect(await effectOf("set_config('work_mem', '77kB', true)")).toBe('setting')
  })

  const callable = async (): Promise<readonly { oid: number; call: string }[]> => {
    const { rows } = await client.query<{ oid: number; name: string; types: string[] }>(`
      SELECT p.oid::int8::int4 AS oid, p.proname AS name,
             ARRAY(SELECT format_type(t, NULL) FROM unnest(p.proargtypes::oid[]) WITH ORDINALITY a(t, n) ORDER BY n) AS types
        FROM pg_proc p
       WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.prokind = 'f' AND p.oid < 16384
         AND NOT (p.proargtypes::oid[] && ARRAY['internal'::regtype, 'cstring'::regtype]::oid[])
         AND p.prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype, 'internal'::regtype)
       ORDER BY p.oid`)
    return rows.map(({ oid, name, types }) => ({ oid, call: `pg_catalog."${name}"(${types.map(valueOf).join(', ')})` }))
  }

  const effectOf = async (call: string): Promise<string> => {
    await client.query('BEGIN')
    try {
      const before = await state()
      await client.query(`SELECT ${call} LIMIT 5`)
      const after = await state()
      if (after.xid !== null) return 'transaction'
      if (after.locks !== before.locks) return 'lock'
      return after.settings === before.settings ? '' : 'setting'
    } catch {
      return 'refused'
    } finally {
      await client.query('ROLLBACK')
    }
  }

  const state = async () => {
    const { rows } = await client.query<{ xid: string | null; locks: string; settings: string }>(STATE)
    return rows[0] ?? { xid: null, locks: '', settings: '' }
  }
})

const STATE = `
  SELECT pg_current_xact_id_if_assigned()::text AS xid,
         (SELECT count(*)::text FROM pg_locks WHERE pid = pg_backend_pid()
           AND (locktype = 'advisory' OR mode NOT IN ('AccessShareLock', 'ExclusiveLock'))) AS locks,
         (SELECT md5(string_agg(concat(name, '=', setting), ';' ORDER BY name)) FROM pg_settings
           WHERE context IN ('user', 'superuser')) AS settings`

/** By type; NULL for those that are not listed, which most functions then give back at once. */
const VALUES: Readonly<Record<string, string>> = {
  integer: '1',
  bigint: '1',
  smallint: '1::int2',
  text: "'pg_class'::text",
  name: "'pg_class'::name",
  oid: "'pg_class'::regclass::oid",
  regclass: "'pg_class'::regclass",
  boolean: 'true',
  'double precision': '1::float8',
  real: '1::float4',
  numeric: '1::numeric',
  'character varying': "'x'::varchar",
  bytea: "'x'::bytea",
  json: "'{}'::json",
  jsonb: "'{}'::jsonb",
  interval: "'1 second'::interval",
  date: "'2020-01-01'::date",
  'timestamp with time zone': "'2020-01-01'::timestamptz",
  'timestamp without time zone': "'2020-01-01'::timestamp",
  tsquery: "'a'::tsquery",
  tsvector: "'a'::tsvector",
  pg_lsn: "'0/1'::pg_lsn",
  xid8: "'3'::xid8",
  xid: "'3'::xid",
  tid: "'(0,1)'::tid",
  uuid: "'00000000-0000-0000-0000-000000000001'::uuid",
  xml: "'<a/>'::xml",
  'text[]': "ARRAY['pg_class']::text[]",
  'integer[]': 'ARRAY[1]',
  anyarray: 'ARRAY[1]',
  anyelement: '1',
  anycompatible: '1',
  anycompatiblearray: 'ARRAY[1]',
  '"any"': '1',
  record: 'ROW(1)',
}

const valueOf = (type: string): string => VALUES[type] ?? `NULL::${type}`
