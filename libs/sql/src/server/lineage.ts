import { ruleActions, type Catalogue } from './catalogue.ts'
import {
  bareExpression,
  calledFunctions,
  childrenOf,
  fieldFlag,
  fieldNode,
  fieldNodes,
  fieldNumber,
  fieldText,
  isQuery,
  queryKind,
  RANGE,
  rangeKind,
  rangeTable,
} from './query-tree.ts'
import { TreeError } from '../sql-error.ts'
import { isList, isNode, type TreeNode } from './read-tree.ts'
import { sourceOf } from './source-functions.ts'

/** A column of a relation, by the server's numbers. */
export interface Origin {
  readonly relation: number
  readonly column: number
}

/** Where the values of an expression come from. */
export interface Lineage {
  readonly origins: readonly Origin[]
  /** Computed from them; otherwise each value is a value of one of them. */
  readonly derived: boolean
  /** Something on the way cannot be seen through, so values of anything may be in it. */
  readonly opaque: boolean
}

/** The queries around an expression, innermost first: a variable says how many of them it looks past. */
export type Frames = readonly TreeNode[]

const NOTHING: Lineage = { origins: [], derived: false, opaque: false }
const OPAQUE: Lineage = { origins: [], derived: true, opaque: true }

/** count(*) and count(x): how many there are says nothing of a value. */
const COUNTS = new Set([2803, 2147])
/** row_number, rank, dense_rank, percent_rank, cume_dist, ntile. */
const RANKS = new Set([3100, 3101, 3102, 3103, 3104, 3105])

const SUBLINK = { exists: 0, expression: 4 } as const

/** Columns of planner statistics that hold values of what they describe. */
const STATISTICS: Readonly<Record<string, RegExp>> = { pg_statistic: /^stavalues/, pg_statistic_ext_data: /^stx/ }

const STEPS_MAX = 200_000

/** Marks a recursive query whose columns are known for good. */
const SOLVED = -1

export class Lineages {
  private readonly catalogue: Catalogue
  private readonly isTransparent: (routine: number) => boolean
  private outputs = new WeakMap<TreeNode, Map<number, Lineage>>()
  private readonly assumed = new WeakMap<TreeNode, Map<number, Lineage>>()
  private steps = 0

  /** `isTransparent`: the function computes from its arguments and looks at nothing else. */
  constructor(catalogue: Catalogue, isTransparent: (routine: number) => boolean) {
    this.catalogue = catalogue
    this.isTransparent = isTransparent
  }

  /** Of one column that a query gives; number 0 stands for all of them. `frames` begins with the query itself. */
  ofOutput(query: TreeNode, number: number, frames: Frames): Lineage {
    const assumed = this.assumed.get(query)
    if (assumed) return number === 0 ? union([...assumed.values()]) : (assumed.get(number) ?? NOTHING)
    const known = this.outputs.get(query) ?? new Map<number, Lineage>()
    this.outputs.set(query, known)
    const found = known.get(number)
    if (found) return found
    this.step()
    known.set(number, OPAQUE) // Only a recursive query can ask for itself, and those are solved below.
    const lineage = this.computeOutput(query, number, frames)
    known.set(number, lineage)
    return lineage
  }

  of(expression: TreeNode | undefined, frames: Frames): Lineage {
    if (!expression) return NOTHING
    const node = bareExpression(expression)
    if (node.tag === 'VAR') return this.ofVariable(node, frames)
    if (node.tag === 'SUBLINK') return this.ofSubLink(node, frames)
    if (isQuery(node)) return derived(this.ofOutput(node, 0, [node, ...frames]))
    if (node.tag === 'FIELDSELECT') return this.ofField(node, frames)
    return this.ofComputed(node, frames)
  }

  private computeOutput(query: TreeNode, number: number, frames: Frames): Lineage {
    const arms = armsOf(query)
    if (arms.length > 0) return union(arms.map((arm) => this.ofEntry(arm, number, 0, frames)))
    const targets = outputTargets(query, this.catalogue.serverVersion).filter(
      (target) => number === 0 || fieldNumber(target, 'resno') === number,
    )
    return union(targets.map((target) => this.of(fieldNode(target, 'expr'), frames)))
  }

