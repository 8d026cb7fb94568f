import type {
  Alias,
  CommonTableExpr,
  FuncCall,
  JoinExpr,
  LockingClause,
  Node,
  RangeVar,
  SelectStmt,
  WithClause,
} from 'libpg-query'
import type { Name } from './action.ts'
import { constantText, isRecord, nameOfList, nameOfRelation, stringsOf } from './syntax-tree.ts'

/*
 * What a query mentions, by the names that it writes: the relations it reads, the changes inside it, the functions,
 * operators and types it uses. Names of common table expressions are no relations.
 */

export interface FunctionUse extends Name {
  /** Constant arguments as text, null for NULL, undefined for anything that is computed. */
  readonly args: readonly (string | null | undefined)[]
}

export interface Lock {
  readonly limited: boolean
}

/** A data-changing statement at any place of the query, with the common table expressions that it can see. */
export interface ChangeNode {
  readonly node: Node
  readonly ctes: readonly VisibleCte[]
  readonly recursive: boolean
}

export interface VisibleCte {
  readonly cte: CommonTableExpr
  readonly changes: boolean
}

export interface QueryParts {
  readonly reads: Name[]
  readonly changes: ChangeNode[]
  readonly functions: FunctionUse[]
  readonly operators: Name[]
  readonly types: Name[]
  /** `a.b` and `(a).b` can call a function b: only the server knows. */
  readonly attributes: string[]
  readonly locks: Lock[]
  /** Targets of SELECT INTO, which only the outermost query may have. */
  readonly into: RangeVar[]
  readonly parameters: Set<number>
  readonly columns: MentionedColumns
  /** The largest number of rows that constant series are multiplied to. */
  rowsMultiplied: number
}

/**
 * The names that may be columns of what is read. Text does not say of which relation; but a column that is not named
 * is not read, unless whole rows are.
 */
export interface MentionedColumns {
  readonly names: Set<string>
  /** `c.email`: what stands before the dot, and what stands behind it. */
  readonly qualified: [string, string][]
  /** `*`, NATURAL, and names that are given to columns anew. */
  every: boolean
  /** What rows are called here: by itself such a name means every column. */
  readonly rows: Set<string>
  /** Names that are not followed by another: of columns, or of rows. */
  readonly last: Set<string>
}

/** The names that a statement can mean columns by; undefined: it may mean any. */
export const mentionedColumns = ({ columns }: QueryParts): readonly string[] | undefined => {
  const { names, qualified, every, rows, last } = columns
  if (every || [...last].some((name) => rows.has(name))) return undefined
  // Behind anything else than the name of rows stands a field of a variable.
  const ofRows = qualified.flatMap(([row, name]) => (rows.has(row) ? [name] : []))
  return [...new Set([...names, ...ofRows])].toSorted()
}

/** Rows that a statement can speak of without having named them. */
const ROWS_OF_STATEMENTS = ['old', 'new', 'excluded']

interface Scope {
  readonly ctes: readonly VisibleCte[]
  readonly recursive: boolean
}

const outermost: Scope = { ctes: [], recursive: false }

export const queryParts = (root: unknown): QueryParts => {
  const parts: QueryParts = {
    reads: [],
    changes: [],
    functions: [],
    operators: [],
    types: [],
    attributes: [],
    locks: [],
    into: [],
    parameters: new Set(),
    columns: { names: new Set(), qualified: [], every: false, rows: new Set(ROWS_OF_STATEMENTS), last: new Set() },
    rowsMultiplied: 0,
  }
  new Visitor(parts).visit(root, outermost)
  return parts
}

/** Fields that hold a relation without its tag. `relation` of a changing statement is handled where it is changed. */
const RELATION_FIELDS = new Set(['relation', 'sequence', 'view', 'rel', 'table', 'constrrel', 'sourceRelation'])
const SELECT_FIELDS = new Set(['larg', 'rarg'])
const CHANGING = new Set(['InsertStmt', 'UpdateStmt', 'DeleteStmt', 'MergeStmt'])

class Visitor {
  private readonly parts: QueryParts

  constructor(parts: QueryParts) {
    this.parts = parts
  }

