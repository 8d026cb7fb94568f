import { identifier } from './identifier.ts'
import type { Effect } from './hits.ts'
import type { RowsAct } from './reach.ts'
import { below, found, type Spreading } from './spread.ts'
import {
  ancestorsOf,
  descendantsOf,
  type NearForeignKey,
  type NearRelation,
  type Surroundings,
} from './surroundings.ts'

/*
 * What foreign keys carry on when rows are deleted or get another key, and one query that counts all of it: each level
 * from the one before it, by the very condition of the statement.
 */

/** Rows of one relation that go, or are written, because of others. */
interface Level {
  readonly relation: number
  readonly effect: 'deletes' | 'updates'
  /** Columns that are written. */
  readonly columns: Set<string>
  readonly edges: Edge[]
}

interface Edge {
  readonly key: NearForeignKey
  /** The level that its parents' rows are in; undefined for the rows that the statement itself changes. */
  readonly from: Level | undefined
}

/** A key that refers to rows that would go, and forbids it. */
interface Guard extends Edge {
  readonly child: NearRelation
}

export interface CascadePlan {
  readonly target: NearRelation
  readonly effect: Effect
  /** Of the statement itself first; then each level. Undefined: rows cannot be counted. */
  readonly sql: string | undefined
  readonly parameters: readonly number[]
  readonly levels: readonly PlannedLevel[]
  readonly guards: readonly PlannedGuard[]
  readonly exact: boolean
}

export interface PlannedLevel {
  readonly relation: number
  readonly effect: 'deletes' | 'updates'
  readonly through: string
  /** Otherwise at most as many as are counted. */
  readonly exact: boolean
}

export interface PlannedGuard {
  readonly relation: number
  readonly key: string
  /** Its rows are counted. */
  readonly counted: boolean
}

const LEVELS_MAX = 50

/** Reaches what it reaches into `hits`, and says how to count it. */
export const planRows = (act: RowsAct, spreading: Spreading, limit: number): CascadePlan | undefined => {
  const target = found(act, spreading)
  if (!target) return undefined
  const effect = EFFECTS[act.change]
  hitTarget(act, target, effect, spreading)
  const walk = new Walk(act, target, spreading.near)
  walk.run()
  for (const level of walk.levels) hitLevel(level, spreading)
  if (walk.levels.length >= LEVELS_MAX) spreading.hits.unknown('what foreign keys carry on beyond fifty tables')
  for (const cycle of walk.cycles)
    spreading.hits.unknown(`rows that go through the circle of foreign keys that ${cycle} closes`)
  return composed(act, target, effect, walk, spreading.near, limit)
}

const EFFECTS: Readonly<Record<RowsAct['change'], Effect>> = {
  insert: 'inserts',
  update: 'updates',
  delete: 'deletes',
  merge: 'merges',
}

const hitTarget = ({ only }: RowsAct, target: NearRelation, effect: Effect, { near, hits }: Spreading): void => {
  hits.add({ oid: target.oid, effect, lock: 'ROW EXCLUSIVE' })
  if (only) return
  for (const oid of descendantsOf(near, target.oid)) {
    const relation = near.relations.get(oid)
    if (relation) hits.add({ oid, effect, lock: 'ROW EXCLUSIVE', through: below(relation, target) })
  }
}

const hitLevel = (level: Level, { near, hits }: Spreading): void => {
  const through = throughOf(level)
  for (const oid of [
    level.relation,
    ...(isPartitioned(level.relation, near) ? descendantsOf(near, level.relation) : []),
  ]) {
    hits.add({ oid, effect: level.effect, lock: 'ROW EXCLUSIVE', through })
  }
}

const throughOf = ({ edges }: Level): string =>
  `foreign key ${[...new Set(edges.map(({ key }) => key.name))].join(', ')}`

const isPartitioned = (oid: number, { relations }: Surroundings): boolean => relations.get(oid)?.kind === 'p'