  private ofVariable(variable: TreeNode, frames: Frames): Lineage {
    const level = fieldNumber(variable, 'varlevelsup')
    const query = frames[level]
    const entry = query && rangeTable(query)[fieldNumber(variable, 'varno') - 1]
    return entry ? this.ofEntry(entry, fieldNumber(variable, 'varattno'), level, frames) : OPAQUE
  }

  /** A column of an entry in the range table of `frames[level]`. */
  private ofEntry(entry: TreeNode, column: number, level: number, frames: Frames): Lineage {
    const around = frames.slice(level)
    const kind = rangeKind(entry)
    if (kind === RANGE.relation) return this.ofRelation(fieldNumber(entry, 'relid'), column)
    if (kind === RANGE.subquery) return this.ofSubquery(fieldNode(entry, 'subquery'), column, around)
    if (kind === RANGE.join) return this.ofList(fieldNodes(entry, 'joinaliasvars'), column, around)
    if (kind === RANGE.group) return this.ofList(fieldNodes(entry, 'groupexprs'), column, around)
    if (kind === RANGE.values) return this.ofValues(entry, column, around)
    if (kind === RANGE.cte) return this.ofCte(entry, column, around)
    if (kind === RANGE.function) return this.ofFunctions(fieldNodes(entry, 'functions'), column, around)
    if (kind === RANGE.tableFunction) return derived(this.of(fieldNode(entry, 'tablefunc'), around))
    return kind === RANGE.result ? NOTHING : OPAQUE
  }

  private ofRelation(relation: number, column: number): Lineage {
    const known = this.catalogue.relations.get(relation)
    if (!known) return OPAQUE
    if (column < 0) return NOTHING // System columns: where a row lies, and who wrote it.
    const columns = this.catalogue.columns.get(relation) ?? []
    if (column > 0) {
      const values = known.schema === 'pg_catalog' ? STATISTICS[known.name] : undefined
      const opaque = values?.test(columns.find(({ number }) => number === column)?.name ?? '') ?? false
      return this.ofStored(relation, { origins: [{ relation, column }], derived: false, opaque }, column)
    }
    const whole = columns.map(({ number }) => this.ofRelation(relation, number))
    return derived(union(whole))
  }

  /** What a materialized view holds came from elsewhere. */
  private ofStored(relation: number, own: Lineage, column: number): Lineage {
    if (this.catalogue.relations.get(relation)?.kind !== 'm') return own
    const rule = this.catalogue.rules.get(relation)?.find(({ event }) => event === 'select')
    const [query] = (rule && ruleActions(rule)) ?? []
    if (!query) return { ...own, opaque: true }
    const source = this.ofOutput(query, column, [query])
    return { ...union([own, source]), derived: source.derived }
  }

  /** Of a function whose columns are known, only the one that is asked for counts. */
  private ofFunctions(functions: readonly TreeNode[], column: number, around: Frames): Lineage {
    const call = functions.length === 1 && functions[0] ? fieldNode(functions[0], 'funcexpr') : undefined
    const source = call && sourceOf(fieldNumber(call, 'funcid'), this.catalogue)
    const isAnother = source?.column !== undefined && column !== 0 && column !== source.column
    return derived(this.ofAll(call && isAnother ? fieldNodes(call, 'args') : functions, around))
  }

  private ofSubquery(query: TreeNode | undefined, column: number, around: Frames): Lineage {
    return query ? whole(this.ofOutput(query, column, [query, ...around]), column) : OPAQUE
  }

  private ofList(expressions: readonly TreeNode[], column: number, around: Frames): Lineage {
    if (column === 0) return derived(this.ofAll(expressions, around))
    const expression = expressions[column - 1]
    return expression ? this.of(expression, around) : OPAQUE
  }

  private ofValues(entry: TreeNode, column: number, around: Frames): Lineage {
    const lists = entry.fields['values_lists']
    const rows = isList(lists) ? lists.map((row) => (isList(row) ? row.filter(isNode) : [])) : []
    return union(rows.map((row) => this.ofList(row, column, around)))
  }

