import {
  danger,
  nameText,
  type Action,
  type Effect,
  type Facts,
  type OutputFacts,
  type Use,
  type UseChange,
} from '@countersign/sql'
import { isSystemSchema, keyOf, type MysqlCatalogue } from './catalogue.ts'
import { changeUses } from './change-uses.ts'
import { readCode } from './code.ts'
import type { MysqlCommand } from './command.ts'
import { Findings, type FoundUse } from './findings.ts'
import { Resolver, type Context, type Output } from './resolve.ts'
import type { MysqlSession } from './session.ts'
import type { Tree } from './tree.ts'

/** What a statement is: its text, the catalogue and the session together. */
export const judgeMysql = (command: MysqlCommand, catalogue: MysqlCatalogue, session: MysqlSession): Facts => {
  const found = new Findings()
  const context: Context = { catalogue, session, through: 'statement', inCode: false, depth: 0, readCode }
  const outputs = judged(command, context, found)
  return factsOf(command, found, outputs)
}

/** Its outputs; undefined when nobody knows them. */
const judged = (command: MysqlCommand, context: Context, found: Findings): readonly Output[] | undefined => {
  const { effects, dangers, tree, inner, calls, harmless, locks, intoVariables } = command
  found.dangers.push(...dangers)
  found.uses.push(...effects.map((effect) => usedBy(effect, command, context)))
  if (!harmless && !tree && !inner) found.changes = true
  if (calls) return called(command, context, found)
  if (inner) return ofInner(command, context, found)
  if (!tree) return harmless ? [] : undefined
  const outputs = inTree(tree, context, found)
  if (locks) locked(tree, found)
  if (intoVariables) stored(outputs, found)
  return intoVariables ? [] : outputs
}

const inTree = (tree: Tree, context: Context, found: Findings): readonly Output[] =>
  tree.is === 'query' ? new Resolver(context, found).query(tree.query) : changeUses(tree, context, found)

const locked = (tree: Tree, found: Findings): void => {
  found.changes = true
  const body = tree.is === 'query' ? tree.query.body : undefined
  if (body?.is !== 'select' || (body.where === undefined && body.from.length > 0))
    found.dangers.push(danger('locks-every-row', 'a locking read'))
}

/** From where they go, the next statement reads them. */
const stored = (outputs: readonly Output[], found: Findings): void => {
  found.changes = true
  for (const { origins, opaque } of outputs)
    if (origins.length > 0 || opaque) found.flows.push({ into: undefined, origins, opaque })
}

/** EXPLAIN may run what reads, and changes nothing; a view holds the text, a table the rows. */
const ofInner = ({ inner, tag }: MysqlCommand, context: Context, found: Findings): readonly Output[] | undefined => {
  if (!inner) return undefined
  const { command, runs } = inner
  if (runs !== 'planned') {
    const outputs = judged(command, context, found)
    if (runs === 'stored') stored(outputs ?? [{ name: '', origins: [], derived: true, opaque: true }], found)
    if (runs === 'stored') return []
    return tag === 'DO' ? [] : command.tree?.is === 'query' ? planOutputs(outputs) : []
  }
  const inside = new Findings()
  const outputs = judged(command, context, inside)
  const isUnknown = inside.uses.some(({ action }) => action === 'unknown')
  const isQuery = command.tree?.is === 'query'
  found.uses.push(...inside.uses.filter(({ through }) => isUnknown || through !== 'cascade').map(asRead))
  found.dangers.push(...inside.dangers)
  found.reads.add(inside.reads.list)
  found.mayRead.add(inside.mayRead.list)
  found.predicates.add(inside.predicates.list)
  found.steering.add(inside.steering.list)
  found.unresolved ||= inside.unresolved
  found.changes ||= tag.startsWith('CREATE') || isUnknown || (isQuery && inside.changes) || !inside.countable
  found.countable = false
  return tag.startsWith('CREATE') ? [] : planOutputs(outputs)
}

/** A plan shows constants of the statement, and how many rows there are. */
const planOutputs = (outputs: readonly Output[] | undefined): readonly Output[] | undefined => outputs && []