// -- the walk along foreign keys -----------------------------------------------------------------------------------

class Walk {
  readonly levels: Level[] = []
  readonly guards: Guard[] = []
  readonly cycles: string[] = []
  readonly #act: RowsAct
  readonly #target: NearRelation
  readonly #near: Surroundings

  constructor(act: RowsAct, target: NearRelation, near: Surroundings) {
    this.#act = act
    this.#target = target
    this.#near = near
  }

  run(): void {
    const { change, sets } = this.#act
    if (change === 'insert') return
    const below = this.#act.only ? [] : descendantsOf(this.#near, this.#target.oid)
    const places = [this.#target.oid, ...below]
    if (change !== 'update') this.#follow(places, 'deletes', undefined, undefined)
    if (change !== 'delete') this.#follow(places, 'updates', sets && new Set(sets), undefined)
    // Levels that are found on the way are followed in turn.
    for (const level of this.levels) {
      const inside = isPartitioned(level.relation, this.#near) ? descendantsOf(this.#near, level.relation) : []
      this.#follow([level.relation, ...inside], level.effect, level.columns, level)
    }
  }

  /** `columns`: those that are written; undefined when any may be. */
  #follow(
    places: readonly number[],
    effect: Level['effect'],
    columns: ReadonlySet<string> | undefined,
    from: Level | undefined,
  ): void {
    const parents = new Set(places.flatMap((oid) => this.#placesOf(oid)))
    for (const key of this.#near.foreignKeys) {
      if (!parents.has(key.parent)) continue
      const touched = effect === 'deletes' || !columns || key.parentColumns.some((column) => columns.has(column))
      if (touched) this.#carry(key, effect === 'deletes' ? key.onDelete : key.onUpdate, effect, from)
    }
  }

  #placesOf(oid: number): readonly number[] {
    return this.#near.relations.get(oid)?.isPartition ? [oid, ...ancestorsOf(this.#near, oid)] : [oid]
  }

  #carry(key: NearForeignKey, action: string, effect: Level['effect'], from: Level | undefined): void {
    const child = this.#near.relations.get(key.child)
    if (!child) return
    if (action === 'a' || action === 'r') {
      this.guards.push({ key, from, child })
      return
    }
    const goes = action === 'c' && effect === 'deletes'
    const set = action === 'c' || effect === 'updates' ? key.childColumns : key.setColumns
    this.#reach(key, goes ? 'deletes' : 'updates', goes ? [] : set, from)
  }

  #reach(key: NearForeignKey, effect: Level['effect'], columns: readonly string[], from: Level | undefined): void {
    const known = this.levels.find((level) => level.relation === key.child && level.effect === effect)
    if (!known) {
      if (this.levels.length >= LEVELS_MAX) return
      this.levels.push({ relation: key.child, effect, columns: new Set(columns), edges: [{ key, from }] })
      return
    }
    for (const column of columns) known.columns.add(column)
    if (known.edges.some((edge) => edge.key === key && edge.from === from)) return
    // Of a level that is there already: its own rows come from itself, or from one that comes from it.
    if (from && from !== known && comesFrom(from, known)) this.cycles.push(key.name)
    else known.edges.push({ key, from })
  }
}

const comesFrom = (level: Level, origin: Level, seen = new Set<Level>()): boolean => {
  if (level === origin) return true
  if (seen.has(level)) return false
  seen.add(level)
  return level.edges.some(({ from }) => from !== undefined && comesFrom(from, origin, seen))
}

// -- the query -----------------------------------------------------------------------------------------------------

