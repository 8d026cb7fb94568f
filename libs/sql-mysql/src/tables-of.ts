import type { Body, Cte, Expr, From, Item, Query, Tree } from './tree.ts'

type Path = readonly string[]

/** Each name of a table that a statement writes, common table expressions among them. */
export const tablesOf = (tree: Tree): readonly Path[] => {
  if (tree.is === 'query') return inQuery(tree.query)
  const { ctes, targets, from, assignments, source, where, order, returning } = tree
  return [
    ...inCtes(ctes),
    ...(tree.is === 'insert' ? targets : []),
    ...from.flatMap(inFrom),
    ...assignments.flatMap(({ value }) => inExpr(value)),
    ...(source ? inQuery(source) : []),
    ...(where ? inExpr(where) : []),
    ...order.flatMap(inExpr),
    ...returning.flatMap(inItem),
  ]
}

const inQuery = ({ ctes, body, order, limit }: Query): readonly Path[] => [
  ...inCtes(ctes),
  ...inBody(body),
  ...[...order, ...limit].flatMap(inExpr),
]

const inCtes = (ctes: readonly Cte[]): readonly Path[] => ctes.flatMap(({ query }) => inQuery(query))

const inBody = (body: Body): readonly Path[] => {
  switch (body.is) {
    case 'select':
      return [
        ...body.items.flatMap(inItem),
        ...body.from.flatMap(inFrom),
        ...[...body.group, ...body.windows, ...optional(body.where), ...optional(body.having)].flatMap(inExpr),
      ]
    case 'set':
      return [...inBody(body.left), ...inBody(body.right)]
    case 'values':
      return body.rows.flat().flatMap(inExpr)
    case 'nested':
      return inQuery(body.query)
  }
}

const optional = (expr: Expr | undefined): readonly Expr[] => (expr ? [expr] : [])

const inItem = (item: Item): readonly Path[] => (item.is === 'expr' ? inExpr(item.expr) : [])

const inFrom = (from: From): readonly Path[] => {
  switch (from.is) {
    case 'table':
      return isDual(from.path) ? [] : [from.path]
    case 'derived':
      return inQuery(from.query)
    case 'join':
      return [...from.parts.flatMap(inFrom), ...from.on.flatMap(inExpr)]
  }
}

/** `FROM DUAL` is no table. */
export const isDual = (path: Path): boolean => path.length === 1 && path[0]?.toUpperCase() === 'DUAL'

export const inExpr = (expr: Expr): readonly Path[] => {
  switch (expr.is) {
    case 'call':
    case 'operator':
      return expr.args.flatMap(inExpr)
    case 'query':
      return inQuery(expr.query)
    default:
      return []
  }
}
