import type { UpstreamConfig } from '@countersign/platform'
import {
  ADDRESS_QUERY,
  blastOf,
  callsIn,
  CONSTRAINT_QUERY,
  dependentsOf,
  DETAIL_COERCIONS,
  DETAIL_COLUMNS,
  DETAIL_TYPES,
  DETAIL_VOLATILE,
  findRelation,
  GONE_MAX,
  GONE_QUERY,
  Hits,
  identifier,
  keyOfHit,
  nameText,
  NEAR_CHILDREN,
  NEAR_RELATIONS,
  nearForeignKeys,
  NO_DETAILS,
  planRows,
  readAddress,
  readDetails,
  readGone,
  readSurroundings,
  RELATION_ADDRESS_QUERY,
  ROUTINE_QUERY,
  spreadAlter,
  spreadGone,
  spreadLock,
  spreadTruncate,
  TYPE_NUMBERS,
  typesIn,
  unknownBlast,
  type Act,
  type Address,
  type AlterAct,
  type Blast,
  type BlastSample,
  type CascadePlan,
  type Dependent,
  type Details,
  type DropAct,
  type DroppedObject,
  type Facts,
  type Hit,
  type NearRelation,
  type Reach,
  type RowsAct,
  type Spreading,
  type Surroundings,
} from '@countersign/sql'
import type { Client } from 'pg'
import type { SessionView } from '../understanding/parser-jobs.ts'
import type { Servers } from '../upstream/servers.ts'
import { SideConnection, type Row } from '../upstream/side-connection.ts'
import { rowsWith } from './bound-query.ts'
import type { BoundParameters } from './judge.ts'
import { maskedRows, type ClassOf } from './masked-sample.ts'

/** One command of a held text, as it was understood. */
export interface HeldCommand {
  readonly reach: Reach
  readonly facts: Facts
  /** What is in the session's own tables no other connection can count. */
  readonly mayCount: boolean
  readonly bound: BoundParameters | undefined
}

export interface BlastRadiusOptions {
  readonly upstream: UpstreamConfig
  readonly servers: Servers
  readonly classOf: ClassOf
}

/** All of it takes so long at most; what is not known by then is said to be not known. */
const TOTAL_MS = 4_000
const STATEMENT_MS = 2_000
/** Nothing here waits for a table that somebody alters. */
const LOCK_MS = 100
const IDLE_MS = 10_000
const COUNT_LIMIT = 1_000_000
const SAMPLE_ROWS = 5
const SIZES_MAX = 1_000
/** Whole tables of which each is counted; of more the planner's statistics will do. */
const TABLES_COUNTED_MAX = 20

/**
 * Finds out what a held statement would reach: on a connection of its own, so that nothing else waits for it, READ
 * ONLY, and in bounded time. Whatever fails is said to be not known; it never makes a hold fail.
 */
export class BlastRadius {
  readonly #side: SideConnection
  readonly #classOf: ClassOf
  #idle: NodeJS.Timeout | undefined
  #asked = 0
  #prepared: { readonly client: Client; readonly version: number } | undefined

  constructor({ upstream, servers, classOf }: BlastRadiusOptions) {
    this.#side = new SideConnection(upstream, servers)
    this.#classOf = classOf
  }

