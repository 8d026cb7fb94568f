import { effect, type Action, type Name, type SqlObject } from '../action.ts'
import type { BodyStatement, Command, RoutineBody } from '../command.ts'
import { danger, type Danger } from '../danger.ts'
import { dangerOfFunction } from '../dangerous-functions.ts'
import { dangerOfRelation } from '../dangerous-relations.ts'
import type { Through, Use, UseChange } from '../facts.ts'
import { changesNaming } from '../settings.ts'
import { analyse, type Analysis, type Write } from './analyse.ts'
import {
  ruleActions,
  type AttachedCode,
  type Catalogue,
  type CatalogueFunction,
  type CatalogueRule,
} from './catalogue.ts'
import { isHarmless, isSetConfig, isTrustedCode } from './harmless.ts'
import {
  isSystem,
  isTemporaryName,
  objectOf,
  possible,
  type CodePath,
  type Resolved,
  type SessionNames,
} from './session-names.ts'

export type RelationEvent = 'read' | 'insert' | 'update' | 'delete' | 'truncate' | 'maintain'

/** Columns of a relation that code speaks of. */
export interface CodeColumns {
  readonly resolved: Resolved
  /** Undefined: any. */
  readonly columns: readonly string[] | undefined
}

/**
 * Everything that code behind a statement does: functions and what they call, triggers, checks, policies, rules, and
 * what foreign keys take along. Each function and each event of a relation is visited once, so it ends.
 */
export class Reach {
  readonly uses: Use[] = []
  readonly dangers: Danger[] = []
  /** Relations whose rows the code looks at, and by which names it can mean their columns. */
  readonly reads: CodeColumns[] = []
  readonly writes: CodeColumns[] = []
  /** Nothing that was visited can change anything, as far as it can be read. */
  harmless = true
  /** Nor has anything been believed that cannot be read: compiled code of an extension, another server. */
  proven = true
  /** Code names something that the catalogue does not have: it may have come since, and be anything. */
  unresolved = false
  /** What the code may do to the session in which it runs. */
  readonly behind = { names: false, handles: false }

  private readonly catalogue: Catalogue
  private readonly session: SessionNames
  private readonly visited = new Set<string>()
  /** Where the code that is looked at now looks for names. */
  private path: CodePath = 'caller'
  /** Temporary tables that the code makes for itself. */
  private readonly made = new Set<string>()

  constructor(catalogue: Catalogue, session: SessionNames) {
    this.catalogue = catalogue
    this.session = session
  }

  /** Code that nobody has read to its end may do anything to the session. */
  private unread(): void {
    this.behind.names = true
    this.behind.handles = true
  }

  /** A function, by the server's number. */
  routine(oid: number, through: Through = 'function'): void {
    if (oid === 0 || this.hasVisited(`routine ${oid}`)) return
    const found = this.catalogue.functions.get(oid)
    if (!found) return this.unreadable(`function ${oid}`, through)
    const outside = this.path
    this.path = pathWithin(found, outside)
    this.visit(found, through)
    this.path = outside
  }

  /** A function, by the name that is written: every one that it may be. False when there is none. */
  routineByName(name: Name, through: Through = 'function'): boolean {
    const found = this.functionsNamed(name)
    for (const { oid } of found) this.routine(oid, through)
    return found.length > 0
  }

  /** Code that runs because a relation is used in this way. */
  event(relation: number, event: RelationEvent): void {
    if (this.hasVisited(`${event} ${relation}`)) return
    this.foreign(relation)
    for (const code of this.catalogue.attached.get(relation) ?? []) this.attached(code, event)
    if (event === 'delete' || event === 'update') this.cascade(relation, event)
    if (event === 'truncate') this.truncateCascade(relation)
    if (event === 'insert' || event === 'update') this.domainsOf(relation)
    for (const child of this.catalogue.children.get(relation) ?? []) this.event(child, event)
  }

  /** A block of code that runs now; what cannot be read of it is a danger of the command that holds it. */
  block({ statements, dynamic, unreadable, cursors }: RoutineBody): void {
    if (dynamic || unreadable) this.unread()
    if (cursors) this.behind.handles = true
    for (const statement of statements) this.statement(statement, 'function')
  }

  /** The query of a materialized view is run to fill it. */
  refreshed(relation: number): void {
    for (const rule of this.rulesOf(relation, 'select')) this.rule(rule, 'function')
  }

