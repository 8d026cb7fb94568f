import type { Catalogue } from './catalogue.ts'
import { isTransparent } from './harmless.ts'
import {
  bareExpression,
  calledFunctions,
  childrenOf,
  everyNode,
  fieldFlag,
  fieldNode,
  fieldNodes,
  fieldNumber,
  fieldText,
  isQuery,
  rangeTable,
} from './query-tree.ts'
import type { TreeNode } from './read-tree.ts'

/**
 * How many rows an UPDATE or DELETE can change because its condition gives a value for each column of a key; undefined
 * when it does not. Then no count is needed.
 */
export const rowsAtMost = (query: TreeNode, catalogue: Catalogue): number | undefined => {
  const index = fieldNumber(query, 'resultRelation')
  const entry = rangeTable(query)[index - 1]
  const join = fieldNode(query, 'jointree')
  const quals = join && fieldNode(join, 'quals')
  if (!entry || !quals || !isOnlySource(join, index)) return undefined
  const relation = fieldNumber(entry, 'relid')
  if (mayHoldTwice(relation, entry, catalogue)) return undefined
  const fixed = fixedColumns(conjuncts(quals), index, catalogue)
  const keys = catalogue.keys.get(relation) ?? []
  const counts = keys.map((columns) => product(columns.map((column) => fixed.get(column))))
  const known = counts.filter((count) => count !== undefined)
  return known.length > 0 ? Math.min(...known) : undefined
}

/** With USING or FROM every row of the target is still met once at most; but a rule's join is not looked into. */
const isOnlySource = (join: TreeNode, index: number): boolean => {
  const [source, second] = fieldNodes(join, 'fromlist')
  return source?.tag === 'RANGETBLREF' && fieldNumber(source, 'rtindex') === index && second === undefined
}

/** Tables that inherit keep a key each. A partitioned table's key holds for all of its partitions. */
const mayHoldTwice = (relation: number, entry: TreeNode, catalogue: Catalogue): boolean => {
  const known = catalogue.relations.get(relation)
  if (!known) return true
  return known.kind !== 'p' && known.hasChildren && fieldFlag(entry, 'inh')
}

const conjuncts = (condition: TreeNode): readonly TreeNode[] => {
  const isAnd = condition.tag === 'BOOLEXPR' && fieldText(condition, 'boolop') === 'and'
  return isAnd ? fieldNodes(condition, 'args').flatMap(conjuncts) : [condition]
}

/** Columns that a condition gives one of so many values. */
const fixedColumns = (
  conditions: readonly TreeNode[],
  index: number,
  catalogue: Catalogue,
): ReadonlyMap<number, number> => {
  const fixed = new Map<number, number>()
  for (const condition of conditions) {
    const found = fixedColumn(condition, index, catalogue)
    if (found) fixed.set(found.column, Math.min(found.values, fixed.get(found.column) ?? Infinity))
  }
  return fixed
}

interface Fixed {
  readonly column: number
  readonly values: number
}

const fixedColumn = (condition: TreeNode, index: number, catalogue: Catalogue): Fixed | undefined => {
  const isList = condition.tag === 'SCALARARRAYOPEXPR' && fieldFlag(condition, 'useOr')
  if (!isList && condition.tag !== 'OPEXPR') return undefined
  const routine = catalogue.functions.get(fieldNumber(condition, 'opfuncid'))
  if (!routine || !isTransparent(routine) || !EQUALITY.test(routine.name)) return undefined
  const [left, right] = fieldNodes(condition, 'args')
  if (!left || !right) return undefined
  const values = isList ? elementsOf(right) : 1
  if (values === undefined) return undefined
  return (
    fixedBy(left, right, values, condition, index, catalogue) ??
    (isList ? undefined : fixedBy(right, left, values, condition, index, catalogue))
  )
}

/** Equality of the types that keys are made of, as their indexes mean it. */
const EQUALITY =
  /^((int[248]|int24|int28|int42|int48|int82|int84|text|bpchar|name|char|oid|numeric|bytea|bool|citext_|enum_|uuid_|date_|timestamp_|timestamptz_|time_|timetz_|network_)eq)$/

const fixedBy = (
  column: TreeNode,
  value: TreeNode,
  values: number,
  condition: TreeNode,
  index: number,
  catalogue: Catalogue,
): Fixed | undefined => {
  const variable = plainVariable(column)
  const isOfTarget = variable && fieldNumber(variable, 'varno') === index && fieldNumber(variable, 'varlevelsup') === 0
  if (!isOfTarget || !isIndependent(value, 0, catalogue)) return undefined
  const collation = fieldNumber(condition, 'inputcollid')
  if (collation !== 0 && collation !== fieldNumber(variable, 'varcollid')) return undefined
  return { column: fieldNumber(variable, 'varattno'), values }
}

const TEXT = 25
const VARCHAR = 1043

/** varchar is compared as text, and means the same by it. Other casts may make two values one. */
const plainVariable = (node: TreeNode): TreeNode | undefined => {
  if (node.tag === 'VAR') return fieldNumber(node, 'varattno') > 0 ? node : undefined
  const arg =
    node.tag === 'RELABELTYPE' && fieldNumber(node, 'resulttype') === TEXT ? fieldNode(node, 'arg') : undefined
  return arg?.tag === 'VAR' && fieldNumber(arg, 'vartype') === VARCHAR ? arg : undefined
}

const elementsOf = (list: TreeNode): number | undefined => {
  const node = bareExpression(list)
  return node.tag === 'ARRAYEXPR' || node.tag === 'ARRAY' ? fieldNodes(node, 'elements').length : undefined
}

/** The same for every row of the target: no column of it, at whatever depth, and nothing that changes from call to call. */
const isIndependent = (value: TreeNode, depth: number, catalogue: Catalogue): boolean =>
  dependsOnNothing(value, depth) && everyNode([value]).every((node) => callsSteady(node, catalogue))

const dependsOnNothing = (node: TreeNode, depth: number): boolean => {
  if (node.tag === 'VAR') return fieldNumber(node, 'varlevelsup') < depth
  return childrenOf(node).every((child) => dependsOnNothing(child, isQuery(child) ? depth + 1 : depth))
}

const callsSteady = (node: TreeNode, catalogue: Catalogue): boolean =>
  calledFunctions(node, () => []).every((oid) => {
    const routine = catalogue.functions.get(oid)
    return routine !== undefined && isTransparent(routine) && routine.volatility !== 'volatile'
  })

const product = (values: readonly (number | undefined)[]): number | undefined =>
  values.every((value) => value !== undefined) ? values.reduce((total, value) => total * value, 1) : undefined
