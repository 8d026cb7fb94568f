import type { Node } from 'libpg-query'
import { constantsOf } from './shape.ts'
import { constantOf, isRecord, nameOfList, stringsOf } from './syntax-tree.ts'

/*
 * May other constants stand where the constants of this statement stand, without anything about it changing but the
 * values? Only places are accepted in which a constant is a value among values: compared or combined with something
 * that is not constant, inserted, assigned, or given out as it is.
 */

const STATEMENTS = new Set(['SelectStmt', 'InsertStmt', 'UpdateStmt', 'DeleteStmt'])

/** Arithmetic and comparison. Patterns are no plain values: `LIKE '%'` keeps nothing out. */
const OPERATORS = new Set(['=', '<>', '<', '>', '<=', '>=', '+', '-', '*', '/', '%', '||'])
const KINDS = new Set([
  'AEXPR_OP',
  'AEXPR_IN',
  'AEXPR_BETWEEN',
  'AEXPR_NOT_BETWEEN',
  'AEXPR_DISTINCT',
  'AEXPR_NOT_DISTINCT',
])

/** Types whose input functions read the value and nothing else. `'orders'::regclass` names a relation. */
const PLAIN_TYPES = new Set(
  `int2 int4 int8 float4 float8 numeric bool text varchar bpchar date time timetz timestamp timestamptz uuid json
  jsonb bytea inet cidr`.split(/\s+/),
)

export const isShapeable = (statement: Node | undefined, text: string): boolean => {
  if (!statement || !STATEMENTS.has(Object.keys(statement)[0] ?? '')) return false
  const tally: Tally = { accepted: 0, refused: false }
  walk(statement, false, tally)
  return !tally.refused && tally.accepted === constantsOf(text).length
}

interface Tally {
  /** Constants in places that are accepted: as many as the text has, or one of them went elsewhere. */
  accepted: number
  refused: boolean
}

/** `accepts`: a constant that stands directly here is a value among values. */
const walk = (value: unknown, accepts: boolean, tally: Tally): void => {
  if (tally.refused) return
  if (Array.isArray(value)) return value.forEach((item) => walk(item, accepts, tally))
  if (!isRecord(value)) return
  for (const [key, child] of Object.entries(value)) {
    if (key === 'A_Const') count({ A_Const: child } as Node, accepts, tally)
    else if (isRecord(child) && /^[A-Z]/.test(key)) node(key, child, accepts, tally)
    else walk(child, false, tally)
  }
}

const count = (constant: Node, accepts: boolean, tally: Tally): void => {
  const kind = constantOf(constant)?.kind
  if (kind === 'null' || kind === 'boolean') return // Words, which the shape keeps.
  if (accepts) tally.accepted += 1
  else tally.refused = true
}

const node = (tag: string, fields: Record<string, unknown>, accepts: boolean, tally: Tally): void => {
  if (mayBeFixed(tag, fields)) tally.refused = true
  const accepted = acceptedFields(tag, fields, accepts)
  for (const [key, child] of Object.entries(fields)) walk(child, accepted.includes(key), tally)
}

const NONE: readonly string[] = []

/** The fields of a node in which a constant is a plain value. */
const acceptedFields = (tag: string, fields: Record<string, unknown>, accepts: boolean): readonly string[] => {
  if (tag === 'A_Expr') return isPlainOperator(fields) ? ['lexpr', 'rexpr'] : NONE
  if (tag === 'List') return accepts ? ['items'] : NONE
  if (tag === 'ResTarget') return ['val']
  if (tag === 'SelectStmt') return ['valuesLists', 'limitCount', 'limitOffset']
  if (tag === 'CaseWhen') return ['result']
  if (tag === 'CaseExpr') return ['defresult']
  if (tag === 'CoalesceExpr') return ['args']
  return tag === 'TypeCast' && accepts && isPlainType(fields['typeName']) ? ['arg'] : NONE
}

const COMPARISONS = new Set(['=', '<>', '<', '>', '<=', '>='])

/**
 * With constants on both sides of a comparison the answer may be fixed (`a + 1 = a + 1`), and then their values decide
 * it; the same of `(a + 1) IS NULL OR …` (`coversNull`).
 */
const mayBeFixed = (tag: string, fields: Record<string, unknown>): boolean => {
  if (tag === 'NullTest') return holdsConstant(fields)
  const isComparison = tag === 'A_Expr' && COMPARISONS.has(operatorOf(fields['name']))
  return isComparison && holdsConstant(fields['lexpr']) && holdsConstant(fields['rexpr'])
}

const isPlainOperator = ({ kind, name }: Record<string, unknown>): boolean =>
  KINDS.has(String(kind)) && OPERATORS.has(operatorOf(name))

/** BETWEEN and IN are written as words. */
const operatorOf = (name: unknown): string => {
  const operator = Array.isArray(name) ? (stringsOf(name as Node[]).at(-1) ?? '') : ''
  return /BETWEEN/.test(operator) ? '=' : operator
}

const holdsConstant = (value: unknown): boolean => {
  if (Array.isArray(value)) return value.some(holdsConstant)
  return isRecord(value) && ('A_Const' in value || Object.values(value).some(holdsConstant))
}

const isPlainType = (type: unknown): boolean => {
  if (!isRecord(type) || type['typmods'] || type['arrayBounds']) return false
  const { schema = 'pg_catalog', name } = nameOfList(type['names'] as Node[])
  return schema === 'pg_catalog' && PLAIN_TYPES.has(name)
}
