import { writeFileSync } from 'node:fs'
import type { Client } from 'pg'
import { EVASIONS, evasions, needsOwn, startEvasions, type Effects, type Evasion } from '../corpus/evasions.ts'
import { installed, type Binaries, type Postgres } from '../corpus/postgres.ts'

/*
 * Runs each statement of test/corpus/evasions.jsonl on a throw-away server of each version that this machine has, and
 * writes beside it what was another thing afterwards. Some of them touch the host.
 */

export const measureEvasions = async (said: (words: string) => void): Promise<void> => {
  const measured = new Map<Evasion, Record<string, Effects>>(evasions.map((row) => [row, {}]))
  const each = installed().map(async (binaries) => {
    const version = binaries.label.split(' ').at(-1) ?? ''
    await measureAll(binaries, (row, effects) => {
      const all = measured.get(row)
      if (all) all[version] = effects
      said(`${version} ${row.id} ${JSON.stringify(effects)}`)
    })
  })
  await Promise.all(each)
  const lines = [...measured].map(([row, effects]) => JSON.stringify({ ...row, effects }))
  writeFileSync(EVASIONS, `${lines.join('\n')}\n`)
}

const measureAll = async (binaries: Binaries, found: (row: Evasion, effects: Effects) => void): Promise<void> => {
  const server = await startEvasions(binaries)
  try {
    const shared = await server.connect('shop')
    const observer = await server.connect('shop')
    for (const row of evasions.filter((each) => !isAlone(each))) found(row, await inside(shared, observer, row))
    for (const one of [shared, observer]) await one.end()
    for (const [index, row] of evasions.filter(isAlone).entries()) found(row, await alone(server, row, index))
  } finally {
    await server.stop()
  }
}

/** These cannot be taken back, or do what they do at the end of a transaction, or need to be alone. */
const ALONE =
  /^(VACUUM|ALTER SYSTEM|DISCARD|CREATE SUBSCRIPTION|CLUSTER|REINDEX|ALTER DATABASE|DO |CALL|BEGIN|START|COMMIT|ROLLBACK|SET TRANS|SAVE|NOTIFY|LISTEN|EXPLAIN ANALYZE (CALL|DECLARE))|;|WITH HOLD|LARGE OBJECT|largeobject|lo_|pg_stat_reset|slot|pg_notify/
const OUT_OF_PLACE = /search_path|TEMP|pg_temp|SET ROLE|BEGIN/

const isAlone = (row: Evasion): boolean =>
  needsOwn(row) || ALONE.test(row.sql) || (row.setup ?? []).some((text) => OUT_OF_PLACE.test(text))

const alone = async (server: Postgres, row: Evasion, index: number): Promise<Effects> => {
  const database = `measured_${index}`
  const admin = await server.connect('postgres')
  await admin.query(`CREATE DATABASE ${database} TEMPLATE shop`)
  const [client, observer] = [await server.connect(database), await server.connect(database)]
  for (const one of [admin, observer, client]) one.on('error', () => {})
  try {
    for (const text of row.setup ?? []) await client.query(text)
    return await outside(client, observer, row.sql)
  } finally {
    await unsubscribed(observer)
    for (const one of [client, observer]) await one.end().catch(() => {})
    await admin.query(`DROP DATABASE IF EXISTS ${database} WITH (FORCE)`)
    await admin.end()
  }
}

/** A database with a subscription cannot be dropped. */
const unsubscribed = async (observer: Client): Promise<void> => {
  const { rows } = await observer.query<{ name: string }>(`
    SELECT quote_ident(s.subname) AS name FROM pg_catalog.pg_subscription s
      JOIN pg_catalog.pg_database d ON d.oid = s.subdbid WHERE d.datname = current_database()`)
  for (const { name } of rows) {
    await observer.query(`ALTER SUBSCRIPTION ${name} SET (slot_name = NONE)`)
    await observer.query(`DROP SUBSCRIPTION ${name}`)
  }
}

/** Seen by another connection, once it is over. */
const outside = async (client: Client, observer: Client, sql: string): Promise<Effects> => {
  const [before, state] = [await snapshot(observer), await stateOf(client, observer)]
  const refused = await tried(client, sql)
  const after = refused === undefined ? await stateOf(client, observer) : state
  const ended = await tried(client, 'COMMIT')
  return {
    ...difference({ ...before, ...state }, { ...(await snapshot(observer)), ...after }),
    ...said(refused ?? ended),
  }
}

/** Seen within its own transaction, which is then taken back; what cannot be taken back is seen afterwards. */
const inside = async (client: Client, observer: Client, { sql, setup = [] }: Evasion): Promise<Effects> => {
  await client.query('DISCARD ALL')
  for (const text of setup) await client.query(text)
  await client.query('BEGIN')
  const [before, state] = [await snapshot(client), await stateOf(client, observer)]
  const refused = (await tried(client, sql)) ?? (await tried(client, 'SET CONSTRAINTS ALL IMMEDIATE'))
  if (refused !== undefined) {
    await client.query('ROLLBACK')
    return { ...difference({ ...before, xid: '' }, { ...(await snapshot(client)), xid: '' }), ...said(refused) }
  }
  const after = await stateOf(client, observer)
  for (const back of ['RESET SESSION AUTHORIZATION', 'RESET ROLE', 'SET LOCAL search_path = pg_catalog, public'])
    await client.query(back)
  const found = difference({ ...before, ...state }, { ...(await snapshot(client)), ...after })
  await client.query('ROLLBACK')
  return found
}