  private ofCte(entry: TreeNode, column: number, around: Frames): Lineage {
    const level = fieldNumber(entry, 'ctelevelsup')
    const home = around[level]
    const cte =
      home && fieldNodes(home, 'cteList').find((one) => fieldText(one, 'ctename') === fieldText(entry, 'ctename'))
    const query = cte && fieldNode(cte, 'ctequery')
    if (!query) return OPAQUE
    const inside = [query, ...around.slice(level)]
    if (fieldFlag(cte, 'cterecursive')) this.solve(query, inside)
    return whole(this.ofOutput(query, column, inside), column)
  }

  /**
   * A recursive query feeds itself: begin with nothing and go round until no column gains anything. What other
   * queries come to on the way is forgotten each time, because it rests on what was assumed.
   */
  private solve(query: TreeNode, frames: Frames): void {
    if (this.assumed.has(query) || this.outputs.get(query)?.has(SOLVED)) return
    const kept = this.outputs
    let current = new Map(
      outputTargets(firstArm(query), this.catalogue.serverVersion).map((target) => [
        fieldNumber(target, 'resno'),
        NOTHING,
      ]),
    )
    for (let isStable = false; !isStable;) {
      this.assumed.set(query, current)
      this.outputs = new WeakMap()
      const next = new Map([...current.keys()].map((number) => [number, this.computeOutput(query, number, frames)]))
      isStable = [...next].every(([number, lineage]) => sameLineage(lineage, current.get(number)))
      current = next
    }
    this.outputs = kept
    this.assumed.delete(query)
    this.outputs.set(query, new Map([...current, [0, union([...current.values()])], [SOLVED, NOTHING]]))
  }

  /** Views upon views upon views can ask for the same many times over. */
  private step(): void {
    this.steps += 1
    if (this.steps > STEPS_MAX) throw new TreeError('TREE_TOO_DEEP', 'query tree is too large to follow its columns')
  }

  private ofSubLink(link: TreeNode, frames: Frames): Lineage {
    const type = fieldNumber(link, 'subLinkType')
    const query = fieldNode(link, 'subselect')
    if (type === SUBLINK.exists) return NOTHING // Whether there are any, like a count.
    if (!query) return OPAQUE
    const inner = this.ofOutput(query, type === SUBLINK.expression ? 1 : 0, [query, ...frames])
    return type === SUBLINK.expression ? inner : derived(union([inner, this.of(fieldNode(link, 'testexpr'), frames)]))
  }

  /** A field of a whole row is that column of the relation. */
  private ofField(node: TreeNode, frames: Frames): Lineage {
    const arg = fieldNode(node, 'arg')
    const variable = arg && bareExpression(arg)
    if (variable?.tag === 'VAR' && fieldNumber(variable, 'varattno') === 0) {
      const level = fieldNumber(variable, 'varlevelsup')
      const query = frames[level]
      const entry = query && rangeTable(query)[fieldNumber(variable, 'varno') - 1]
      if (entry) return this.ofEntry(entry, fieldNumber(node, 'fieldnum'), level, frames)
    }
    return derived(this.of(arg, frames))
  }

  private ofComputed(node: TreeNode, frames: Frames): Lineage {
    if (isValueless(node) || this.comparesWithOffered(node, frames)) return NOTHING
    const operands = this.ofAll(childrenOf(node), frames)
    const called = calledFunctions(node, (operator) => this.functionOf(operator))
    const isOpaque = called.some((routine) => !this.isTransparent(routine))
    const own = called.flatMap((routine) => sourceOf(routine, this.catalogue)?.origin ?? [])
    const { origins } = union([operands, { ...NOTHING, origins: own }])
    if (origins.length === 0 && !operands.opaque && !isOpaque) return NOTHING
    return { origins, derived: true, opaque: operands.opaque || isOpaque }
  }

