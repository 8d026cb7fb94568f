import type { A_Expr, BoolExpr, NullTest, Node } from 'libpg-query'
import { constantOf, sameTree, stringsOf } from './syntax-tree.ts'

/*
 * Does a condition keep anything out? Only what can be read off the text: constants, and expressions that are
 * compared with themselves. It explains; what protects is the count of the rows (count-query.ts).
 */

/** Three-valued: true and false whatever the row holds, undefined when it depends. */
export type Truth = boolean | undefined

export const isTautology = (condition: Node | undefined): boolean => truthOf(condition) === true

export const truthOf = (node: Node | undefined): Truth => {
  if (!node) return undefined
  if ('A_Const' in node) return truthOfConstant(node)
  if ('BoolExpr' in node) return truthOfBoolean(node.BoolExpr)
  if ('A_Expr' in node) return truthOfComparison(node.A_Expr)
  if ('NullTest' in node) return truthOfNullTest(node.NullTest)
  if ('TypeCast' in node) return truthOf(node.TypeCast.arg)
  if ('BooleanTest' in node)
    return node.BooleanTest.booltesttype === 'IS_TRUE' ? truthOf(node.BooleanTest.arg) : undefined
  if ('SubLink' in node) return truthOfSubLink(node)
  return undefined
}

const truthOfConstant = (node: Node): Truth => {
  const constant = constantOf(node)
  if (constant?.kind === 'boolean') return constant.value
  if (constant?.kind !== 'string') return undefined
  const text = constant.value.trim().toLowerCase()
  if (['t', 'true', 'y', 'yes', 'on', '1'].includes(text)) return true
  return ['f', 'false', 'n', 'no', 'off', '0'].includes(text) ? false : undefined
}

const truthOfBoolean = ({ boolop, args }: BoolExpr): Truth => {
  const parts = (args ?? []).map(truthOf)
  if (boolop === 'NOT_EXPR') return parts[0] === undefined ? undefined : !parts[0]
  if (boolop === 'AND_EXPR') return parts.includes(false) ? false : parts.every((part) => part === true) || undefined
  if (parts.includes(true) || coversNull(args ?? [])) return true
  return parts.every((part) => part === false) ? false : undefined
}

/** `x = x OR x IS NULL`, and `x IS NULL OR x IS NOT NULL`. */
const coversNull = (args: readonly Node[]): boolean => {
  const nulls = args.flatMap((arg) =>
    'NullTest' in arg && arg.NullTest.nulltesttype === 'IS_NULL' ? [arg.NullTest.arg] : [],
  )
  return nulls.some((operand) => args.some((arg) => holdsUnlessNull(arg, operand)))
}

const holdsUnlessNull = (arg: Node, operand: Node | undefined): boolean => {
  if ('NullTest' in arg) return arg.NullTest.nulltesttype === 'IS_NOT_NULL' && sameTree(arg.NullTest.arg, operand)
  return 'A_Expr' in arg && comparesWithItself(arg.A_Expr) && sameTree(arg.A_Expr.lexpr, operand)
}

const truthOfComparison = (expression: A_Expr): Truth => {
  if (expression.kind === 'AEXPR_IN') return truthOfIn(expression)
  if (expression.kind === 'AEXPR_LIKE' || expression.kind === 'AEXPR_ILIKE') return matchesAll(expression, /^%+$/)
  if (expression.kind === 'AEXPR_NOT_DISTINCT') return sameTree(expression.lexpr, expression.rexpr) || undefined
  if (expression.kind !== 'AEXPR_OP') return undefined
  const operator = stringsOf(expression.name).at(-1) ?? ''
  if (/^~\*?$/.test(operator)) return matchesAll(expression, /^\^?(\.\*)?\$?$/)
  return truthOfConstants(operator, expression) ?? (comparesWithItself(expression) || undefined)
}

const comparesWithItself = ({ name, lexpr, rexpr }: A_Expr): boolean =>
  ['=', '>=', '<='].includes(stringsOf(name).at(-1) ?? '') &&
  lexpr !== undefined &&
  constantOf(lexpr) === undefined &&
  sameTree(lexpr, rexpr)

const matchesAll = ({ name, rexpr }: A_Expr, everything: RegExp): Truth => {
  const pattern = constantOf(rexpr)
  const isNegated = stringsOf(name).at(-1)?.startsWith('!') ?? false
  return pattern?.kind === 'string' && everything.test(pattern.value) && !isNegated ? true : undefined
}

const truthOfConstants = (operator: string, { lexpr, rexpr }: A_Expr): Truth => {
  const left = comparable(lexpr)
  const right = comparable(rexpr)
  if (left === undefined || right === undefined || typeof left !== typeof right) return undefined
  if (operator === '=') return left === right
  if (operator === '<>') return left !== right
  if (typeof left !== 'number' || typeof right !== 'number') return undefined // The collation decides.
  if (operator === '<') return left < right
  if (operator === '>') return left > right
  if (operator === '<=') return left <= right
  return operator === '>=' ? left >= right : undefined
}

const comparable = (node: Node | undefined): number | string | undefined => {
  const constant = constantOf(node)
  return constant?.kind === 'number' || constant?.kind === 'string' ? constant.value : undefined
}

const truthOfIn = ({ name, lexpr, rexpr }: A_Expr): Truth => {
  const items = rexpr && 'List' in rexpr ? (rexpr.List.items ?? []) : []
  const left = comparable(lexpr)
  const found = left === undefined ? undefined : items.some((item) => comparable(item) === left)
  const isNegated = stringsOf(name).at(-1) === '<>'
  return found === true ? !isNegated : undefined
}

/** Words that always have a value. */
const NEVER_NULL = new Set(['SQLValueFunction', 'A_Const', 'A_ArrayExpr', 'RowExpr'])

const truthOfNullTest = ({ nulltesttype, arg }: NullTest): Truth => {
  if (!arg || constantOf(arg)?.kind === 'null') return arg ? nulltesttype === 'IS_NULL' : undefined
  const isPresent = NEVER_NULL.has(Object.keys(arg)[0] ?? '') && !('RowExpr' in arg)
  return isPresent ? nulltesttype === 'IS_NOT_NULL' : undefined
}

/** `EXISTS (SELECT 1)` and `(SELECT true)`: a sub-query without a source has one row. */
const truthOfSubLink = (node: Node): Truth => {
  if (!('SubLink' in node)) return undefined
  const { subLinkType, subselect } = node.SubLink
  const select = subselect && 'SelectStmt' in subselect ? subselect.SelectStmt : undefined
  const isOneRow = select?.op === 'SETOP_NONE' && !select.fromClause && !select.whereClause && !select.havingClause
  if (!isOneRow || select.limitCount || select.limitOffset || select.withClause) return undefined
  if (subLinkType === 'EXISTS_SUBLINK') return true
  const target = select.targetList?.[0]
  const value = target && 'ResTarget' in target ? target.ResTarget.val : undefined
  return subLinkType === 'EXPR_SUBLINK' && constantOf(value)?.kind !== 'string' ? truthOf(value) : undefined
}