  /** The structure is changed: by a command of this kind, or by code, of which nobody says how. */
  structure(tag: string | undefined): void {
    for (const { function: called, tags } of this.catalogue.eventTriggers) {
      if (tag === undefined || !tags || tags.includes(tag)) this.routine(called, 'trigger')
    }
  }

  /** What a tree calls. `told`: how many settings that it sets are known by their names. */
  calls(
    { routines, settings, domains }: Pick<Analysis, 'routines' | 'settings' | 'domains'>,
    told = 0,
    through: Through = 'function',
  ): void {
    if (settings > told) this.behind.names = true
    for (const type of domains) this.type(type)
    for (const oid of routines) if (!isSetConfig(this.catalogue.functions.get(oid))) this.routine(oid, through)
    if (settings > 0) this.harmless = false
  }

  /** What a statement says by names alone: the body of a function, or a statement that the server did not analyse. */
  command(command: Command, through: Through, repeated: boolean): void {
    this.dangers.push(...command.dangers)
    for (const { object, temporary } of command.creates) if (temporary) this.made.add(object.name)
    for (const name of command.functions)
      if (!this.isSetting(name) && !this.routineByName(name, through)) this.unknownName()
    if (command.settings.some(changesNaming)) this.behind.names = true
    for (const name of command.attributes) this.attribute(name)
    for (const operator of command.operators) this.operator(operator)
    if (!WITHOUT_VALUES.has(command.node)) this.conversions(command.types)
    if (command.types.some((type) => isTemporaryName(type, this.session))) this.unknownName()
    for (const { action, object } of command.effects) {
      if (object.kind === 'relation' && (action === 'read' || action === 'copyOut'))
        this.readByName(object, through, command.columns)
      else if (!isChange(command, action, object)) this.note({ action, object, through })
    }
    for (const change of command.changes) this.changeByName(change, through, repeated, command.columns)
  }

  /** `set_config` is among the settings of its command. */
  private isSetting(name: Name): boolean {
    const found = this.functionsNamed(name)
    const isSetting = found.length > 0 && found.every(isSetConfig)
    if (isSetting) this.harmless = false
    return isSetting
  }

  private unknownName(): void {
    this.harmless = false
    this.unresolved = true
  }

  private visit(routine: CatalogueFunction, through: Through): void {
    if (routine.builtin && TAKES_TYPE_AS_TEXT.has(routine.name)) this.anyType()
    if (isHarmless(routine)) return
    const known = dangerOfFunction(routine.name, routine.arguments)
    if (isSetConfig(routine)) this.behind.names = true
    if (known?.code === 'sql-in-string') this.unread()
    const isForeign = !isTrustedCode(routine)
    // It belongs to the server, but it does more than compute, so it is told by its name.
    if (known && !isForeign) this.note({ ...called(routine), system: true, through })
    if (known && (!isForeign || routine.extension)) this.dangers.push(known)
    if (isForeign) this.note({ ...called(routine), through })
    for (const oid of routine.calls) this.routine(oid, through)
    for (const type of routine.types) this.type(type)
    if (!isForeign || known) this.harmless = false
    else if (routine.kind !== 'a') this.body(routine, through)
  }

  private body({ body, name, extension, volatility }: CatalogueFunction, through: Through): void {
    if (body && !body.unreadable) {
      if (body.dynamic) this.unknown(danger('dynamic-code', `${name}()`), through)
      if (body.cursors) this.behind.handles = true
      for (const statement of body.statements) this.statement(statement, through)
    } else if (!extension) {
      this.unreadable(`${name}()`, through)
    } else if (volatility !== 'volatile') {
      this.proven = false
    } else {
      this.harmless = false
      this.unread()
      this.dangers.push(danger('unreadable-code', `${name}() of the extension ${extension}`))
    }
  }

  private statement({ command, repeated }: BodyStatement, through: Through): void {
    if (command.readOnlyByText === 'never') this.harmless = false
    if (changesRelations(command)) this.behind.names = true
    if (changesHandles(command)) this.behind.handles = true
    if (command.inner) this.command(command.inner.command, through, repeated)
    this.command(command, through, repeated)
  }

  private unreadable(what: string, through: Through): void {
    this.unknown(danger('unreadable-code', what), through)
  }

