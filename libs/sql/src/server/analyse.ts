import { dangerOfFunction } from '../dangerous-functions.ts'
import type { Catalogue, CatalogueFunction } from './catalogue.ts'
import { isSetConfig, isTransparent } from './harmless.ts'
import { Lineages, outputTargets, type Frames, type Origin } from './lineage.ts'
import {
  calledFunctions,
  childrenOf,
  everyNode,
  fieldColumns,
  fieldFlag,
  fieldNode,
  fieldNodes,
  fieldNumber,
  fieldText,
  isQuery,
  isRangeEntry,
  queryKind,
  RANGE,
  rangeKind,
  rangeTable,
  typesOf,
} from './query-tree.ts'
import type { TreeNode } from './read-tree.ts'
import { rowsAtMost } from './rows-at-most.ts'

/** What the server itself makes of a statement: names resolved, views and rules unfolded. */
export interface Analysis {
  readonly relations: readonly RelationTouch[]
  /** Functions that it calls, by themselves or behind operators, casts and aggregates. */
  readonly routines: readonly number[]
  /** The columns that it gives to the client, in order. */
  readonly outputs: readonly Output[]
  /** Columns in WHERE, ON, HAVING and FILTER. */
  readonly predicates: readonly Origin[]
  /** Columns that rows are ordered or grouped by. */
  readonly ordering: readonly Origin[]
  readonly writes: readonly Write[]
  /** Values of columns that leave by another way than the result: a setting, a notification, a large object. */
  readonly parked: readonly Parked[]
  /** Columns whose values decide whether an expression fails: an error answers a question about them. */
  readonly steering: readonly Origin[]
  readonly locks: boolean
  /** Types that it makes, reads or compares values of, as far as code of somebody's own may have to run for it. */
  readonly domains: readonly number[]
  /** Sequences that it advances. */
  readonly sequences: readonly number[]
  /** How often it sets a setting by a function: in its text, or in a view or a default behind it. */
  readonly settings: number
}

export interface RelationTouch {
  readonly relation: number
  readonly read: readonly number[]
  readonly written: readonly number[]
  /** Whether it is asked for at all; a row may be read without any of its columns. */
  readonly isRead: boolean
  /** With its partitions and heirs: not behind ONLY. */
  readonly inherits: boolean
  /** Named by the statement itself, and not only by a view or a rule behind it. */
  readonly direct: boolean
  /** Changes that the statement asks for, also when a rule of the server then does something else. */
  readonly asked: readonly WriteEvent[]
}

export interface Output {
  readonly name: string
  readonly origins: readonly Origin[]
  readonly derived: boolean
  readonly opaque: boolean
}

export interface Write {
  /** INSERT … ON CONFLICT DO UPDATE is an update, a MERGE that only inserts an insert. */
  readonly kind: 'insert' | 'update' | 'delete' | 'merge'
  /** What may happen to a row: what triggers listen to. */
  readonly events: readonly WriteEvent[]
  readonly relation: number
  /** The statement itself, or a rule that the server added. */
  readonly from: 'statement' | 'rule'
  readonly unbounded: boolean
  /** Known from a key. */
  readonly rowsAtMost?: number
  readonly stores: readonly Stored[]
}

export type WriteEvent = 'insert' | 'update' | 'delete'

export interface Stored {
  readonly column: number
  readonly origins: readonly Origin[]
  readonly opaque: boolean
}

export interface Parked {
  readonly routine: number
  readonly origins: readonly Origin[]
}

/** Throws TreeError when the trees are none that an analysed statement has. */
export const analyse = (trees: readonly TreeNode[], catalogue: Catalogue): Analysis =>
  new Analyser(catalogue).analyse(trees)

/** QSRC_INSTEAD_RULE, and the other kinds of rules above it. */
const FIRST_RULE_SOURCE = 2

type WriteCommand = 'insert' | 'update' | 'delete' | 'merge'

const CONFLICT_UPDATE = 2

