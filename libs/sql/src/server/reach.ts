import { effect, type Action, type Name, type SqlObject } from '../action.ts'
import type { BodyStatement, Command } from '../command.ts'
import { danger, type Danger } from '../danger.ts'
import { dangerOfFunction } from '../dangerous-functions.ts'
import { dangerOfRelation } from '../dangerous-relations.ts'
import type { Through, Use, UseChange } from '../facts.ts'
import { analyse } from './analyse.ts'
import {
  ruleActions,
  type AttachedCode,
  type Catalogue,
  type CatalogueFunction,
  type CatalogueRule,
} from './catalogue.ts'
import { isHarmless, isTrustedCode } from './harmless.ts'
import { isSystem, objectOf, possible, type Resolved, type SessionNames } from './session-names.ts'

export type RelationEvent = 'read' | 'insert' | 'update' | 'delete' | 'truncate' | 'maintain'

/**
 * Everything that code behind a statement does: functions and what they call, triggers, checks, policies, rules, and
 * what foreign keys take along. Each function and each event of a relation is visited once, so it ends.
 */
export class Reach {
  readonly uses: Use[] = []
  readonly dangers: Danger[] = []
  /** Nothing that was visited can change anything. */
  harmless = true
  /** Code names something that the catalogue does not have: it may have come since, and be anything. */
  unresolved = false

  private readonly catalogue: Catalogue
  private readonly session: SessionNames
  private readonly visited = new Set<string>()
  /** Temporary tables that the code makes for itself. */
  private readonly made = new Set<string>()

  constructor(catalogue: Catalogue, session: SessionNames) {
    this.catalogue = catalogue
    this.session = session
  }

  /** A function, by the server's number. */
  routine(oid: number, through: Through = 'function'): void {
    if (oid === 0 || this.hasVisited(`routine ${oid}`)) return
    const found = this.catalogue.functions.get(oid)
    if (found) this.visit(found, through)
    else this.unreadable(`function ${oid}`, through)
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
    for (const code of this.catalogue.attached.get(relation) ?? []) this.attached(code, event)
    if (event === 'delete' || event === 'update') this.cascade(relation, event)
    if (event === 'truncate') this.truncateCascade(relation)
    if (event === 'insert' || event === 'update') this.domainsOf(relation)
    for (const child of this.catalogue.children.get(relation) ?? []) this.event(child, event)
  }

  /** The functions that a view calls. */
  routinesOfRule(rule: CatalogueRule): void {
    const actions = ruleActions(rule)
    if (!actions) return this.unreadable('a rule', 'function')
    for (const oid of analyse(actions, this.catalogue).routines) this.routine(oid)
  }

  /** What a statement says by names alone: the body of a function, or a statement that the server did not analyse. */
  command(command: Command, through: Through, repeated: boolean): void {
    this.dangers.push(...command.dangers)
    for (const { object, temporary } of command.creates) if (temporary) this.made.add(object.name)
    for (const name of command.functions) if (!this.routineByName(name, through)) this.unknownName()
    for (const name of command.attributes) this.attribute(name)
    for (const operator of command.operators) this.operator(operator)
    this.conversions(command.types)
    for (const { action, object } of command.effects) {
      if (object.kind === 'relation' && (action === 'read' || action === 'copyOut')) this.readByName(object, through)
      else if (!isChange(command, action, object)) this.note({ action, object, through })
    }
    for (const change of command.changes) this.changeByName(change, through, repeated)
  }

  private unknownName(): void {
    this.harmless = false
    this.unresolved = true
  }

  private visit(routine: CatalogueFunction, through: Through): void {
    if (isHarmless(routine)) return
    const known = dangerOfFunction(routine.name, routine.arguments)
    const isForeign = !isTrustedCode(routine)
    if (known && (!isForeign || routine.extension)) this.dangers.push(known)
    if (isForeign)
      this.note({ action: 'execute', object: { kind: 'routine', schema: routine.schema, name: routine.name }, through })
    for (const oid of routine.calls) this.routine(oid, through)
    if (!isForeign || known) this.harmless = false
    else if (routine.kind !== 'a') this.body(routine, through)
  }

