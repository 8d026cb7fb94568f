import type { MysqlCommand } from './command.ts'
import type { Body, Expr, Query, Tree } from './tree.ts'

/**
 * Whether other constants in the same places mean the same: where a constant is a limit, the place of a column, or
 * decides alone whether a row is changed, they do not.
 */
export const isShapeable = ({ tree, inner, locks, named, intoVariables, unread }: MysqlCommand): boolean =>
  tree !== undefined &&
  inner === undefined &&
  !locks &&
  !named &&
  !intoVariables &&
  unread === undefined &&
  isTreeShapeable(tree)

const isTreeShapeable = (tree: Tree): boolean => {
  if (tree.is === 'query') return isQueryShapeable(tree.query)
  const { where, limit, order, source, ctes } = tree
  const queries = [...ctes.map(({ query }) => query), ...(source ? [source] : [])]
  return (
    limit === undefined &&
    !order.some(isConstant) &&
    (where === undefined || isConditionShapeable(where)) &&
    queries.every(isQueryShapeable)
  )
}

const isConstant = (expr: Expr): boolean => expr.is === 'constant'

const isQueryShapeable = ({ ctes, body, order }: Query): boolean =>
  ctes.every(({ query }) => isQueryShapeable(query)) && !order.some(isConstant) && isBodyShapeable(body)

const isBodyShapeable = (body: Body): boolean => {
  switch (body.is) {
    case 'select':
      return !body.group.some(isConstant)
    case 'set':
      return isBodyShapeable(body.left) && isBodyShapeable(body.right)
    case 'values':
      return true
    case 'nested':
      return isQueryShapeable(body.query)
  }
}

/** Each part of it looks at a column. */
const isConditionShapeable = (expr: Expr): boolean => {
  if (expr.is === 'operator' && /^(And|Or|Xor|Not|Nested)$/.test(expr.op)) return expr.args.every(isConditionShapeable)
  return looksAtColumn(expr)
}

export const looksAtColumn = (expr: Expr): boolean => {
  if (expr.is === 'column' || expr.is === 'query') return true
  return (expr.is === 'operator' || expr.is === 'call') && expr.args.some(looksAtColumn)
}