const eventsOf = (command: WriteCommand, query: TreeNode, serverVersion: number): readonly WriteEvent[] => {
  if (command === 'update' || command === 'delete') return [command]
  if (command === 'insert') {
    const conflict = fieldNode(query, 'onConflict')
    return conflict && fieldNumber(conflict, 'action') === CONFLICT_UPDATE ? ['insert', 'update'] : ['insert']
  }
  const actions = fieldNodes(query, 'mergeActionList').map((action) => queryKind(action, serverVersion))
  return WRITE_EVENTS.filter((event) => actions.includes(event))
}

const WRITE_EVENTS: readonly WriteEvent[] = ['insert', 'update', 'delete']

class Analyser {
  private readonly catalogue: Catalogue
  private readonly lineages: Lineages
  private readonly predicates: Origin[] = []
  private readonly ordering: Origin[] = []
  private readonly writes: Write[] = []
  private readonly parked: Parked[] = []
  private readonly steering: Origin[] = []

  constructor(catalogue: Catalogue) {
    this.catalogue = catalogue
    this.lineages = new Lineages(catalogue, (routine) => isTransparent(this.function(routine)))
  }

  analyse(trees: readonly TreeNode[]): Analysis {
    for (const tree of trees) this.query(tree, [])
    const nodes = everyNode(trees)
    return {
      relations: touchesOf(nodes),
      routines: distinct(nodes.flatMap((node) => calledFunctions(node, (operator) => this.functionsOf(operator)))),
      outputs: this.outputsOf(trees),
      predicates: distinctOrigins(this.predicates),
      ordering: distinctOrigins(this.ordering),
      writes: this.writes,
      parked: this.parked,
      steering: distinctOrigins(this.steering),
      locks: nodes.some(({ tag, fields }) => tag === 'ROWMARKCLAUSE' && fields['pushedDown'] !== 'true'),
      domains: this.catalogue.domains.size === 0 ? [] : this.typesWithCode(nodes),
      sequences: distinct(nodes.filter(({ tag }) => tag === 'NEXTVALUEEXPR').map((node) => fieldNumber(node, 'seqid'))),
      settings: nodes.filter((node) => isSetConfig(this.function(fieldNumber(node, 'funcid')))).length,
    }
  }

  /** The one whose rows the client gets; a rule may add others. */
  private outputsOf(trees: readonly TreeNode[]): readonly Output[] {
    const query = trees.find((tree) => fieldFlag(tree, 'canSetTag')) ?? trees[0]
    if (!query) return []
    return outputTargets(query, this.catalogue.serverVersion).map((target) => ({
      name: fieldText(target, 'resname') ?? '',
      ...this.lineages.ofOutput(query, fieldNumber(target, 'resno'), [query]),
    }))
  }

  private query(query: TreeNode, outer: Frames): void {
    const frames = [query, ...outer]
    const kind = queryKind(query, this.catalogue.serverVersion)
    for (const cte of fieldNodes(query, 'cteList')) this.nested(fieldNode(cte, 'ctequery'), frames)
    if (kind === 'insert' || kind === 'update' || kind === 'delete' || kind === 'merge') this.write(kind, query, frames)
    this.note(this.predicates, conditionsOf(query), frames)
    this.note(this.ordering, sortedTargets(query), frames)
    for (const part of partsOf(query)) this.expressions(part, frames)
  }

  private nested(query: TreeNode | undefined, frames: Frames): void {
    if (query) this.query(query, frames)
  }

  private note(list: Origin[], expressions: readonly (TreeNode | undefined)[], frames: Frames): void {
    for (const expression of expressions) list.push(...this.lineages.of(expression, frames).origins)
  }

  /** Looks into expressions for what matters besides their values. Queries inside them are queries of their own. */
  private expressions(node: TreeNode, frames: Frames): void {
    if (isQuery(node)) return this.query(node, frames)
    if (node.tag === 'AGGREF' || node.tag === 'WINDOWFUNC')
      this.note(this.predicates, [fieldNode(node, 'aggfilter')], frames)
    const called = this.function(fieldNumber(node, 'funcid') || fieldNumber(node, 'opfuncid'))
    if (called) this.call(called, node, frames)
    for (const child of childrenOf(node)) this.expressions(child, frames)
  }