const asRead = (use: FoundUse): FoundUse => {
  const { change: _, ...rest } = use
  // A function may be called while the plan is made.
  if (use.action === 'unknown' || use.object.kind !== 'relation' || use.through === 'function') return use
  return { ...rest, action: 'read' }
}

const called = ({ calls }: MysqlCommand, context: Context, found: Findings): undefined => {
  if (!calls) return undefined
  const schema = calls.schema ?? context.session.database
  const routine = (context.catalogue.routines.get(calls.name.toLowerCase()) ?? []).find(
    (one) => one.kind === 'procedure' && one.schema.toLowerCase() === schema?.toLowerCase(),
  )
  found.changes = true
  new Resolver(context, found).code(routine?.definition, `the procedure \`${calls.name}\``, 'function', routine?.schema)
  return undefined
}

/** An effect as it is written, on what it means here. */
const usedBy = (
  { action, object }: Effect,
  { temporary, tag }: MysqlCommand,
  { catalogue, session }: Context,
): FoundUse => {
  const isNamed = object.kind === 'relation' || object.kind === 'routine' || object.kind === 'trigger'
  const schema = object.schema ?? (isNamed ? session.database : undefined)
  const id = keyOf(schema ?? '', object.name, catalogue.folded)
  const relation = object.kind === 'relation' ? catalogue.relations.get(id) : undefined
  const isTemporary = session.temporary.some(([its, name]) => keyOf(its, name, catalogue.folded) === id)
  const named = {
    ...object,
    ...(schema === undefined ? {} : { schema }),
    ...(relation ? { schema: relation.schema, name: relation.name } : {}),
  }
  const change = removal(action, tag, relation?.rowEstimate)
  return {
    action,
    object: named,
    temporary: object.kind === 'relation' && (temporary || (isTemporary && tag !== 'GRANT')),
    system: isSystemSchema(schema ?? (object.kind === 'schema' ? object.name : '')),
    through: 'statement',
    ...(change ? { change } : {}),
  }
}

const removal = (action: Action, tag: string, rowEstimate: number | undefined): UseChange | undefined => {
  if (action !== 'truncate' && (action !== 'drop' || tag !== 'DROP TABLE')) return undefined
  const rows = rowEstimate === undefined ? {} : { rowEstimate }
  return { kind: action, unbounded: true, tautological: false, repeated: false, ...rows }
}

const factsOf = (command: MysqlCommand, found: Findings, outputs: readonly Output[] | undefined): Facts => {
  const uses = usesOf(found)
  const isUnknown = uses.some(({ action }) => action === 'unknown')
  const changes = found.changes || isUnknown || found.unresolved || uses.some(({ action }) => !READING.has(action))
  return {
    tag: command.tag,
    actions: [...new Set(uses.map(({ action }) => action))],
    uses,
    relations: relationsOf(uses),
    readOnly: !changes,
    unresolved: found.unresolved,
    onlyTemporary: uses.length > 0 && uses.every(({ temporary }) => temporary),
    dangers: found.dangers,
    outputs: outputs?.map(outputOf),
    reads: found.reads.list,
    mayRead: found.mayRead.list,
    mayWrite: [],
    parts: [],
    writes: found.writes.list,
    predicates: found.predicates.list,
    ordering: found.ordering.list,
    flows: found.flows,
    steering: found.steering.list,
    countable: found.countable && !found.unresolved,
    behind: { names: false, handles: false },
  }
}

const READING: ReadonlySet<Action> = new Set<Action>(['read', 'execute'])

/** Each once. */
const usesOf = ({ uses }: Findings): readonly Use[] => [
  ...new Map(uses.map((use) => [JSON.stringify(use), { ...use, deferred: false }])).values(),
]

const relationsOf = (uses: readonly Use[]): Facts['relations'] => {
  const actions = new Map<string, Set<Action>>()
  for (const { action, object } of uses) {
    if (object.kind !== 'relation') continue
    const name = nameText(object)
    actions.set(name, (actions.get(name) ?? new Set()).add(action))
  }
  return [...actions].map(([name, found]) => ({ name, actions: [...found] }))
}

const outputOf = ({ name, origins, derived, opaque }: Output): OutputFacts => ({ name, origins, derived, opaque })
