/*
 * What is kept of a query after the parsers have agreed on it: what names it uses where, and nothing of how it is
 * written. Plain data.
 */

export type Expr =
  | {
      readonly is: 'constant'
      readonly type: 'number' | 'string' | 'bits' | 'null' | 'boolean'
      readonly value: string
    }
  | { readonly is: 'parameter' }
  | { readonly is: 'column'; readonly path: readonly string[] }
  | { readonly is: 'variable'; readonly name: string }
  | { readonly is: 'call'; readonly name: readonly string[]; readonly args: readonly Expr[]; readonly every: boolean }
  /** AND, OR, =, CASE, CAST …: computed from its parts, by the server's own code. */
  | { readonly is: 'operator'; readonly op: string; readonly args: readonly Expr[] }
  | { readonly is: 'query'; readonly query: Query; readonly gives: 'value' | 'list' | 'whether' }

export interface Query {
  readonly ctes: readonly Cte[]
  readonly body: Body
  readonly order: readonly Expr[]
  readonly limit: readonly Expr[]
}

export interface Cte {
  readonly name: string
  readonly columns: readonly string[]
  readonly recursive: boolean
  readonly query: Query
}

export type Body =
  | Select
  | { readonly is: 'set'; readonly left: Body; readonly right: Body }
  | { readonly is: 'values'; readonly rows: readonly (readonly Expr[])[] }
  | { readonly is: 'nested'; readonly query: Query }

export interface Select {
  readonly is: 'select'
  readonly items: readonly Item[]
  readonly from: readonly From[]
  readonly where?: Expr
  readonly group: readonly Expr[]
  readonly having?: Expr
  readonly windows: readonly Expr[]
}

export type Item =
  | { readonly is: 'expr'; readonly expr: Expr; readonly alias?: string }
  | { readonly is: 'star'; readonly of?: readonly string[] }

export type From =
  | { readonly is: 'table'; readonly path: readonly string[]; readonly alias?: string }
  | { readonly is: 'derived'; readonly query: Query; readonly alias: string; readonly columns: readonly string[] }
  | {
      readonly is: 'join'
      readonly parts: readonly From[]
      readonly on: readonly Expr[]
      readonly using: readonly string[]
      readonly natural: boolean
      readonly conditional: boolean
    }

export interface Assignment {
  readonly column: readonly string[]
  readonly value: Expr
}

export interface Change {
  readonly is: 'insert' | 'update' | 'delete'
  readonly ctes: readonly Cte[]
  /** Names of tables, or of aliases of `from`. */
  readonly targets: readonly (readonly string[])[]
  readonly from: readonly From[]
  readonly columns: readonly string[]
  readonly assignments: readonly Assignment[]
  readonly source?: Query
  readonly replaces: boolean
  readonly updatesDuplicates: boolean
  readonly where?: Expr
  readonly order: readonly Expr[]
  readonly limit?: Expr
  readonly returning: readonly Item[]
}

export type Tree = { readonly is: 'query'; readonly query: Query } | Change