const composed = (
  act: RowsAct,
  target: NearRelation,
  effect: Effect,
  walk: Walk,
  near: Surroundings,
  limit: number,
): CascadePlan => {
  const { rows } = act
  const levels = inOrder(walk.levels)
  const planned = levels.map((level) => ({
    relation: level.relation,
    effect: level.effect,
    through: throughOf(level),
    exact: isExact(level, act) && walk.cycles.length === 0,
  }))
  const countable = walk.guards.map(({ key }) => !key.temporal)
  const guards = walk.guards.map(({ key, child }, index) => ({
    relation: child.oid,
    key: key.name,
    counted: countable[index] ?? false,
  }))
  const base = { target, effect, levels: planned, guards, exact: rows?.exact ?? false }
  if (!rows || act.change === 'insert') return { ...base, sql: undefined, parameters: [] }
  const query = new Query(levels, walk.guards, near, target, limit)
  return { ...base, sql: query.text(rows), parameters: rows.parameters }
}

/** Of a key that gets another value nobody knows before whether it is another one. */
const isExact = (level: Level, { change, rows }: RowsAct): boolean =>
  change === 'delete' && rows?.exact === true && goesBack(level, new Set())

const goesBack = (level: Level, seen: Set<Level>): boolean => {
  if (seen.has(level)) return true
  seen.add(level)
  return level.edges.every(({ from }) => !from || from === level || (from.effect === 'deletes' && goesBack(from, seen)))
}

/** Each behind those that its rows come from. */
const inOrder = (levels: readonly Level[]): readonly Level[] => {
  const placed: Level[] = []
  const place = (level: Level) => {
    if (placed.includes(level)) return
    for (const { from } of level.edges) if (from && from !== level) place(from)
    placed.push(level)
  }
  for (const level of levels) place(level)
  return placed
}

class Query {
  readonly #levels: readonly Level[]
  readonly #guards: readonly Guard[]
  readonly #near: Surroundings
  readonly #target: NearRelation
  readonly #limit: number

  constructor(
    levels: readonly Level[],
    guards: readonly Guard[],
    near: Surroundings,
    target: NearRelation,
    limit: number,
  ) {
    this.#levels = levels
    this.#guards = guards
    this.#near = near
    this.#target = target
    this.#limit = limit
  }

  /** One row: how many rows the statement changes, how many each level, and how many rows stand in its way. */
  text(rows: NonNullable<RowsAct['rows']>): string {
    const first = `${rows.before}SELECT ${this.#columns(undefined, rows.alias)}${rows.after} LIMIT ${this.#limit}`
    const recursive = this.#levels.some((level) => level.edges.some(({ from }) => from === level))
    const withs = [
      `${nameOf(undefined, this.#levels)} AS MATERIALIZED (${first})`,
      ...this.#levels.map((level) => `${nameOf(level, this.#levels)} AS ${this.#level(level)}`),
    ]
    const counts = [
      `(SELECT pg_catalog.count(*) FROM ${nameOf(undefined, this.#levels)})`,
      ...this.#levels.map((level) => this.#count(level)),
      ...this.#guards.map((guard) => (guard.key.temporal ? 'NULL' : this.#stopping(guard))),
    ]
    return `WITH ${recursive ? 'RECURSIVE ' : ''}${withs.join(', ')} SELECT ${counts.join(', ')}`
  }