  /** `inTransaction`: what the session has written and not committed cannot be seen from here. */
  async of(commands: readonly HeldCommand[], session: SessionView, inTransaction = false): Promise<Blast> {
    clearTimeout(this.#idle)
    this.#asked += 1
    const giveUpAt = performance.now() + TOTAL_MS
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<Blast>((resolve) => {
      timer = setTimeout(() => resolve(unknownBlast(LATE)), TOTAL_MS)
    })
    const looked = this.#side
      .run((client) => this.#look(client, commands, { session, inTransaction }, giveUpAt))
      .catch(() => unknownBlast('what it reaches: the database could not be asked'))
      .finally(() => this.#rest())
    try {
      return await Promise.race([looked, late])
    } finally {
      clearTimeout(timer)
    }
  }

  async close(): Promise<void> {
    clearTimeout(this.#idle)
    await this.#side.close()
  }

  #rest(): void {
    this.#asked -= 1
    if (this.#asked === 0) this.#idle = setTimeout(() => void this.#side.close(), IDLE_MS).unref()
  }

  async #look(client: Client, commands: readonly HeldCommand[], asking: Asking, giveUpAt: number): Promise<Blast> {
    if (performance.now() > giveUpAt) return unknownBlast(LATE)
    const version = await this.#prepare(client)
    const look = new Look(client, asking, giveUpAt, version, this.#classOf)
    return look.at(commands)
  }

  async #prepare(client: Client): Promise<number> {
    if (this.#prepared?.client === client) return this.#prepared.version
    await client.query(
      `SET default_transaction_read_only = on; SET jit = off; SET search_path = pg_catalog;
       SET lock_timeout = ${LOCK_MS}; SET statement_timeout = ${STATEMENT_MS}`,
    )
    const { rows } = await client.query<{ version: number }>(
      "SELECT pg_catalog.current_setting('server_version_num')::int AS version",
    )
    const version = rows[0]?.version ?? 0
    this.#prepared = { client, version }
    return version
  }
}

interface Asking {
  readonly session: SessionView
  readonly inTransaction: boolean
}

const LATE = 'what it reaches: it could not be found out in time'

/** One look at what one text would reach. */
class Look {
  readonly #client: Client
  readonly #session: SessionView
  readonly #inTransaction: boolean
  readonly #giveUpAt: number
  readonly #version: number
  readonly #classOf: ClassOf
  readonly #hits = new Hits()
  readonly #rows = new Map<string, { rows: number; exact: boolean }>()
  readonly #dependents: Dependent[] = []
  #sample: BlastSample | undefined

  constructor(client: Client, { session, inTransaction }: Asking, giveUpAt: number, version: number, classOf: ClassOf) {
    this.#client = client
    this.#session = session
    this.#inTransaction = inTransaction
    this.#giveUpAt = giveUpAt
    this.#version = version
    this.#classOf = classOf
  }

  async at(commands: readonly HeldCommand[]): Promise<Blast> {
    const near = await this.#surroundings()
    const acts = commands.flatMap(({ reach }) => reach.acts)
    const details = await this.#details(acts, near)
    const { searchPath, changedSchema } = this.#session
    const spreading: Spreading = { near, details, searchPath, hits: this.#hits }
    if (changedSchema) this.#hits.unknown('what the open transaction has changed in the schema')
    if (this.#inTransaction && acts.some(({ kind }) => WITH_ROWS.has(kind))) {
      this.#hits.unknown('rows that the open transaction has written')
    }
    for (const command of commands) await this.#command(command, spreading)
    const hits = this.#hits.all(near)
    await this.#wholeTables(hits, near)
    const { unknown, stops } = this.#hits.reasons
    return blastOf({
      hits,
      near,
      rows: this.#rows,
      bytes: await this.#sizes(hits, near),
      dependents: this.#dependents,
      stops,
      unknown,
      sample: this.#sample,
    })
  }

  async #command(command: HeldCommand, spreading: Spreading): Promise<void> {
    const { reach, facts } = command
    for (const what of reach.unknown) this.#hits.unknown(what)
    for (const act of reach.acts) {
      if (this.#isTemporary(act)) this.#hits.unknown('what is in temporary tables of the session')
      else await this.#act(act, command, spreading)
    }
    this.#behind(facts, spreading)
  }

  async #act(act: Act, command: HeldCommand, spreading: Spreading): Promise<void> {
    switch (act.kind) {
      case 'lock':
        return spreadLock(act, spreading)
      case 'alter':
        spreadAlter(act, spreading)
        return this.#alteredAway(act, spreading)
      case 'truncate':
        return spreadTruncate(act, spreading)
      case 'drop':
        return this.#drop(act, spreading)
      case 'rows':
        return this.#change(act, command, spreading)
    }
  }

  // -- the catalogue --------------------------------------------------------------------------------------------------

  async #surroundings(): Promise<Surroundings> {
    const relations = await this.#ask(NEAR_RELATIONS)
    const children = await this.#ask(NEAR_CHILDREN)
    return readSurroundings(relations, children, await this.#ask(nearForeignKeys(this.#version)))
  }

  async #details(acts: readonly Act[], near: Surroundings): Promise<Details> {
    const alters = acts.filter((act) => act.kind === 'alter')
    if (alters.length === 0) return NO_DETAILS
    const { functions, operators } = callsIn(alters)
    const named = alters.flatMap(({ relation }) => findRelation(near, relation, this.#session.searchPath) ?? [])
    const oids = [...new Set(named.flatMap(({ oid }) => [oid, ...(near.children.get(oid) ?? [])]))]
    const columns = await this.#ask(DETAIL_COLUMNS, [oids])
    const numbers = await this.#withPath(() => this.#ask(TYPE_NUMBERS, [typesIn(alters)]))
    const types = await this.#ask(DETAIL_TYPES, [
      numbers.map((row) => row['text']),
      numbers.map((row) => row['type'] ?? 0),
    ])
    const coercions = await this.#ask(DETAIL_COERCIONS)
    return readDetails(columns, types, coercions, await this.#ask(DETAIL_VOLATILE, [functions, operators]))
  }

  // -- rows -----------------------------------------------------------------------------------------------------------

  async #change(act: RowsAct, { facts, mayCount, bound }: HeldCommand, spreading: Spreading): Promise<void> {
    const plan = planRows(act, spreading, COUNT_LIMIT)
    if (!plan) return
    const mayRun = mayCount && facts.countable && (plan.parameters.length === 0 || bound !== undefined)
    const counted = mayRun && plan.sql !== undefined ? await this.#count(plan.sql, plan.parameters, bound) : undefined
    const hidden = hiddenIn(plan, spreading.near)
    for (const { schema, name } of hidden)
      this.#hits.unknown(`rows of ${schema}.${name} that row security hides from the node`)
    if (counted) this.#counted(plan, { ...counted, exact: counted.exact && hidden.length === 0 }, spreading.near)
    else this.#guessed(plan, spreading.near)
    if (act.rows && mayRun && !this.#sample) {
      const { before, after, alias, parameters } = act.rows
      const text = (columns: string) => `${before}SELECT ${columns}${after} LIMIT ${SAMPLE_ROWS}`
      this.#sample = await this.#sampleOf(plan.target, alias, text, parameters, bound)
    }
  }

  #counted(plan: CascadePlan, { numbers, exact }: Counted, { relations }: Surroundings): void {
    const [own = 0, ...others] = numbers
    const whole = exact && others.every((rows) => rows < COUNT_LIMIT) && own < COUNT_LIMIT
    this.#rowsOf(plan.target.oid, plan.effect, own, exact && plan.exact && own < COUNT_LIMIT)
    for (const [index, level] of plan.levels.entries()) {
      this.#rowsOf(level.relation, level.effect, others[index] ?? 0, whole && level.exact)
    }
    for (const [index, { relation, key, counted }] of plan.guards.entries()) {
      const child = relations.get(relation)
      const name = child ? `${child.schema}.${child.name}` : ''
      const rows = others[plan.levels.length + index] ?? 0
      if (!counted) this.#hits.unknown(`rows of ${name} that stand in its way (foreign key ${key})`)
      // Of a new value of the key nobody knows whether it is another one.
      else if (rows > 0 && plan.effect === 'deletes') {
        this.#hits.stops(`rows of ${name} refer to what is deleted (foreign key ${key})`)
      }
    }
  }

  /** By the planner's statistics of whole tables: more than that there is not. */
  #guessed({ target, effect, levels }: CascadePlan, { relations }: Surroundings): void {
    if (effect !== 'inserts') this.#hits.unknown('how many rows it changes: they could not be counted before it runs')
    for (const { relation, effect: how } of levels) {
      const rows = relations.get(relation)?.rows
      if (rows !== undefined) this.#rowsOf(relation, how, rows, false)
    }
    const rows = target.rows
    if (rows !== undefined && effect !== 'inserts') this.#rowsOf(target.oid, effect, rows, false)
  }

  #rowsOf(oid: number, effect: Hit['effect'], rows: number, exact: boolean): void {
    const key = keyOfHit({ oid, effect })
    const known = this.#rows.get(key)
    this.#rows.set(key, known ? { rows: known.rows + rows, exact: known.exact && exact } : { rows, exact })
  }