  visit(value: unknown, scope: Scope): void {
    if (Array.isArray(value)) {
      for (const item of value) this.visit(item, scope)
    } else if (isRecord(value)) {
      for (const [key, child] of Object.entries(value)) this.enter(key, child, scope)
    }
  }

  private enter(key: string, value: unknown, scope: Scope): void {
    if (!isRecord(value)) return this.visit(value, scope)
    if (key === 'SelectStmt' || SELECT_FIELDS.has(key)) return this.select(value, scope)
    if (CHANGING.has(key)) return this.change(changeNode(key, value), value, scope)
    if (key === 'RangeVar' || (RELATION_FIELDS.has(key) && 'relname' in value)) return this.relation(value, scope)
    this.note(key, value)
    this.column(key, value)
    this.visit(value, scope)
  }

  /** What may be the name of a column. `email(c)` is another way to write `c.email`. */
  private column(key: string, value: Record<string, unknown>): void {
    const { columns } = this.parts
    if (key === 'ColumnRef') this.reference(value['fields'] as Node[])
    else if (key === 'FuncCall' || key === 'funccall') columns.names.add(functionUse(value as FuncCall).name)
    else if (key === 'A_Indirection') this.fields((value['indirection'] as Node[]).filter(isNameOrStar))
    else if (key === 'JoinExpr') this.joined(value as JoinExpr)
    else if (key === 'alias') this.aliased(value as Alias)
  }

  private reference(fields: readonly Node[]): void {
    const { columns } = this.parts
    const [name = '', row] = stringsOf(fields).toReversed()
    if (fields.some((field) => 'A_Star' in field)) columns.every = true
    columns.last.add(name)
    if (row === undefined) columns.names.add(name)
    else columns.qualified.push([row, name])
  }

  private fields(fields: readonly Node[]): void {
    for (const name of stringsOf(fields)) this.parts.columns.names.add(name)
    if (fields.some((field) => 'A_Star' in field)) this.parts.columns.every = true
  }

  private joined({ isNatural, usingClause }: JoinExpr): void {
    if (isNatural) this.parts.columns.every = true
    for (const name of stringsOf(usingClause ?? [])) this.parts.columns.names.add(name)
  }

  private aliased({ aliasname, colnames }: Alias): void {
    if (aliasname !== undefined) this.parts.columns.rows.add(aliasname)
    if (colnames && colnames.length > 0) this.parts.columns.every = true
  }

  /** The tags below are checked by name; the grammar promises their fields. */
  private note(key: string, value: Record<string, unknown>): void {
    if (key === 'FuncCall' || key === 'funccall') this.parts.functions.push(functionUse(value as FuncCall))
    else if (key === 'A_Expr') this.operator(value['name'])
    else if (key === 'SubLink') this.operator(value['operName'])
    else if (key === 'SortBy') this.operator(value['useOp'])
    else if (key === 'TypeName' || key === 'typeName') this.parts.types.push(nameOfList(value['names'] as Node[]))
    else if (key === 'ColumnRef') this.attribute(value['fields'] as Node[])
    else if (key === 'A_Indirection') this.parts.attributes.push(...stringsOf(value['indirection'] as Node[]))
    else if (key === 'ParamRef') this.parts.parameters.add(Number(value['number'] ?? 0))
  }

  private operator(name: unknown): void {
    if (Array.isArray(name) && name.length > 0) this.parts.operators.push(nameOfList(name as Node[]))
  }

  private attribute(fields: readonly Node[]): void {
    if (fields.length > 1) this.parts.attributes.push(...stringsOf(fields).slice(-1))
  }

  private relation(relation: RangeVar, { ctes }: Scope): void {
    const name = nameOfRelation(relation)
    this.named(relation)
    const isCte = name.schema === undefined && ctes.some(({ cte }) => cte.ctename === name.name)
    if (!isCte) this.parts.reads.push(name)
  }

  private named({ relname, alias }: RangeVar): void {
    if (relname !== undefined) this.parts.columns.rows.add(relname)
    if (alias) this.aliased(alias)
  }