  /**
   * ON CONFLICT DO UPDATE: whether a column has the very value that is offered for it. Who offers it knows it, and
   * learns what any upsert tells.
   */
  private comparesWithOffered(node: TreeNode, frames: Frames): boolean {
    const conflict = frames[0] && fieldNode(frames[0], 'onConflict')
    if (!conflict || (node.tag !== 'DISTINCTEXPR' && node.tag !== 'OPEXPR')) return false
    const isEquality = node.tag === 'DISTINCTEXPR' || this.calls(node).some((name) => name.endsWith('eq'))
    const sides = fieldNodes(node, 'args').map(bareExpression)
    const [column] = new Set(sides.map((side) => fieldNumber(side, 'varattno')))
    const entries = new Set(sides.map((side) => fieldNumber(side, 'varno')))
    const isOfBoth = entries.has(fieldNumber(conflict, 'exclRelIndex')) && entries.size === 2
    const isPlain = sides.every((side) => side.tag === 'VAR' && fieldNumber(side, 'varlevelsup') === 0)
    const isSame = new Set(sides.map((side) => fieldNumber(side, 'varattno'))).size === 1 && column !== 0
    return isEquality && isOfBoth && isPlain && isSame
  }

  private calls(node: TreeNode): readonly string[] {
    const called = calledFunctions(node, (operator) => this.functionOf(operator))
    return called.flatMap((routine) => {
      const found = this.catalogue.functions.get(routine)
      return found?.builtin ? [found.name] : []
    })
  }

  private ofAll(nodes: readonly TreeNode[], frames: Frames): Lineage {
    return union(nodes.map((node) => this.of(node, frames)))
  }

  private functionOf(operator: number): readonly number[] {
    const known = this.catalogue.operators.get(operator)
    return known ? [known.function] : []
  }
}

const VALUELESS = new Set([
  'CONST',
  'PARAM',
  'CURRENTOFEXPR',
  'NEXTVALUEEXPR',
  'SETTODEFAULT',
  'GROUPINGFUNC',
  'SQLVALUEFUNCTION',
])

const isValueless = (node: TreeNode): boolean =>
  VALUELESS.has(node.tag) ||
  COUNTS.has(fieldNumber(node, 'aggfnoid')) ||
  COUNTS.has(fieldNumber(node, 'winfnoid')) ||
  RANKS.has(fieldNumber(node, 'winfnoid'))

/** The columns that a query gives: of a SELECT its targets, of anything else what it returns. */
export const outputTargets = (query: TreeNode, serverVersion: number): readonly TreeNode[] => {
  const isSelect = queryKind(query, serverVersion) === 'select'
  return fieldNodes(query, isSelect ? 'targetList' : 'returningList').filter((target) => !fieldFlag(target, 'resjunk'))
}

/** The queries that UNION and its like put together; the targets of the whole name the columns of the first alone. */
const armsOf = (query: TreeNode): readonly TreeNode[] => {
  const operation = fieldNode(query, 'setOperations')
  return operation ? leavesOf(operation).flatMap((index) => rangeTable(query)[index - 1] ?? []) : []
}

const leavesOf = (node: TreeNode): readonly number[] => {
  if (node.tag === 'RANGETBLREF') return [fieldNumber(node, 'rtindex')]
  return [fieldNode(node, 'larg'), fieldNode(node, 'rarg')].flatMap((arm) => (arm ? leavesOf(arm) : []))
}

/** The one that names the columns; a recursive query is always put together from two. */
const firstArm = (query: TreeNode): TreeNode => {
  const [arm] = armsOf(query)
  const inner = arm && fieldNode(arm, 'subquery')
  return inner ? firstArm(inner) : query
}

const sameLineage = (left: Lineage, right: Lineage | undefined): boolean =>
  right !== undefined &&
  left.derived === right.derived &&
  left.opaque === right.opaque &&
  left.origins.length === right.origins.length

const union = (lineages: readonly Lineage[]): Lineage => {
  const [first, ...others] = lineages
  if (!first) return NOTHING
  if (others.length === 0) return first
  const origins = new Map(
    lineages.flatMap((one) => one.origins).map((origin) => [`${origin.relation}.${origin.column}`, origin]),
  )
  return {
    origins: [...origins.values()],
    derived: lineages.some((one) => one.derived),
    opaque: lineages.some((one) => one.opaque),
  }
}

const derived = (lineage: Lineage): Lineage =>
  lineage.origins.length > 0 || lineage.opaque ? { ...lineage, derived: true } : lineage

const whole = (lineage: Lineage, column: number): Lineage => (column === 0 ? derived(lineage) : lineage)