  private call(called: CatalogueFunction, node: TreeNode, frames: Frames): void {
    if (canFailByValue(called))
      this.note(this.steering, fieldNodes(node, 'args').slice(-1).filter(isConditional), frames)
    if (!keepsArguments(called)) return
    const { origins } = this.lineages.of(node, frames)
    const given = fieldNodes(node, 'args').flatMap((arg) => this.lineages.of(arg, frames).origins)
    if (origins.length + given.length > 0)
      this.parked.push({ routine: called.oid, origins: distinctOrigins([...origins, ...given]) })
  }

  private write(command: WriteCommand, query: TreeNode, frames: Frames): void {
    const target = rangeTable(query)[fieldNumber(query, 'resultRelation') - 1]
    const join = fieldNode(query, 'jointree')
    const events = eventsOf(command, query, this.catalogue.serverVersion)
    const isConditional = command === 'update' || command === 'delete'
    const rows = isConditional ? rowsAtMost(query, this.catalogue) : undefined
    this.writes.push({
      kind: events.every((event) => event === 'insert') ? 'insert' : command === 'insert' ? 'update' : command,
      events,
      relation: target ? fieldNumber(target, 'relid') : 0,
      from: fieldNumber(query, 'querySource') >= FIRST_RULE_SOURCE ? 'rule' : 'statement',
      unbounded: isConditional && !(join && fieldNode(join, 'quals')),
      stores: this.storesOf(query, frames),
      ...(rows === undefined ? {} : { rowsAtMost: rows }),
    })
  }

  private storesOf(query: TreeNode, frames: Frames): readonly Stored[] {
    const conflict = fieldNode(query, 'onConflict')
    const targets = [
      ...fieldNodes(query, 'targetList'),
      ...(conflict ? fieldNodes(conflict, 'onConflictSet') : []),
      ...fieldNodes(query, 'mergeActionList').flatMap((action) => fieldNodes(action, 'targetList')),
    ].filter((target) => !fieldFlag(target, 'resjunk'))
    return targets
      .map((target) => ({ target, lineage: this.lineages.of(fieldNode(target, 'expr'), frames) }))
      .filter(({ lineage }) => lineage.origins.length > 0 || lineage.opaque)
      .map(({ target, lineage: { origins, opaque } }) => ({ column: fieldNumber(target, 'resno'), origins, opaque }))
  }

  private function(oid: number): CatalogueFunction | undefined {
    return oid > 0 ? this.catalogue.functions.get(oid) : undefined
  }

  private functionsOf(operator: number): readonly number[] {
    const found = this.catalogue.operators.get(operator)
    return found ? [found.function, ...found.support] : []
  }

  private typesWithCode(nodes: readonly TreeNode[]): readonly number[] {
    return distinct(nodes.flatMap(typesOf)).filter((type) => this.catalogue.domains.has(type))
  }
}

/** Whatever decides which rows count. */
const conditionsOf = (query: TreeNode): readonly (TreeNode | undefined)[] => {
  const conflict = fieldNode(query, 'onConflict')
  return [
    ...['jointree', 'havingQual', 'mergeJoinCondition'].map((field) => fieldNode(query, field)),
    ...['arbiterWhere', 'onConflictWhere'].map((field) => conflict && fieldNode(conflict, field)),
    ...fieldNodes(query, 'mergeActionList').map((action) => fieldNode(action, 'qual')),
  ]
}

/** Everything of a query that holds expressions or further queries, except common table expressions. */
const partsOf = (query: TreeNode): readonly TreeNode[] =>
  childrenOf({ ...query, fields: { ...query.fields, cteList: null } })

/** Targets that a sort, group or distinct clause refers to by number. */
const sortedTargets = (query: TreeNode): readonly (TreeNode | undefined)[] => {
  const clauses = ['sortClause', 'groupClause', 'distinctClause'].flatMap((field) => fieldNodes(query, field))
  const numbers = new Set(clauses.map((clause) => fieldNumber(clause, 'tleSortGroupRef')))
  return fieldNodes(query, 'targetList')
    .filter((target) => numbers.has(fieldNumber(target, 'ressortgroupref')))
    .map((target) => fieldNode(target, 'expr'))
}

