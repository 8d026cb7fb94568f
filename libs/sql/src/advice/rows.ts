import type { DeleteStmt, Node, RangeVar, SelectStmt, UpdateStmt } from 'libpg-query'
import { isTautology } from '../boundedness.ts'
import type { CatalogueRelation } from '../server/catalogue.ts'
import { isRecord, nameOfList } from '../syntax-tree.ts'
import type { Advice } from './advice.ts'
import { withSql } from './indexes.ts'
import { keyOf, primaryKeyOf, relationNamed, type Known } from './known.ts'

/** So many rows at a time: a moment's work, and few enough to be let through where thousands are not. */
const PART = 1_000
/** From here on rows are worth being changed in parts. */
const MANY = 2

export const adviseDelete = (statement: DeleteStmt, known: Known): readonly Advice[] => {
  const { relation, whereClause } = statement
  const table = relationNamed(relation, known)
  if (!table) return []
  if (isEverything(whereClause)) return [byKey(table, known)]
  if (!isMany(known)) return []
  const text = `delete in parts, each in a transaction of its own, until one deletes nothing more`
  return [deletedInParts(statement, table, known, { code: 'delete-in-parts', text })]
}

export const adviseUpdate = ({ relation, whereClause }: UpdateStmt, known: Known): readonly Advice[] => {
  const table = relationNamed(relation, known)
  if (!table) return []
  if (isEverything(whereClause)) return [byKey(table, known)]
  const key = keyOf(table, known)?.[0]
  if (!isMany(known)) return []
  const range = key === undefined ? 'ranges of a key' : `ranges of ${table.name}.${key}`
  return [{ code: 'rows-in-parts', text: `change the rows in parts, by ${range}, each in a transaction of its own` }]
}

const isMany = ({ rows }: Known): boolean => rows === undefined || rows >= MANY

const isEverything = (condition: Node | undefined): boolean => condition === undefined || isTautology(condition)

const byKey = (table: CatalogueRelation, known: Known): Advice => {
  const key = keyOf(table, known)
  const columns = key?.map((column) => `${table.name}.${column}`).join(' and ')
  const text = columns === undefined ? 'name the rows that you mean in a WHERE clause' : `name the rows by ${columns}`
  return { code: 'rows-by-key', text }
}

/**
 * What is left after the last part must be what one DELETE would have left: so only where each row is judged by itself,
 * and rows are found again by one column.
 */
const deletedInParts = (statement: DeleteStmt, table: CatalogueRelation, known: Known, advice: Advice): Advice => {
  const { relation, usingClause, withClause, returningClause, whereClause } = statement
  const [column, another] = primaryKeyOf(table, known) ?? []
  const isPlain = !usingClause && !withClause && !returningClause && relation?.inh === true
  if (!isPlain || column === undefined || another !== undefined || table.hasChildren) return advice
  if (!judgesRowsAlone(whereClause, known)) return advice
  const { alias: _, ...plain } = relation
  return withSql(advice, {
    DeleteStmt: { relation: plain, whereClause: isAmong(column, firstOf(column, relation, whereClause)) },
  })
}

const columnRef = (column: string): Node => ({ ColumnRef: { fields: [{ String: { sval: column } }] } })

const isAmong = (column: string, subselect: SelectStmt): Node => ({
  SubLink: { subLinkType: 'ANY_SUBLINK', testexpr: columnRef(column), subselect: { SelectStmt: subselect } },
})

const firstOf = (column: string, relation: RangeVar, whereClause: Node | undefined): SelectStmt => ({
  targetList: [{ ResTarget: { val: columnOf(relation, column) } }],
  fromClause: [{ RangeVar: relation }],
  ...(whereClause && { whereClause }),
  sortClause: [
    {
      SortBy: {
        node: columnOf(relation, column),
        sortby_dir: 'SORTBY_DEFAULT',
        sortby_nulls: 'SORTBY_NULLS_DEFAULT',
      },
    },
  ],
  limitCount: { A_Const: { ival: { ival: PART } } },
  limitOption: 'LIMIT_OPTION_COUNT',
  op: 'SETOP_NONE',
})

/** By the name that the statement gives the relation: the condition may do so as well. */
const columnOf = ({ alias, relname }: RangeVar, column: string): Node => ({
  ColumnRef: { fields: [{ String: { sval: alias?.aliasname ?? relname ?? '' } }, { String: { sval: column } }] },
})

/** No other rows are asked about, and nothing that says another thing each time. */
const judgesRowsAlone = (condition: unknown, known: Known): boolean => {
  if (Array.isArray(condition)) return condition.every((part) => judgesRowsAlone(part, known))
  if (!isRecord(condition)) return true
  if ('SubLink' in condition || 'CurrentOfExpr' in condition) return false
  const call = condition['FuncCall']
  if (isRecord(call) && mayBeVolatile(call['funcname'], known)) return false
  return Object.values(condition).every((part) => judgesRowsAlone(part, known))
}

/** Of all functions of that name one is enough; one that is not known may be anything. */
export const mayBeVolatile = (funcname: unknown, { catalogue }: Known): boolean => {
  const { name } = nameOfList(Array.isArray(funcname) ? (funcname as Node[]) : [])
  const named = (catalogue.functionsByName.get(name) ?? []).map((oid) => catalogue.functions.get(oid))
  return named.length === 0 || named.some((one) => one === undefined || one.volatility === 'volatile')
}

export const adviseSelect = (statement: SelectStmt, known: Known): readonly Advice[] => [
  ...(locksEveryRow(statement) ? [LOCK_FEW] : []),
  ...namedColumns(statement, known),
]

const LOCK_FEW: Advice = {
  code: 'lock-few-rows',
  text: 'lock the rows that you mean, by their key; of a queue, take some with LIMIT and SKIP LOCKED',
}

const locksEveryRow = ({ lockingClause = [], limitCount, whereClause }: SelectStmt): boolean =>
  lockingClause.length > 0 && !limitCount && isEverything(whereClause)

/** `SELECT *` where something of it is sensitive: the columns that are not, when they all are of one relation. */
const namedColumns = ({ targetList = [], fromClause = [] }: SelectStmt, known: Known): readonly Advice[] => {
  const { sensitive = [], catalogue } = known
  if (sensitive.length === 0 || !targetList.some(isStar)) return []
  const [from, another] = fromClause
  const table = from && 'RangeVar' in from && !another ? relationNamed(from.RangeVar, known) : undefined
  const left = table && new Set(sensitive)
  const others = (table ? (catalogue.columns.get(table.oid) ?? []) : [])
    .filter(({ name }) => !left?.has(`${table?.schema}.${table?.name}.${name}`))
    .map(({ name }) => name)
  const instead = others.length > 0 ? ` (${few(others)} are not sensitive)` : ''
  return [
    {
      code: 'name-columns',
      text: `name the columns that you need in the place of *${instead}; sensitive are ${few(sensitive)}`,
    },
  ]
}

const NAMES_MAX = 20

const few = (names: readonly string[]): string =>
  [...names.slice(0, NAMES_MAX), ...(names.length > NAMES_MAX ? [`${names.length - NAMES_MAX} more`] : [])].join(', ')

const isStar = (target: Node): boolean => {
  const value = 'ResTarget' in target ? target.ResTarget.val : undefined
  const fields = value && 'ColumnRef' in value ? (value.ColumnRef.fields ?? []) : []
  return fields.some((field) => 'A_Star' in field)
}