  private unknown(why: Danger, through: Through): void {
    this.harmless = false
    this.unread()
    this.dangers.push(why)
    this.note({ ...effect('unknown', 'statement', { name: why.text }), through })
  }

  private attached({ kind, events, calls, types, relations }: AttachedCode, event: RelationEvent): void {
    if (kind === 'trigger' ? !firesOn(events, event) : !RUNS_ON[kind].includes(event)) return
    for (const oid of calls) this.routine(oid, kind === 'trigger' ? 'trigger' : 'function')
    for (const type of types) this.type(type)
    for (const oid of relations) this.readByNumber(oid, 'function', undefined)
  }

  /** Its values are made, or compared. */
  type(type: number): void {
    for (const { calls } of this.catalogue.domains.get(type) ?? []) this.routines(calls)
  }

  private anyType(): void {
    for (const type of this.catalogue.domains.keys()) this.type(type)
  }

  /** Nobody knows what another server does when it is asked; a file or a program is this one's own. */
  private foreign(relation: number): void {
    const { livesIn, name } = this.catalogue.relations.get(relation) ?? {}
    if (livesIn === undefined) return
    this.proven = false
    if (livesIn !== 'server') this.dangers.push(danger(livesIn === 'file' ? 'server-file' : 'program', name ?? ''))
  }

  private defaults(relation: number): void {
    for (const { kind, calls } of this.catalogue.attached.get(relation) ?? []) {
      if (kind === 'default') this.routines(calls)
    }
  }

  /** What is written into a column is checked by its type. */
  private domainsOf(relation: number): void {
    for (const { type } of this.catalogue.columns.get(relation) ?? []) this.type(type)
  }

  private cascade(relation: number, event: 'delete' | 'update'): void {
    for (const key of this.catalogue.foreignKeys.get(relation) ?? []) {
      const action = event === 'delete' ? key.onDelete : key.onUpdate
      const child = this.catalogue.relations.get(key.child)
      if (action === 'none' || !child) continue
      const use = effect(action === 'delete' ? 'delete' : 'write', 'relation', {
        schema: child.schema,
        name: child.name,
      })
      this.note({ ...use, through: 'cascade' })
      this.event(key.child, action)
    }
  }

  /** TRUNCATE … CASCADE empties whatever refers to it; without CASCADE it fails. */
  private truncateCascade(relation: number): void {
    for (const key of this.catalogue.foreignKeys.get(relation) ?? []) {
      const child = this.catalogue.relations.get(key.child)
      if (!child) continue
      this.note({ ...effect('truncate', 'relation', { schema: child.schema, name: child.name }), through: 'cascade' })
      this.event(key.child, 'truncate')
    }
  }

  private attribute(name: string): void {
    for (const routine of this.functionsNamed({ name })) if (!routine.builtin) this.routine(routine.oid)
  }

  /** Text does not say which operator of a name is meant, so it may be any of them. */
  private operator({ name }: Name): void {
    for (const operator of this.catalogue.operators.values())
      if (operator.name === name) this.routines([operator.function, ...operator.support])
  }

  /** Nor does it say what is converted: casts that need not be written may be anywhere, others where a type is named. */
  private conversions(types: readonly Name[]): void {
    const names = new Set(types.map(({ name }) => name))
    for (const cast of this.catalogue.casts) if (cast.implicit || names.has(cast.target)) this.routine(cast.function)
    this.types(types)
  }

  /** Types by the names that are written. */
  types(types: readonly Name[]): void {
    for (const domain of [...this.catalogue.domains.values()].flat())
      if (types.some(({ schema, name }) => name === domain.name && (schema ?? domain.schema) === domain.schema))
        this.routines(domain.calls)
  }

  private routines(oids: readonly number[]): void {
    for (const oid of oids) this.routine(oid)
  }

  private functionsNamed({ schema, name }: Name): readonly CatalogueFunction[] {
    return (this.catalogue.functionsByName.get(name) ?? [])
      .flatMap((oid) => this.catalogue.functions.get(oid) ?? [])
      .filter((routine) => schema === undefined || routine.schema === schema)
  }

  private readByName(name: Name, through: Through, columns: CodeColumns['columns']): void {
    for (const resolved of this.meant(name)) {
      this.reads.push({ resolved, columns })
      this.note({ action: 'read', ...placed(resolved), through })
      const watched = dangerOfRelation(objectOf(resolved))
      if (watched) this.dangers.push(watched)
      if (resolved.kind !== 'relation') continue
      this.event(resolved.relation.oid, 'read')
      for (const rule of this.rulesOf(resolved.relation.oid, 'select')) this.rule(rule, through)
    }
  }