/** Division, and what else fails for some values of its last argument. */
const canFailByValue = ({ builtin, name }: CatalogueFunction): boolean =>
  builtin &&
  /^(\w*div\d*|\w*mod|div|mod|sqrt|dsqrt|ln|dlog1|log|dlog10|power|dpow|numeric_(sqrt|ln|log|power|div|mod))$/.test(
    name,
  )

/** A condition among the values: comparing, or choosing. */
const isConditional = (expression: TreeNode): boolean =>
  everyNode([expression]).some(({ tag }) =>
    ['CASE', 'CASEEXPR', 'NULLIFEXPR', 'BOOLEXPR', 'NULLTEST', 'BOOLEANTEST'].includes(tag),
  )

/** Functions that keep what they are given where others, or the same one later, can fetch it. */
const KEEPS = new Set(['set_config', 'pg_notify', 'pg_logical_emit_message'])

const keepsArguments = (called: CatalogueFunction): boolean =>
  KEEPS.has(called.name) ||
  dangerOfFunction(called.name) !== undefined ||
  (!isTransparent(called) && called.volatility === 'volatile')

// Which relations the statement asks for: the server notes for each what it checks rights for.

const touchesOf = (nodes: readonly TreeNode[]): readonly RelationTouch[] => {
  const touches = new Map<number, RelationTouch>()
  for (const node of nodes) {
    const touch = touchOf(node)
    if (touch) touches.set(touch.relation, merged(touches.get(touch.relation), touch))
  }
  return [...touches.values()]
}

const ACL_INSERT = 1
const ACL_SELECT = 2
const ACL_DELETE = 8

/** From version 16 on rights lie in nodes of their own; before, in the entries of the range table. */
const touchOf = (node: TreeNode): RelationTouch | undefined => {
  const isEntry = isRangeEntry(node)
  const relation = fieldNumber(node, 'relid')
  if (relation === 0 || !(isEntry || node.tag === 'RTEPERMISSIONINFO')) return undefined
  const asks = fieldNumber(node, 'requiredPerms')
  // Where it does not ask for the right, the columns are those of a view that are not needed.
  const read = (asks & ACL_SELECT) > 0 ? fieldColumns(node, 'selectedCols') : []
  const written = [...fieldColumns(node, 'insertedCols'), ...fieldColumns(node, 'updatedCols')]
  const isListed = !isEntry || rangeKind(node) === RANGE.relation
  const isRead = (asks & ACL_SELECT) > 0 && (read.length > 0 || !isRuleEntry(node))
  const direct = asks > 0 && fieldNumber(node, 'checkAsUser') === 0
  const inherits = fieldFlag(node, 'inh')
  return isListed ? { relation, read, written, isRead, inherits, direct, asked: askedOf(node, asks) } : undefined
}

const askedOf = (node: TreeNode, asks: number): readonly WriteEvent[] => [
  ...((asks & ACL_INSERT) > 0 ? ['insert' as const] : []),
  ...(fieldColumns(node, 'updatedCols').length > 0 ? ['update' as const] : []),
  ...((asks & ACL_DELETE) > 0 ? ['delete' as const] : []),
]

/** `old` and `new` of a rule stand in its range table, whether it uses them or not. */
const isRuleEntry = (node: TreeNode): boolean => {
  const alias = fieldNode(node, 'alias')
  return (
    alias !== undefined && ['old', 'new'].includes(fieldText(alias, 'aliasname') ?? '') && !fieldFlag(node, 'inFromCl')
  )
}

const merged = (known: RelationTouch | undefined, touch: RelationTouch): RelationTouch => {
  if (!known) return touch
  return {
    relation: touch.relation,
    read: distinct([...known.read, ...touch.read]),
    written: distinct([...known.written, ...touch.written]),
    isRead: known.isRead || touch.isRead,
    inherits: known.inherits || touch.inherits,
    direct: known.direct || touch.direct,
    asked: [...new Set([...known.asked, ...touch.asked])],
  }
}

const distinct = (numbers: readonly number[]): readonly number[] => [...new Set(numbers)].sort((a, b) => a - b)

const distinctOrigins = (origins: readonly Origin[]): readonly Origin[] => [
  ...new Map(origins.map((origin) => [`${origin.relation}.${origin.column}`, origin])).values(),
]