  /** Exactly, or by the planner's word when that takes too long; undefined when it cannot be told at all. */
  async #count(
    sql: string,
    parameters: readonly number[],
    bound: BoundParameters | undefined,
  ): Promise<Counted | undefined> {
    const rows = await this.#asClient((client) => rowsWith(client, sql, parameters, bound))
    const [row] = rows ?? []
    if (row) return { numbers: row.map(Number), exact: true }
    const explained = await this.#asClient((client) =>
      rowsWith(client, `EXPLAIN (FORMAT JSON) ${sql}`, parameters, bound),
    )
    const numbers = estimatesIn(explained?.map(([line]) => line ?? '').join('\n'))
    return numbers && { numbers, exact: false }
  }

  // -- what is dropped ------------------------------------------------------------------------------------------------

  async #drop({ objects, cascade, concurrently }: DropAct, spreading: Spreading): Promise<void> {
    const { near, hits } = spreading
    const roots: Address[] = []
    for (const object of objects) {
      const address = await this.#address(object, near)
      if (address) roots.push(address)
      else hits.unknown(`what depends on ${object.type} ${object.names.join('.')}: it is not seen from here`)
    }
    await this.#gone(roots, cascade, concurrently ? 'SHARE UPDATE EXCLUSIVE' : 'ACCESS EXCLUSIVE', spreading)
  }

  async #alteredAway({ relation, parts }: AlterAct, spreading: Spreading): Promise<void> {
    const { near, details } = spreading
    const table = findRelation(near, relation, this.#session.searchPath)
    if (!table) return
    for (const { subtype, name, cascade = false } of parts) {
      const column = details.columns.get(table.oid)?.find((each) => each.name === name)
      const [row] =
        subtype === 'AT_DropColumn' && column
          ? await this.#ask(RELATION_ADDRESS_QUERY, [table.oid, column.number])
          : subtype === 'AT_DropConstraint'
            ? await this.#ask(CONSTRAINT_QUERY, [table.oid, name])
            : []
      if (row) await this.#gone([readAddress(row)], cascade, 'ACCESS EXCLUSIVE', spreading)
    }
  }

  async #gone(
    roots: readonly Address[],
    cascade: boolean,
    lock: 'ACCESS EXCLUSIVE' | 'SHARE UPDATE EXCLUSIVE',
    spreading: Spreading,
  ): Promise<void> {
    if (roots.length === 0) return
    const rows = await this.#ask(GONE_QUERY, [
      roots.map(({ classId }) => classId),
      roots.map(({ objectId }) => objectId),
      roots.map(({ part }) => part),
    ])
    if (rows.length >= GONE_MAX) this.#hits.unknown(`what depends on it beyond ${GONE_MAX} objects`)
    const gone = readGone(rows)
    spreadGone(gone, cascade, lock, spreading)
    this.#dependents.push(...dependentsOf(gone).filter((each) => cascade || !each.cascade))
  }

  async #address(object: DroppedObject, near: Surroundings): Promise<Address | undefined> {
    const { type, names, args, relation } = object
    const { searchPath } = this.#session
    const [schema, name] = names.length > 1 ? names.slice(-2) : [undefined, names.at(-1)]
    const own = RELATIONS.has(type)
      ? findRelation(near, { ...(schema !== undefined && { schema }), name: name ?? '' }, searchPath)
      : undefined
    if (RELATIONS.has(type)) {
      return own && this.#addressBy(RELATION_ADDRESS_QUERY, [own.oid, 0])
    }
    if (relation) {
      const on = findRelation(near, relation, searchPath)
      return on && this.#addressBy(ADDRESS_QUERY, [type, [on.schema, on.name, names.at(-1)], []])
    }
    if (ROUTINES.has(type) && args === undefined)
      return this.#addressBy(ROUTINE_QUERY, [names.map(identifier).join('.')])
    return this.#addressBy(ADDRESS_QUERY, [type, names, args ?? []])
  }

  async #addressBy(query: string, values: readonly unknown[]): Promise<Address | undefined> {
    const [row] = await this.#withPath(() => this.#ask(query, values)).catch(() => [])
    return row && readAddress(row)
  }

  // -- code behind it -------------------------------------------------------------------------------------------------

  #behind({ uses, actions }: Facts, { near, searchPath, hits }: Spreading): void {
    if (actions.includes('unknown')) hits.unknown('what code behind it does')
    for (const { action, object, through, deferred, temporary } of uses) {
      const effect = EFFECTS[action]
      const isBehind = through === 'function' || through === 'trigger' || through === 'rule'
      if (!effect || !isBehind || deferred || temporary || object.kind !== 'relation') continue
      const relation = findRelation(near, object, searchPath)
      if (!relation) continue
      hits.add({ oid: relation.oid, effect, through: `a ${through}` })
      hits.unknown(`how many rows of ${nameText(object)} a ${through} changes`)
    }
  }

  // -- whole tables ---------------------------------------------------------------------------------------------------

  async #wholeTables(hits: readonly Hit[], { relations }: Surroundings): Promise<void> {
    const emptied = hits.flatMap((hit) => {
      const relation = relations.get(hit.oid)
      const isEmptied = hit.effect === 'truncates' || hit.effect === 'drops'
      return isEmptied && relation && (relation.kind === 'r' || relation.kind === 'm') ? [{ hit, relation }] : []
    })
    for (const [index, { hit, relation }] of emptied.entries()) {
      const sql = `SELECT pg_catalog.count(*) FROM (SELECT FROM ONLY ${nameIn(relation)} LIMIT ${COUNT_LIMIT}) c`
      const counted =
        index < TABLES_COUNTED_MAX ? await this.#asClient((client) => rowsWith(client, sql, [], undefined)) : []
      const rows = counted?.[0]?.[0]
      if (relation.hidesRows) {
        this.#hits.unknown(`rows of ${relation.schema}.${relation.name} that row security hides from the node`)
      }
      if (rows !== undefined) {
        this.#rowsOf(hit.oid, hit.effect, Number(rows), Number(rows) < COUNT_LIMIT && !relation.hidesRows)
      } else if (relation.rows !== undefined) this.#rowsOf(hit.oid, hit.effect, relation.rows, false)
      else this.#hits.unknown(`how many rows are in ${relation.schema}.${relation.name}`)
    }
    const [first] = emptied
    if (!first || this.#sample || first.relation.kind !== 'r') return
    const text = (columns: string) => `SELECT ${columns} FROM ONLY ${nameIn(first.relation)} "t" LIMIT ${SAMPLE_ROWS}`
    this.#sample = await this.#sampleOf(first.relation, 't', text, [], undefined)
  }

  async #sizes(hits: readonly Hit[], { relations }: Surroundings): Promise<ReadonlyMap<number, number>> {
    const oids = [...new Set(hits.filter(isWeighed).map(({ oid }) => oid))].slice(0, SIZES_MAX)
    if (oids.length === 0) return new Map()
    const sizes = await this.#ask(SIZES_QUERY, [oids]).catch(() => undefined)
    if (sizes) return new Map(sizes.map((row) => [Number(row['oid']), Number(row['bytes'])]))
    // One of them is locked: then what the statistics say of each, without its indexes.
    return new Map(oids.map((oid) => [oid, (relations.get(oid)?.pages ?? 0) * PAGE_BYTES]))
  }

  async #sampleOf(
    relation: NearRelation,
    alias: string,
    text: (columns: string) => string,
    parameters: readonly number[],
    bound: BoundParameters | undefined,
  ): Promise<BlastSample | undefined> {
    if (relation.kind !== 'r' && relation.kind !== 'p') return undefined
    const read = (sql: string) => this.#asClient((client) => rowsWith(client, sql, parameters, bound))
    const columns = (await this.#ask(COLUMN_NAMES_QUERY, [relation.oid])).map((row) => String(row['name']))
    return maskedRows(relation, columns, alias, this.#classOf, (list) => read(text(list)))
  }

  // -- asking ---------------------------------------------------------------------------------------------------------

  /** A temporary table hides one that lasts. */
  #isTemporary(act: Act): boolean {
    const names = new Set(this.#session.temporary.map(([name]) => name))
    return spokenOf(act).some(({ schema, name }) =>
      schema === undefined ? names.has(name) : schema.startsWith('pg_temp'),
    )
  }

  async #ask(sql: string, values: readonly unknown[] = []): Promise<readonly Row[]> {
    if (performance.now() > this.#giveUpAt) throw new Error('it took too long')
    return (await this.#client.query<Row>(sql, [...values])).rows
  }

  /** Names without a schema mean here what they mean to the client. */
  async #withPath<T>(work: () => Promise<T>): Promise<T> {
    await this.#client.query(`SET search_path = ${pathOf(this.#session)}`)
    try {
      return await work()
    } finally {
      await this.#client.query('SET search_path = pg_catalog')
    }
  }

  /** What is made of the client's own words runs READ ONLY, and for as long as there is time. */
  async #asClient<T>(work: (client: Client) => Promise<T>): Promise<T | undefined> {
    const leftMs = Math.floor(Math.min(STATEMENT_MS, this.#giveUpAt - performance.now()))
    if (leftMs <= 0) return undefined
    const client = this.#client
    await client.query(
      `BEGIN READ ONLY; SET LOCAL statement_timeout = ${leftMs}; SET LOCAL search_path = ${pathOf(this.#session)}`,
    )
    try {
      return await work(client)
    } finally {
      await client.query('ROLLBACK')
    }
  }
}

/** Row security applies to the node's own role: there may be more rows than it sees. */
const hiddenIn = ({ target, levels, guards }: CascadePlan, { relations }: Surroundings): readonly NearRelation[] =>
  [...new Set([target.oid, ...levels.map(({ relation }) => relation), ...guards.map(({ relation }) => relation)])]
    .flatMap((oid) => relations.get(oid) ?? [])
    .filter(({ hidesRows }) => hidesRows)

/** Names that the session's own tables may have as well. */
const spokenOf = (act: Act): readonly { readonly schema?: string; readonly name: string }[] => {
  if (act.kind === 'truncate') return act.targets.map(({ relation }) => relation)
  if (act.kind !== 'drop') return [act.relation]
  return act.objects
    .filter(({ type, relation }) => RELATIONS.has(type) || relation)
    .map(({ names, relation }) => {
      const [schema, name = ''] = names.length > 1 ? names.slice(-2) : [undefined, names[0]]
      return relation ?? { name, ...(schema !== undefined && { schema }) }
    })
}

interface Counted {
  readonly numbers: readonly number[]
  readonly exact: boolean
}

const EFFECTS: Partial<Record<Facts['actions'][number], Hit['effect']>> = {
  write: 'updates',
  delete: 'deletes',
  truncate: 'truncates',
  drop: 'drops',
  alter: 'alters',
}

const RELATIONS = new Set(['table', 'view', 'materialized view', 'index', 'sequence', 'foreign table'])
const ROUTINES = new Set(['function', 'procedure', 'routine', 'aggregate'])

const WITH_ROWS: ReadonlySet<Act['kind']> = new Set(['rows', 'truncate', 'drop'])

const PAGE_BYTES = 8_192

const SIZES_QUERY = `
  SELECT oid::int8 AS oid, pg_catalog.pg_total_relation_size(oid) AS bytes FROM pg_catalog.unnest($1::oid[]) AS o (oid)`

const COLUMN_NAMES_QUERY = `
  SELECT a.attname AS name FROM pg_catalog.pg_attribute a
   WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`

const isWeighed = ({ effect, rewrites, scans }: Hit): boolean =>
  rewrites === true || scans === true || ['truncates', 'drops', 'rebuilds', 'alters'].includes(effect)

const nameIn = ({ schema, name }: NearRelation): string => `${identifier(schema)}.${identifier(name)}`

const pathOf = ({ searchPath }: SessionView): string => searchPath.map(identifier).join(', ') || "''"

/** What the planner expects of each level of the count, in order: the plans of the query's common table expressions. */
const estimatesIn = (explained: string | undefined): readonly number[] | undefined => {
  if (!explained) return undefined
  const found = new Map<number, number>()
  const waiting: unknown[] = [JSON.parse(explained)]
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (typeof next !== 'object' || next === null) continue
    const plan = next as Readonly<Record<string, unknown>>
    const level = /^CTE #level (\d+)$/.exec(String(plan['Subplan Name'] ?? ''))?.[1]
    if (level !== undefined) found.set(Number(level), Number(plan['Plan Rows']))
    waiting.push(...Object.values(plan))
  }
  return found.size === 0
    ? undefined
    : Array.from({ length: Math.max(...found.keys()) + 1 }, (_, at) => found.get(at) ?? 0)
}