const said = (sqlstate: string | undefined): Pick<Effects, 'sqlstate'> => (sqlstate === undefined ? {} : { sqlstate })

const tried = async (client: Client, sql: string): Promise<string | undefined> => {
  try {
    await client.query(sql)
    return undefined
  } catch (error) {
    return (error as { code?: string }).code ?? 'broken'
  }
}

type Snapshot = Readonly<Record<string, string>>

/** Of each table how many rows, and which; of the whole, transaction numbers and what else the server keeps. */
const snapshot = async (client: Client): Promise<Snapshot> => {
  const { rows } = await client.query<{ name: string; query: string }>(RELATIONS)
  const queries = rows.map(({ name, query }) => `SELECT '${name.replaceAll("'", "''")}' AS name, (${query}) AS is`)
  const found = await client.query<{ name: string; is: string }>([...queries, ...OTHERS].join(' UNION ALL '))
  return Object.fromEntries(found.rows.map(({ name, is }) => [name, is]))
}

const RELATIONS = `
  SELECT n.nspname || '.' || c.relname AS name,
         CASE c.relkind WHEN 'S' THEN format('SELECT concat(last_value, is_called) FROM %I.%I', n.nspname, c.relname)
              ELSE format('SELECT concat(count(*), '' '', sum(hashtext(concat(x.xmin, x.ctid))::int8)) FROM ONLY %I.%I x',
                          n.nspname, c.relname) END AS query
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
   WHERE c.relkind IN ('r', 'm', 'S') AND c.relpersistence <> 't' AND c.relispopulated
     AND n.nspname NOT LIKE 'pg\\_toast%'
   ORDER BY 1`

const OTHERS = [
  `SELECT 'xid', concat(pg_catalog.pg_current_xact_id_if_assigned(), ' ',
     pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot()))`,
  `SELECT 'server', concat((SELECT count(*) FROM pg_catalog.pg_replication_slots), ' ',
     (SELECT count(*) FROM pg_catalog.pg_replication_origin), ' ',
     pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_insert_lsn()))`,
]

/** Those with a dot come with a library that is loaded, PL/pgSQL perhaps; others are modes of a transaction that begins. */
const SETTINGS = `SELECT string_agg(name || '=' || setting, ';' ORDER BY name) AS is FROM pg_catalog.pg_settings
  WHERE context IN ('user', 'superuser') AND name <> 'application_name' AND name NOT LIKE '%.%'
   AND name NOT LIKE 'transaction\\_%'`

/** To plan a change takes ROW EXCLUSIVE, to look at a sequence too; neither is one. */
const LOCKS = `SELECT string_agg(concat(locktype, relation, mode, objid), ';' ORDER BY locktype, relation, mode, objid) AS is
  FROM pg_catalog.pg_locks WHERE pid = $1 AND locktype <> 'virtualxid' AND locktype <> 'transactionid'
   AND mode NOT IN ('AccessShareLock', 'RowShareLock', 'RowExclusiveLock')`

const stateOf = async (client: Client, observer: Client): Promise<Snapshot> => {
  const one = async (by: Client, sql: string, values: unknown[] = []) =>
    (await by.query<{ is: string | null }>(sql, values)).rows[0]?.is ?? ''
  try {
    const pid = await one(client, 'SELECT pg_catalog.pg_backend_pid()::pg_catalog.text AS is')
    return {
      settings: await one(client, SETTINGS),
      listens: await one(client, 'SELECT count(*)::pg_catalog.text AS is FROM pg_catalog.pg_listening_channels()'),
      locks: await one(observer, LOCKS, [pid]),
    }
  } catch {
    return {} // In a transaction that has failed nothing can be asked.
  }
}

const FLAGS = ['xid', 'server', 'settings', 'listens', 'locks'] as const

const difference = (before: Snapshot, after: Snapshot): Effects => {
  const moved = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter(
    (name) => before[name] !== after[name],
  )
  const flags = FLAGS.filter((flag) => moved.includes(flag) && before[flag] !== undefined && after[flag] !== undefined)
  const relations = moved.filter((name) => name.includes('.'))
  const system = relations
    .filter((name) => name.startsWith('pg_catalog.'))
    .map((name) => name.slice('pg_catalog.'.length))
  const rows = relations.filter((name) => !name.startsWith('pg_catalog.'))
  return {
    ...(rows.length > 0 && { rows: Object.fromEntries(rows.map((name) => [name, change(before[name], after[name])])) }),
    ...(system.length > 0 && { catalogue: system }),
    ...Object.fromEntries(flags.map((flag) => [flag, true])),
  }
}

const change = (before: string | undefined, after: string | undefined): number | string => {
  if (before === undefined || after === undefined) return before === undefined ? 'new' : 'gone'
  return before.includes(' ') ? Number(after.split(' ')[0]) - Number(before.split(' ')[0]) : 'moved'
}