  private select(select: SelectStmt, outer: Scope): void {
    const scope = this.withClause(select.withClause, outer)
    const { withClause: _, intoClause, lockingClause, ...rest } = select
    this.parts.rowsMultiplied = Math.max(this.parts.rowsMultiplied, rowsMultiplied(select))
    if (intoClause?.rel) this.parts.into.push(intoClause.rel)
    for (const clause of lockingClause ?? []) this.lock(clause, select)
    this.visit(rest, scope)
  }

  private lock(clause: Node, select: SelectStmt): void {
    const isLocking = 'LockingClause' in clause
    if (isLocking) this.parts.locks.push({ limited: isLimited(clause.LockingClause, select) })
  }

  private change(node: Node, statement: Record<string, unknown>, outer: Scope): void {
    const scope = this.withClause(statement['withClause'] as WithClause | undefined, outer)
    const { withClause: _, relation, ...rest } = statement
    if (isRecord(relation)) this.named(relation as RangeVar)
    this.visit(rest, scope)
    this.parts.changes.push({ node, ...scope })
  }

  /** A common table expression sees those before it; in a WITH RECURSIVE it sees all of them. */
  private withClause(clause: WithClause | undefined, outer: Scope): Scope {
    if (!clause) return outer
    const own = (clause.ctes ?? []).flatMap((node) =>
      'CommonTableExpr' in node ? [visibleCte(node.CommonTableExpr)] : [],
    )
    const recursive = clause.recursive ?? false
    own.forEach(({ cte }, index) => {
      const seen = recursive ? own : own.slice(0, index)
      this.visit(cte.ctequery, { ctes: [...outer.ctes, ...seen], recursive: recursive || outer.recursive })
    })
    return { ctes: [...outer.ctes, ...own], recursive: recursive || outer.recursive }
  }
}

const isNameOrStar = (node: Node): boolean => 'String' in node || 'A_Star' in node

/** The tag has just been found among those of changing statements. */
const changeNode = (tag: string, statement: Record<string, unknown>) => ({ [tag]: statement }) as unknown as Node

const visibleCte = (cte: CommonTableExpr): VisibleCte => ({
  cte,
  changes: CHANGING.has(Object.keys(cte.ctequery ?? {})[0] ?? ''),
})

const isLimited = (_: LockingClause, { limitCount, whereClause, fromClause }: SelectStmt) =>
  limitCount !== undefined || whereClause !== undefined || fromClause === undefined

/** How many rows `FROM generate_series(1, 1000) a, generate_series(1, 1000) b` makes when no condition keeps any out. */
const rowsMultiplied = ({ fromClause, whereClause, limitCount }: SelectStmt): number =>
  whereClause || (limitCount && !fromClause) ? 0 : (fromClause ?? []).reduce((rows, item) => rows * rowsOfItem(item), 1)

const rowsOfItem = (item: Node): number => {
  if ('JoinExpr' in item) {
    const { larg, rarg, quals, usingClause, isNatural } = item.JoinExpr
    const isCross = !quals && !usingClause && !isNatural
    return isCross ? (larg ? rowsOfItem(larg) : 1) * (rarg ? rowsOfItem(rarg) : 1) : 1
  }
  const functions = 'RangeFunction' in item ? (item.RangeFunction.functions ?? []) : []
  return Math.max(1, ...functions.map((entry) => ('List' in entry ? seriesLength(entry.List.items?.[0]) : 1)))
}

const seriesLength = (node: Node | undefined): number => {
  if (!node || !('FuncCall' in node) || nameOfList(node.FuncCall.funcname).name !== 'generate_series') return 1
  const [from, to, step = 1] = functionUse(node.FuncCall).args.map(Number)
  const length = Math.floor(((to ?? NaN) - (from ?? NaN)) / step) + 1
  return Number.isFinite(length) ? Math.max(1, length) : 1
}

const functionUse = ({ funcname, args }: FuncCall): FunctionUse => ({
  ...nameOfList(funcname),
  args: (args ?? []).map((arg) => constantText('NamedArgExpr' in arg ? arg.NamedArgExpr.arg : arg)),
})
