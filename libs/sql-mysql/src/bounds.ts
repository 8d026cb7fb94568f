import type { CatalogueRelation } from './catalogue.ts'
import { looksAtColumn } from './shapeable.ts'
import type { Change, Expr } from './tree.ts'

/** How many rows a change can concern, by its own words. */
export interface Bounds {
  readonly unbounded: boolean
  readonly tautological: boolean
  readonly rowsAtMost?: number
}

export const boundsOf = ({ where, limit, from }: Change, relation: CatalogueRelation | undefined): Bounds => {
  const limited = numberOf(limit)
  const [only, more] = from
  const isSingle = only?.is === 'table' && !more
  const keyed = where && relation && isSingle ? rowsByKey(where, relation) : undefined
  const known = [limited, keyed].filter((rows) => rows !== undefined)
  return {
    unbounded: where === undefined && limited === undefined,
    tautological: where !== undefined && limited === undefined && isTautological(where),
    ...(known.length > 0 ? { rowsAtMost: Math.min(...known) } : {}),
  }
}

const numberOf = (expr: Expr | undefined): number | undefined =>
  expr?.is === 'constant' && expr.type === 'number' && /^\d{1,15}$/.test(expr.value) ? Number(expr.value) : undefined

/**
 * Keeps nothing out, as far as one can see. What looks at no column is held to be true: it keeps out everything or
 * nothing. What else there is, counting finds.
 */
export const isTautological = (expr: Expr): boolean => {
  if (expr.is === 'operator') {
    const [left, right] = expr.args
    if (expr.op === 'Nested' && left) return isTautological(left)
    if (expr.op === 'And') return expr.args.every(isTautological)
    if (expr.op === 'Or') return expr.args.some(isTautological) || isCompleted(expr.args)
    if (/^(Eq|GtEq|LtEq|Spaceship)$/.test(expr.op) && left && right && isSame(left, right)) return true
  }
  return !looksAtColumn(expr)
}

const isSame = (left: Expr, right: Expr): boolean =>
  left.is !== 'query' && JSON.stringify(left) === JSON.stringify(right)

/** `a IS NULL OR a IS NOT NULL`, `a = 1 OR a <> 1`, `a OR NOT a` */
const isCompleted = (args: readonly Expr[]): boolean => {
  const [left, right] = args
  if (left?.is !== 'operator' || right?.is !== 'operator') return false
  const isOpposite = OPPOSITES.some((pair) => pair.includes(left.op) && pair.includes(right.op) && left.op !== right.op)
  return isOpposite && JSON.stringify(left.args) === JSON.stringify(right.args)
}

const OPPOSITES = [
  ['Eq', 'NotEq'],
  ['Gt', 'LtEq'],
  ['Lt', 'GtEq'],
  ['IsNull', 'IsNotNull'],
  ['IsTrue', 'IsNotTrue'],
]

const INTEGERS = new Set(['tinyint', 'smallint', 'mediumint', 'int', 'bigint'])
/** A parameter may be compared as a floating point number, which stands for several integers of these. */
const EXACT_WITH_PARAMETER = new Set(['tinyint', 'smallint', 'mediumint', 'int'])
const TEXTS = new Set(['char', 'varchar'])

/**
 * `key = constant AND …`, nothing but comparisons of a column with constants, joined by AND: whatever else there is,
 * its precedence could be another one than it seems.
 */
const rowsByKey = (where: Expr, relation: CatalogueRelation): number | undefined => {
  const matched = new Map<string, number>()
  for (const condition of conditionsOf(where)) {
    const match = matchOf(condition)
    if (!match) return undefined
    const { column, values } = match
    const type = relation.columns.find(({ name }) => name.toLowerCase() === column)?.type
    if (values && type !== undefined && values.every((value) => fits(value, type))) matched.set(column, values.length)
  }
  const counts = relation.keys
    .filter((key) => key.every((column) => matched.has(column)))
    .map((key) => key.reduce((product, column) => product * (matched.get(column) ?? 1), 1))
  return counts.length > 0 ? Math.min(...counts) : undefined
}

const conditionsOf = (expr: Expr): readonly Expr[] => {
  if (expr.is === 'operator' && expr.op === 'And') return expr.args.flatMap(conditionsOf)
  return expr.is === 'operator' && expr.op === 'Nested' && expr.args[0] ? conditionsOf(expr.args[0]) : [expr]
}

interface Match {
  readonly column: string
  /** Of an equality. */
  readonly values?: readonly Expr[]
}

const COMPARES = new Set(['Eq', 'Gt', 'Lt', 'GtEq', 'LtEq', 'NotEq'])

const matchOf = (condition: Expr): Match | undefined => {
  if (condition.is !== 'operator') return undefined
  const [left, ...values] = condition.args
  const isPlain = left?.is === 'column' && values.every(({ is }) => is === 'constant' || is === 'parameter')
  const column = left?.is === 'column' ? left.path.at(-1)?.toLowerCase() : undefined
  if (!isPlain || column === undefined) return undefined
  if (condition.op === 'InList' || condition.op === 'Eq') return { column, values }
  return COMPARES.has(condition.op) || /^Is(Not)?Null$/.test(condition.op) ? { column } : undefined
}

/** A text compared with a number is compared as a number, and then many of them are equal. */
const fits = (value: Expr, type: string): boolean => {
  if (value.is === 'parameter') return EXACT_WITH_PARAMETER.has(type)
  if (value.is !== 'constant') return false
  if (INTEGERS.has(type)) return value.type === 'number' && /^\d{1,19}$/.test(value.value)
  return TEXTS.has(type) && value.type === 'string'
}