  private body({ body, name, extension, volatility }: CatalogueFunction, through: Through): void {
    if (body && !body.unreadable) {
      if (body.dynamic) this.unknown(danger('dynamic-code', `${name}()`), through)
      for (const statement of body.statements) this.statement(statement, through)
    } else if (!extension) {
      this.unreadable(`${name}()`, through)
    } else if (volatility === 'volatile') {
      this.harmless = false
      this.dangers.push(danger('unreadable-code', `${name}() of the extension ${extension}`))
    }
  }

  private statement({ command, repeated }: BodyStatement, through: Through): void {
    if (command.readOnlyByText === 'never') this.harmless = false
    if (command.inner) this.command(command.inner.command, through, repeated)
    this.command(command, through, repeated)
  }

  private unreadable(what: string, through: Through): void {
    this.unknown(danger('unreadable-code', what), through)
  }

  private unknown(why: Danger, through: Through): void {
    this.harmless = false
    this.dangers.push(why)
    this.note({ ...effect('unknown', 'statement', { name: why.text }), through })
  }

  private attached({ kind, events, calls }: AttachedCode, event: RelationEvent): void {
    if (kind === 'trigger' ? !firesOn(events, event) : !RUNS_ON[kind].includes(event)) return
    for (const oid of calls) this.routine(oid, kind === 'trigger' ? 'trigger' : 'function')
  }

  /** What is written into a column is checked by its type. */
  private domainsOf(relation: number): void {
    for (const { type } of this.catalogue.columns.get(relation) ?? []) {
      for (const domain of this.catalogue.domains.get(type) ?? []) this.routines(domain.calls)
    }
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
      if (operator.name === name) this.routine(operator.function)
  }

  /** Nor does it say what is converted: casts that need not be written may be anywhere, others where a type is named. */
  private conversions(types: readonly Name[]): void {
    const names = new Set(types.map(({ name }) => name))
    for (const cast of this.catalogue.casts) if (cast.implicit || names.has(cast.target)) this.routine(cast.function)
    for (const domain of [...this.catalogue.domains.values()].flat())
      if (names.has(domain.name)) this.routines(domain.calls)
  }

  private routines(oids: readonly number[]): void {
    for (const oid of oids) this.routine(oid)
  }

  private functionsNamed({ schema, name }: Name): readonly CatalogueFunction[] {
    return (this.catalogue.functionsByName.get(name) ?? [])
      .flatMap((oid) => this.catalogue.functions.get(oid) ?? [])
      .filter((routine) => schema === undefined || routine.schema === schema)
  }

  private readByName(name: Name, through: Through): void {
    for (const resolved of this.meant(name)) {
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
    const found = possible(name, this.catalogue, this.session)
    if (found.some(({ kind }) => kind === 'unknown')) this.unknownName()
    return found
  }

  private changeByName(change: Command['changes'][number], through: Through, repeated: boolean): void {
    this.harmless = false
    for (const resolved of this.meant(change.relation)) {
      for (const action of actionsOf(change.kind)) {
        this.note({ action, ...placed(resolved), through, change: changeFacts(change, resolved, repeated) })
      }
      if (resolved.kind !== 'relation') continue
      for (const event of eventsOf(change.kind)) this.writeByName(resolved.relation.oid, event)
    }
  }

  private writeByName(relation: number, event: RelationEvent): void {
    this.event(relation, event)
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
    const { routines, relations, writes } = analyse(actions, this.catalogue)
    for (const oid of routines) this.routine(oid, through)
    for (const { relation, isRead } of relations) if (isRead) this.readByNumber(relation, through)
    for (const write of writes) this.writeByRule(write, through)
  }

  private readByNumber(relation: number, through: Through): void {
    const found = this.catalogue.relations.get(relation)
    if (found) this.readByName({ schema: found.schema, name: found.name }, through)
  }

  private writeByRule(
    { kind, relation, unbounded, events }: ReturnType<typeof analyse>['writes'][number],
    through: Through,
  ): void {
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
    const known = this.visited.has(what)
    this.visited.add(what)
    return known
  }
}

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
  // ANALYZE evaluates the expressions of indexes, and so may the planner.
  index: ['insert', 'update', 'maintain', 'read'],
  policy: ['read', 'insert', 'update', 'delete'],
}

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