  private meant(name: Name): readonly Resolved[] {
    if (name.schema === undefined && this.made.has(name.name)) return [{ kind: 'temporary', name }]
    const found = possible(name, this.catalogue, this.session, this.path)
    if (found.some(({ kind }) => kind === 'unknown')) this.unknownName()
    return found
  }

  private changeByName(
    change: Command['changes'][number],
    through: Through,
    repeated: boolean,
    columns: CodeColumns['columns'],
  ): void {
    this.harmless = false
    for (const resolved of this.meant(change.relation)) {
      // Its WHERE and its RETURNING see the rows.
      if (!['truncate', 'drop'].includes(change.kind)) {
        this.reads.push({ resolved, columns })
        this.writes.push({ resolved, columns: change.columns })
      }
      for (const action of actionsOf(change.kind)) {
        this.note({ action, ...placed(resolved), through, change: changeFacts(change, resolved, repeated) })
      }
      if (resolved.kind !== 'relation') continue
      for (const event of eventsOf(change.kind)) this.writeByName(resolved.relation.oid, event)
    }
  }

  private writeByName(relation: number, event: RelationEvent): void {
    this.event(relation, event)
    if (event === 'insert' || event === 'update') this.defaults(relation)
    for (const rule of this.rulesOf(relation, event)) this.rule(rule, 'rule')
  }

  private rulesOf(relation: number, event: string): readonly CatalogueRule[] {
    if (this.hasVisited(`rule ${event} ${relation}`)) return []
    return (this.catalogue.rules.get(relation) ?? []).filter((rule) => rule.event === event)
  }

  /** What a rule or a view does is known from the server's own tree of it. */
  private rule(rule: CatalogueRule, through: Through): void {
    const actions = ruleActions(rule)
    if (!actions) return this.unreadable('a rule', through)
    const analysis = analyse(actions, this.catalogue)
    const { relations, writes, locks, sequences } = analysis
    if (locks || sequences.length > 0) this.harmless = false
    this.calls(analysis, 0, through)
    for (const { relation, isRead, read } of relations) {
      if (isRead) this.readByNumber(relation, through, this.namesOf(relation, read))
    }
    for (const write of writes) this.writeByRule(write, through)
    for (const { relation, written } of relations) {
      const found = written.length > 0 ? this.catalogue.relations.get(relation) : undefined
      const columns = this.namesOf(relation, written)
      if (found) this.writes.push({ resolved: { kind: 'relation', relation: found }, columns })
    }
  }

  private readByNumber(relation: number, through: Through, columns: CodeColumns['columns']): void {
    const found = this.catalogue.relations.get(relation)
    if (found) this.readByName({ schema: found.schema, name: found.name }, through, columns)
  }

  private namesOf(relation: number, read: readonly number[]): CodeColumns['columns'] {
    if (read.includes(0)) return undefined
    const columns = this.catalogue.columns.get(relation) ?? []
    return columns.filter(({ number }) => read.includes(number)).map(({ name }) => name)
  }

  private writeByRule({ kind, relation, unbounded, events }: Write, through: Through): void {
    const found = this.catalogue.relations.get(relation)
    this.harmless = false
    if (!found) return
    const resolved: Resolved = { kind: 'relation', relation: found }
    const change = { kind, unbounded, tautological: false, repeated: false }
    for (const action of actionsOf(kind)) this.note({ action, ...placed(resolved), through, change })
    for (const event of events) this.writeByName(relation, event)
  }

  private note(use: Omit<Use, 'temporary' | 'system' | 'deferred'> & Partial<Pick<Use, 'temporary' | 'system'>>): void {
    if (!HARMLESS_ACTIONS.has(use.action)) this.harmless = false
    this.uses.push({ temporary: false, system: false, deferred: false, ...use })
  }

  private hasVisited(what: string): boolean {
    const place = `${what} ${this.path}`
    const known = this.visited.has(place)
    this.visited.add(place)
    return known
  }
}

const called = ({ schema, name }: CatalogueFunction) => effect('execute', 'routine', { schema, name })

