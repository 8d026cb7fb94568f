import { isList, isNode, type TreeNode, type TreeValue } from './read-tree.ts'

/*
 * Fields of the server's query tree, by PostgreSQL's own names (parsenodes.h, primnodes.h).
 */

export const fieldNumber = (node: TreeNode, field: string): number => {
  const value = node.fields[field]
  return typeof value === 'string' ? Number(value) : 0
}

export const fieldText = (node: TreeNode, field: string): string | undefined => {
  const value = node.fields[field]
  return typeof value === 'string' ? value : undefined
}

export const fieldFlag = (node: TreeNode, field: string): boolean => node.fields[field] === 'true'

export const fieldNode = (node: TreeNode, field: string): TreeNode | undefined => {
  const value = node.fields[field]
  return isNode(value) ? value : undefined
}

export const fieldNodes = (node: TreeNode, field: string): readonly TreeNode[] => {
  const value = node.fields[field]
  return isList(value) ? value.filter(isNode) : []
}

/** A set of column numbers is printed as `(b 8 10)`, counted from the first system column, so 8 is column 1. */
const FIRST_COLUMN = -7

export const fieldColumns = (node: TreeNode, field: string): readonly number[] => {
  const value = node.fields[field]
  return isList(value) ? value.slice(1).map((bit) => Number(bit) + FIRST_COLUMN) : []
}

/** Asked for each node of each tree, several times. */
export const childrenOf = (node: TreeNode): readonly TreeNode[] => {
  const found: TreeNode[] = []
  for (const field in node.fields) collectNodes(node.fields[field], found)
  return found
}

const collectNodes = (value: TreeValue | undefined, found: TreeNode[]): void => {
  if (typeof value !== 'object' || value === null) return
  if (isNode(value)) found.push(value)
  else if (isList(value)) for (const item of value) collectNodes(item, found)
}

/** Every node of a tree, the given ones included. */
export const everyNode = (roots: readonly TreeNode[]): readonly TreeNode[] => {
  const found: TreeNode[] = []
  const waiting = [...roots]
  for (let node = waiting.pop(); node; node = waiting.pop()) {
    found.push(node)
    waiting.push(...childrenOf(node))
  }
  return found
}

export type QueryKind = 'select' | 'update' | 'insert' | 'delete' | 'merge' | 'utility' | 'nothing' | 'unknown'

const KINDS: readonly QueryKind[] = ['unknown', 'select', 'update', 'insert', 'delete', 'merge', 'utility', 'nothing']
const MERGE_SINCE = 150_000

/** MERGE came with version 15, and moved the numbers behind it. */
export const queryKind = (query: TreeNode, serverVersion: number): QueryKind => {
  const number = fieldNumber(query, 'commandType')
  return KINDS[serverVersion < MERGE_SINCE && number > 4 ? number + 1 : number] ?? 'unknown'
}

export const isQuery = ({ tag }: TreeNode): boolean => tag === 'QUERY'

/** Labels changed with version 16, when the writers of nodes came to be generated. */
export const isRangeEntry = ({ tag }: TreeNode): boolean => tag === 'RTE' || tag === 'RANGETBLENTRY'

export const RANGE = {
  relation: 0,
  subquery: 1,
  join: 2,
  function: 3,
  tableFunction: 4,
  values: 5,
  cte: 6,
  transition: 7,
  result: 8,
  group: 9,
} as const

export const rangeKind = (entry: TreeNode): number => fieldNumber(entry, 'rtekind')

export const rangeTable = (query: TreeNode): readonly TreeNode[] => fieldNodes(query, 'rtable')

/** Fields that hold the number of a function that is called. */
const CALLS = [
  'funcid',
  'opfuncid',
  'aggfnoid',
  'winfnoid',
  'tsmhandler',
  'hashfuncid',
  'negfuncid',
  'startInRangeFunc',
  'endInRangeFunc',
] as const

/** The functions that this one node calls; those behind operators are looked up. */
export const calledFunctions = (
  node: TreeNode,
  functionsOfOperator: (operator: number) => readonly number[],
): readonly number[] => {
  const direct = CALLS.map((field) => fieldNumber(node, field)).filter((oid) => oid > 0)
  return [...direct, ...operatorsOf(node).flatMap(functionsOfOperator)]
}

/** One, or, where rows are compared, one for each field. */
const operatorsOf = (node: TreeNode): readonly number[] => [
  ...['opno', 'eqop', 'sortop'].map((field) => fieldNumber(node, field)).filter((oid) => oid > 0),
  ...fieldNumbers(node, 'opnos'),
]

/** A list of the server's numbers is printed as `(o 96 98)`. */
const fieldNumbers = (node: TreeNode, field: string): readonly number[] => numbersIn(node.fields[field])

const numbersIn = (value: TreeValue | undefined): readonly number[] => {
  if (typeof value === 'string') return [Number(value)].filter(Number.isSafeInteger)
  return isList(value) ? value.slice(1).map(Number).filter(Number.isSafeInteger) : []
}

/** The types that this one node speaks of: of constants, columns, results, elements, rows. */
export const typesOf = (node: TreeNode): readonly number[] =>
  Object.entries(node.fields).flatMap(([field, value]) => (/typ/i.test(field) ? numbersIn(value) : []))

/** COLLATE is what it was called before version 15. */
const TRANSPARENT: ReadonlySet<string> = new Set(['RELABELTYPE', 'COLLATEEXPR', 'COLLATE', 'RETURNINGEXPR'])

/** What the nodes in front of an expression do not change: a relabelled or re-collated value is the same value. */
export const bareExpression = (node: TreeNode): TreeNode => {
  const arg = TRANSPARENT.has(node.tag) ? (fieldNode(node, 'arg') ?? fieldNode(node, 'retexpr')) : undefined
  return arg ? bareExpression(arg) : node
}