  /** Rows that the statement itself names are not counted once more; those that go need not be written first. */
  #count(level: Level): string {
    const name = nameOf(level, this.#levels)
    const going = this.#levels.find(({ relation, effect }) => relation === level.relation && effect === 'deletes')
    const except = level.effect === 'updates' && going ? [going] : []
    const isOwn =
      level.relation === this.#target.oid || descendantsOf(this.#near, this.#target.oid).includes(level.relation)
    const others = [...except, ...(isOwn ? [undefined] : [])]
      .map((other) => nameOf(other, this.#levels))
      .map((other) => `NOT EXISTS (SELECT FROM ${other} o WHERE ${SAME_ROW} l."#row")`)
    const where = others.length > 0 ? ` WHERE ${others.join(' AND ')}` : ''
    return `(SELECT pg_catalog.count(*) FROM ${name} l${where})`
  }

  #level(level: Level): string {
    const others = level.edges.filter(({ from }) => from !== level)
    const own = level.edges.filter(({ from }) => from === level)
    const base = others.map((edge) => this.#rowsBy(edge, level)).join(' UNION ')
    if (own.length === 0) return `MATERIALIZED (SELECT * FROM (${base}) l LIMIT ${this.#limit})`
    const joined = `SELECT ${this.#columns(level, 'c')} FROM ${this.#table(level.relation)} c JOIN ${nameOf(level, this.#levels)} p ON ${own.map(({ key }) => `(${matches(key)})`).join(' OR ')}`
    return `(${base} UNION ${joined})`
  }

  #rowsBy({ key, from }: Edge, level: Level): string {
    return (
      `SELECT ${this.#columns(level, 'c')} FROM ${this.#table(level.relation)} c WHERE EXISTS ` +
      `(SELECT FROM ${nameOf(from, this.#levels)} p WHERE ${this.#within(key, from)}${matches(key)})`
    )
  }

  /** Rows of a key that forbids it, but for those that go as well. */
  #stopping({ key, from, child }: Guard): string {
    const going = this.#levels.filter(({ relation, effect }) => relation === child.oid && effect === 'deletes')
    const names = [...(child.oid === this.#target.oid ? [undefined] : []), ...going].map((level) =>
      nameOf(level, this.#levels),
    )
    const except = names.map(
      (name) =>
        ` AND NOT EXISTS (SELECT FROM ${name} o WHERE o."#table" OPERATOR(pg_catalog.=) c.tableoid AND o."#row" OPERATOR(pg_catalog.=) c.ctid)`,
    )
    return (
      `(SELECT pg_catalog.count(*) FROM (SELECT FROM ${this.#table(child.oid)} c WHERE EXISTS ` +
      `(SELECT FROM ${nameOf(from, this.#levels)} p WHERE ${this.#within(key, from)}${matches(key)})${except.join('')} LIMIT ${this.#limit}) s)`
    )
  }

  /** A key that refers to one of several tables has nothing to do with the rows of the others. */
  #within({ parent }: NearForeignKey, from: Level | undefined): string {
    const place = from?.relation ?? this.#target.oid
    if (parent === place || isPartitioned(parent, this.#near)) return ''
    return `p."#table" OPERATOR(pg_catalog.=) ${parent}::pg_catalog.oid AND `
  }

  /** Each row's place, and the columns that keys refer to. */
  #columns(level: Level | undefined, alias: string): string {
    const used = [...this.#levels.flatMap(({ edges }) => edges), ...this.#guards]
      .filter(({ from }) => from === level)
      .flatMap(({ key }) => key.parentColumns)
    const of = identifier(alias)
    const columns = [...new Set(used)].map((column) => `${of}.${identifier(column)}`)
    return [`${of}.tableoid AS "#table"`, `${of}.ctid AS "#row"`, ...columns].join(', ')
  }

  /** As the server's own queries do it: of a table that others inherit from, its own rows alone. */
  #table(oid: number): string {
    const relation = this.#near.relations.get(oid)
    const name = relation ? `${identifier(relation.schema)}.${identifier(relation.name)}` : '""'
    return relation?.kind === 'p' ? name : `ONLY ${name}`
  }
}

const SAME_ROW = 'o."#table" OPERATOR(pg_catalog.=) l."#table" AND o."#row" OPERATOR(pg_catalog.=)'

const nameOf = (level: Level | undefined, levels: readonly Level[]): string =>
  `"#level ${level ? levels.indexOf(level) + 1 : 0}"`

const matches = ({ childColumns, parentColumns, operators }: NearForeignKey): string =>
  childColumns
    .map((column, index) => {
      const parent = identifier(parentColumns[index] ?? '')
      return `p.${parent} ${operators[index] ?? 'OPERATOR(pg_catalog.=)'} c.${identifier(column)}`
    })
    .join(' AND ')