/** What it calls looks where it does. With its owner's rights it may see other schemas than its caller. */
const pathWithin = ({ path, securityDefiner, body }: CatalogueFunction, outside: CodePath): CodePath => {
  if (body?.statements.some(({ command }) => command.settings.some(changesNaming))) return 'anywhere'
  if (path === undefined) return securityDefiner ? 'anywhere' : outside
  const schemas = path.split(',').map((schema) => schema.trim().replaceAll('"', ''))
  return schemas.includes('$user') ? 'anywhere' : ['pg_catalog', ...schemas]
}

/** Temporary relations come and go, or are renamed; so may any that is not named in full. */
const changesRelations = ({ creates, discards, effects }: Command): boolean =>
  discards !== undefined ||
  creates.some(({ temporary }) => temporary) ||
  effects.some(({ action, object }) => object.kind === 'relation' && ['alter', 'drop'].includes(action))

const changesHandles = ({ prepares, deallocates, declares, closes, discards }: Command): boolean =>
  [prepares, deallocates, declares, closes, discards].some((change) => change !== undefined)

const HARMLESS_ACTIONS = new Set(['read', 'execute', 'transact'])

/** Said once more, and with more about it, in the list of changes. */
export const isChange = ({ changes }: Command, action: Action, object: SqlObject): boolean =>
  object.kind === 'relation' &&
  changes.some(
    ({ kind, relation }) =>
      actionsOf(kind).includes(action) && relation.name === object.name && relation.schema === object.schema,
  )

/** Bits of `pg_trigger.tgtype`. */
const TRIGGER_BITS: Readonly<Record<RelationEvent, number>> = {
  insert: 4,
  delete: 8,
  update: 16,
  truncate: 32,
  read: 0,
  maintain: 0,
}

const firesOn = (events: number, event: RelationEvent): boolean => (events & TRIGGER_BITS[event]) !== 0

const RUNS_ON: Readonly<Record<Exclude<AttachedCode['kind'], 'trigger'>, readonly RelationEvent[]>> = {
  check: ['insert', 'update'],
  generated: ['insert', 'update'],
  // The server's tree of a statement shows those that it uses; only text has to count them all: see `writeByName`.
  default: [],
  // ANALYZE evaluates the expressions of indexes, and so may the planner.
  index: ['insert', 'update', 'maintain', 'read'],
  policy: ['read', 'insert', 'update', 'delete'],
  // Which partition a row belongs to is computed for each, and by the planner where a condition says it.
  partition: ['read', 'insert', 'update', 'delete'],
  statistics: ['maintain'],
}

/** Statements in which nothing is computed, so nothing is converted. */
const WITHOUT_VALUES: ReadonlySet<string> = new Set([
  'TransactionStmt',
  'VariableSetStmt',
  'VariableShowStmt',
  'NotifyStmt',
  'ListenStmt',
  'UnlistenStmt',
  'DiscardStmt',
  'DeallocateStmt',
  'ClosePortalStmt',
  'LockStmt',
  'CheckPointStmt',
])

/** Built-ins that read a value of a type that is named in a string. */
const TAKES_TYPE_AS_TEXT: ReadonlySet<string> = new Set(['pg_input_is_valid', 'pg_input_error_info'])

export const actionsOf = (kind: UseChange['kind']): readonly Use['action'][] => {
  if (kind === 'merge') return ['write', 'delete']
  return kind === 'insert' || kind === 'update' ? ['write'] : [kind]
}

const eventsOf = (kind: UseChange['kind']): readonly RelationEvent[] => {
  if (kind === 'merge') return ['insert', 'update', 'delete']
  if (kind === 'update') return ['insert', 'update'] // An upsert is an update, too.
  return kind === 'drop' ? [] : [kind]
}

export const placed = (resolved: Resolved) => ({
  object: objectOf(resolved),
  temporary: resolved.kind === 'temporary',
  system: isSystem(resolved),
})

export const changeFacts = (
  { kind, unbounded, tautological, rowsAtMost }: Command['changes'][number],
  resolved: Resolved,
  repeated: boolean,
): UseChange => ({
  kind,
  unbounded,
  tautological,
  repeated,
  ...(rowsAtMost === undefined || repeated ? {} : { rowsAtMost }),
  ...(resolved.kind === 'relation' && resolved.relation.rowEstimate !== undefined
    ? { rowEstimate: resolved.relation.rowEstimate }
    : {}),
})
