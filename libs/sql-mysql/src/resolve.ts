import { danger, type Action, type ColumnName, type Through } from '@countersign/sql'
import {
  isSystemSchema,
  keyOf,
  type CatalogueRelation,
  type CatalogueRoutine,
  type MysqlCatalogue,
} from './catalogue.ts'
import type { Findings, FoundUse } from './findings.ts'
import { functionKind } from './functions.ts'
import type { MysqlSession } from './session.ts'
import { isDual } from './tables-of.ts'
import type { Body, Cte, Expr, From, Item, Query, Select } from './tree.ts'
import { viewTree } from './view-tree.ts'

/* What names mean, and where the values of each output come from. */

/** Where values come from. */
export interface Source {
  readonly origins: readonly ColumnName[]
  readonly derived: boolean
  readonly opaque: boolean
}

export interface Output extends Source {
  readonly name: string
  /** `*` does not give it. */
  readonly invisible?: boolean
  /** `*` gives it once, with another one that it is joined with. */
  readonly joined?: boolean
}

export interface Table {
  /** As expressions may call it. */
  readonly alias: string
  readonly schema?: string
  readonly outputs: readonly Output[]
  /** It may have columns that are not known here. */
  readonly open: boolean
}

export interface Scope {
  readonly tables: readonly Table[]
  /** Columns that `*` gives, where it is not one table after the other. */
  readonly aliases: readonly Output[]
  readonly parent: Scope | undefined
}

type Ctes = ReadonlyMap<string, readonly Output[]>

/** Where a part of a statement stands, and so what reading a column there means. */
type Place = 'output' | 'predicate' | 'ordering'

export interface Context {
  readonly catalogue: MysqlCatalogue
  readonly session: MysqlSession
  readonly through: Through
  /** Inside of code: names may be parameters and variables. */
  readonly inCode: boolean
  /** How many views and routines are around it. */
  readonly depth: number
  /** Adds what a body of stored code does. False when it cannot be read. */
  readonly readCode: (definition: string, context: Context, found: Findings) => boolean
}

const DEPTH_MAX = 16
const NOWHERE: Source = { origins: [], derived: true, opaque: false }
const UNSEEN: Source = { origins: [], derived: true, opaque: true }
export const NO_SCOPE: Scope = { tables: [], aliases: [], parent: undefined }

export class Resolver {
  readonly #context: Context
  readonly #found: Findings

  constructor(context: Context, found: Findings) {
    this.#context = context
    this.#found = found
  }

  /** `isInside`: its outputs are read only where another query asks for them. */
  query(
    { ctes, body, order, limit }: Query,
    parent: Scope = NO_SCOPE,
    outer: Ctes = new Map(),
    isInside = false,
  ): readonly Output[] {
    const known = this.ctes(ctes, parent, outer)
    const { outputs, scope } = this.#body(body, parent, known, isInside)
    const ordering = { ...scope, aliases: [...scope.aliases, ...outputs] }
    for (const expr of order) this.expr(expr, ordering, known, 'ordering')
    for (const expr of limit) this.expr(expr, ordering, known, 'predicate')
    return outputs
  }

  ctes(ctes: readonly Cte[], parent: Scope = NO_SCOPE, outer: Ctes = new Map()): Ctes {
    const known = new Map(outer)
    for (const cte of ctes) known.set(cte.name, this.#cte(cte, parent, known))
    return known
  }

  /** A recursive one is read until its columns come from nowhere else any more. */
  #cte({ name, columns, recursive, query }: Cte, parent: Scope, known: Ctes): readonly Output[] {
    if (!recursive) return renamed(this.query(query, parent, known, true), columns)
    const first = query.body.is === 'set' ? leftmost(query.body) : query.body
    let outputs = renamed(this.#body(first, parent, known, true).outputs, columns)
    for (let round = 0; round < DEPTH_MAX; round++) {
      const next = renamed(this.query(query, parent, new Map([...known, [name, outputs]]), true), columns)
      if (sizeOf(next) === sizeOf(outputs)) return next
      outputs = next
    }
    return outputs.map((output) => ({ ...output, opaque: true }))
  }

  #body(
    body: Body,
    parent: Scope,
    ctes: Ctes,
    isInside: boolean,
  ): { readonly outputs: readonly Output[]; readonly scope: Scope } {
    switch (body.is) {
      case 'select':
        return this.#select(body, parent, ctes, isInside)
      case 'nested':
        return { outputs: this.query(body.query, parent, ctes, isInside), scope: { ...NO_SCOPE, parent } }
      case 'values': {
        const rows = body.rows.map((row) => row.map((expr) => this.expr(expr, { ...NO_SCOPE, parent }, ctes, 'output')))
        const outputs = (rows[0] ?? []).map((_, at) => ({
          ...merged(rows.map((row) => row[at] ?? UNSEEN)),
          name: `column_${at}`,
        }))
        return { outputs, scope: { ...NO_SCOPE, parent } }
      }
      case 'set': {
        const left = this.#body(body.left, parent, ctes, isInside).outputs
        const right = this.#body(body.right, parent, ctes, isInside).outputs
        const outputs = left.map((output, at) => ({ ...merged([output, right[at] ?? UNSEEN]), name: output.name }))
        return { outputs, scope: { ...NO_SCOPE, parent } }
      }
    }
  }

  #select(
    select: Select,
    parent: Scope,
    ctes: Ctes,
    isInside: boolean,
  ): { readonly outputs: readonly Output[]; readonly scope: Scope } {
    const { items, from, where, group, having, windows } = select
    const scope = this.from(from, parent, ctes)
    const outputs = items.flatMap((item) =>
      isInside && isPlain(item) ? this.#unread(item, scope, ctes) : this.item(item, scope, ctes),
    )
    if (where) this.expr(where, scope, ctes, 'predicate')
    const inner = { ...scope, aliases: [...scope.aliases, ...outputs] }
    for (const expr of group) this.expr(expr, inner, ctes, 'ordering')
    if (having) this.expr(having, inner, ctes, 'predicate')
    for (const expr of windows) this.expr(expr, scope, ctes, 'ordering')
    if (isProduct(select)) this.#found.dangers.push(danger('large-product', 'a join without a condition'))
    return { outputs, scope: { ...scope, aliases: [] } }
  }

  from(list: readonly From[], parent: Scope, ctes: Ctes): Scope {
    const tables: Table[] = []
    for (const from of list) this.#from(from, tables, parent, ctes)
    return { tables, aliases: [], parent }
  }

  #from(from: From, tables: Table[], parent: Scope, ctes: Ctes): void {
    switch (from.is) {
      case 'table': {
        if (!isDual(from.path)) tables.push(this.#table(from.path, from.alias, ctes))
        return
      }
      case 'derived': {
        // LATERAL sees what stands before it; what is not LATERAL could not name it, so that seeing it does no harm.
        const outputs = renamed(
          this.query(from.query, { tables: [...tables], aliases: [], parent }, ctes, true),
          from.columns,
        )
        tables.push({ alias: from.alias, outputs, open: false })
        return
      }
      case 'join': {
        const before = tables.length
        for (const part of from.parts) this.#from(part, tables, parent, ctes)
        const scope = { tables, aliases: [], parent }
        for (const expr of from.on) this.expr(expr, scope, ctes, 'predicate')
        const joined = from.natural ? commonNames(tables.slice(before)) : from.using
        for (const name of joined)
          this.#found.predicates.add(allNamed(tables.slice(before), name).flatMap(({ origins }) => origins))
        for (const name of joined)
          this.#found.reads.add(allNamed(tables.slice(before), name).flatMap(({ origins }) => origins))
        if (joined.length > 0) mergeJoined(tables, before, joined)
      }
    }
  }

  #table(path: readonly string[], alias: string | undefined, ctes: Ctes): Table {
    const name = path.at(-1) ?? ''
    const cte = path.length === 1 ? ctes.get(name) : undefined
    if (cte) return { alias: alias ?? name, outputs: cte, open: false }
    // In another case it may be the expression to one server, and a table to another.
    if (path.length === 1 && [...ctes.keys()].some((one) => one.toLowerCase() === name.toLowerCase())) {
      this.#found.unresolved = true
      return { alias: alias ?? name, outputs: [], open: true }
    }
    const relation = this.relation(path)
    this.use('read', path, relation)
    const schema = relation?.schema ?? path.at(-2) ?? this.#context.session.database
    const named = alias === undefined ? { alias: name, ...(schema === undefined ? {} : { schema }) } : { alias }
    if (this.isTemporary(path) || !relation) {
      if (!relation && !this.isTemporary(path)) this.#found.unresolved = true
      return { ...named, outputs: [], open: true }
    }
    return { ...named, outputs: this.#columnsOf(relation), open: false }
  }

  relation(path: readonly string[]): CatalogueRelation | undefined {
    const schema = path.at(-2) ?? this.#context.session.database
    const { relations, folded } = this.#context.catalogue
    return schema === undefined ? undefined : relations.get(keyOf(schema, path.at(-1) ?? '', folded))
  }

  isTemporary(path: readonly string[]): boolean {
    const schema = path.at(-2) ?? this.#context.session.database ?? ''
    const { folded } = this.#context.catalogue
    const id = keyOf(schema, path.at(-1) ?? '', folded)
    return this.#context.session.temporary.some(([its, name]) => keyOf(its, name, folded) === id)
  }

  use(
    action: Action,
    path: readonly string[],
    relation: CatalogueRelation | undefined,
    more: Pick<FoundUse, 'change'> & { through?: Through } = {},
  ): void {
    const schema = relation?.schema ?? path.at(-2) ?? this.#context.session.database
    const object = {
      kind: 'relation',
      ...(schema === undefined ? {} : { schema }),
      name: relation?.name ?? path.at(-1) ?? '',
    } as const
    const temporary = this.isTemporary(path)
    if (temporary) this.#found.countable = false
    const system = schema !== undefined && isSystemSchema(schema)
    this.#found.uses.push({ action, object, temporary, system, through: this.#context.through, ...more })
    if (relation?.remote) this.#found.dangers.push(danger('remote', `\`${object.name}\``))
    if (schema !== undefined) this.#found.dangers.push(...dangersOfRelation(schema, object.name))
  }

  #columnsOf(relation: CatalogueRelation): readonly Output[] {
    if (relation.kind === 'view') return this.#viewColumns(relation)
    return relation.columns.map(({ name, number, invisible }) => ({
      name,
      origins: [{ name: `${relation.schema}.${relation.name}.${name}`, relation: relation.number, column: number }],
      derived: false,
      opaque: false,
      ...(invisible ? { invisible } : {}),
    }))
  }

  /** A view is what its text gives, column by column. */
  #viewColumns(view: CatalogueRelation): readonly Output[] {
    const query = this.#context.depth < DEPTH_MAX ? viewTree(view.definition) : undefined
    const unseen = view.columns.map(({ name }) => ({ ...UNSEEN, name }))
    if (!query) {
      if (view.system) return this.#systemColumns(view)
      this.#unknownCode(`the view \`${view.name}\``)
      return unseen
    }
    const inside = new Resolver(
      {
        ...this.#context,
        session: { database: view.schema, temporary: [] },
        through: 'rule',
        depth: this.#context.depth + 1,
      },
      this.#found,
    )
    const outputs = inside.query(query, NO_SCOPE, new Map(), true)
    return view.columns.map(({ name }, at) => ({ ...(outputs[at] ?? UNSEEN), name }))
  }

  /** Of the server's own views each column counts as one of a table. */
  #systemColumns({ columns, schema, name, number }: CatalogueRelation): readonly Output[] {
    return columns.map((column) => ({
      name: column.name,
      origins: [{ name: `${schema}.${name}.${column.name}`, relation: number, column: column.number }],
      derived: false,
      opaque: false,
    }))
  }

  #unknownCode(what: string): void {
    this.#found.changes = true
    this.#found.countable = false
    this.#found.dangers.push(danger('unreadable-code', what))
    this.#found.uses.push({
      action: 'unknown',
      object: { kind: 'statement', name: what },
      temporary: false,
      system: false,
      through: 'function',
    })
  }

  item(item: Item, scope: Scope, ctes: Ctes): readonly Output[] {
    if (item.is === 'star') return this.#star(item.of, scope)
    const source = this.expr(item.expr, scope, ctes, 'output')
    const name = item.alias ?? (item.expr.is === 'column' ? (item.expr.path.at(-1) ?? '') : '')
    return [{ ...source, name }]
  }

  /** Of a view or of a query within another, a column is read when somebody asks for it. */
  #unread(item: Item, scope: Scope, ctes: Ctes): readonly Output[] {
    return this.#found.reads.without(() => this.item(item, scope, ctes))
  }

  /** Of a table that is not known, one output that may be anything stands for all. */
  #star(of: readonly string[] | undefined, { tables }: Scope): readonly Output[] {
    const meant = of ? tables.filter((table) => this.#isCalled(table, of)) : tables
    if (meant.length === 0) this.#found.unresolved = true
    const outputs = meant.flatMap((table) =>
      table.open ? [{ ...UNSEEN, name: '*' }] : visible(table, of !== undefined),
    )
    this.#found.reads.add(outputs.flatMap(({ origins }) => origins))
    return outputs
  }

  #isCalled({ alias, schema }: Table, [...path]: readonly string[]): boolean {
    const same = (left: string, right: string | undefined) =>
      this.#context.catalogue.folded ? left.toLowerCase() === right?.toLowerCase() : left === right
    const name = path.pop()
    const its = path.pop()
    return same(alias, name) && (its === undefined || (schema !== undefined && same(schema, its)))
  }

  expr(expr: Expr, scope: Scope, ctes: Ctes, place: Place): Source {
    switch (expr.is) {
      case 'constant':
      case 'parameter':
        return NOWHERE
      case 'variable':
        // What the session has put there before; another session, which counts, has not.
        this.#found.countable = false
        return expr.name.startsWith('@@') ? NOWHERE : UNSEEN
      case 'column':
        return this.#column(expr.path, scope, place)
      case 'call':
        return this.#call(expr, scope, ctes, place)
      case 'operator':
        return this.#operator(expr, scope, ctes, place)
      case 'query':
        return this.#subquery(expr, scope, ctes, place)
    }
  }

  #subquery({ query, gives }: Extract<Expr, { is: 'query' }>, scope: Scope, ctes: Ctes, place: Place): Source {
    const outputs = this.query(query, scope, ctes, gives === 'whether')
    if (gives === 'whether') return NOWHERE
    // In a condition, which rows there are tells of the values.
    if (place === 'predicate') this.#found.predicates.add(outputs.flatMap(({ origins }) => origins))
    if (gives === 'value' && mayGiveRows(query)) this.#found.steering.add(this.#found.reads.list)
    const [only] = outputs
    return only && outputs.length === 1
      ? { origins: only.origins, derived: only.derived, opaque: only.opaque }
      : computed(outputs)
  }

  #column(path: readonly string[], scope: Scope, place: Place): Source {
    const source = this.#lookUp(path, scope)
    this.#found.reads.add(source.origins)
    if (place === 'predicate') this.#found.predicates.add(source.origins)
    if (place === 'ordering') this.#found.ordering.add(source.origins)
    return source
  }

  #lookUp(path: readonly string[], scope: Scope): Source {
    const name = (path.at(-1) ?? '').toLowerCase()
    const of = path.slice(0, -1)
    const tables = of.length === 0 ? scope.tables : scope.tables.filter((table) => this.#isCalled(table, of))
    const aliases = of.length === 0 ? scope.aliases.filter((alias) => alias.name.toLowerCase() === name) : []
    const found = [...allNamed(tables, name), ...aliases]
    const isOpen = tables.some(({ open }) => open)
    if (isOpen) return { ...merged(found), opaque: true }
    if (found.length > 0) return merged(found)
    if (scope.parent) return this.#lookUp(path, scope.parent)
    if (!this.#context.inCode) this.#found.unresolved = true
    return UNSEEN
  }

  #operator({ op, args }: Extract<Expr, { is: 'operator' }>, scope: Scope, ctes: Ctes, place: Place): Source {
    if (op === 'Assignment') return this.#assignment(args, scope, ctes)
    const sources = args.map((arg) => this.expr(arg, scope, ctes, place))
    if (FAILING.has(op) && args.some(isConditional)) this.#found.steering.add(sources.flatMap(({ origins }) => origins))
    if (op === 'Nested' && sources[0]) return sources[0]
    return computed(sources)
  }

  /** `@x := a`: from there it can be read by the next statement. */
  #assignment([, value]: readonly Expr[], scope: Scope, ctes: Ctes): Source {
    const source = value ? this.expr(value, scope, ctes, 'output') : UNSEEN
    this.#found.changes = true
    this.#found.flows.push({ into: undefined, origins: source.origins, opaque: source.opaque })
    return source
  }

  #call({ name, args }: Extract<Expr, { is: 'call' }>, scope: Scope, ctes: Ctes, place: Place): Source {
    const sources = args.map((arg) => this.expr(arg, scope, ctes, place))
    const last = name.at(-1) ?? ''
    const routine = this.#routineOf(name)
    if (routine || name.length > 1) return this.#stored(last, routine, sources)
    const kind = functionKind(last)
    if (kind.danger) this.#found.dangers.push(danger(kind.danger, `\`${last}\``))
    if (!kind.known) this.#unknownCode(`the function \`${last}\``)
    if (kind.changes) this.#found.changes = true
    if (kind.changes || kind.danger || kind.ofSession) this.#found.countable = false
    if (kind.tells) this.#found.steering.add(sources.flatMap(({ origins }) => origins))
    if (kind.counts) return { ...NOWHERE, opaque: false }
    const source = merged(sources)
    return { ...source, derived: !kind.passes || source.derived }
  }

  /** Of every schema: a function of the server's own that is written with a space after its name may be a stored one. */
  #routineOf(name: readonly string[]): CatalogueRoutine | undefined {
    const routines = this.#context.catalogue.routines.get((name.at(-1) ?? '').toLowerCase()) ?? []
    const schema = name.at(-2) ?? this.#context.session.database
    return routines.find((one) => one.kind === 'function' && one.schema.toLowerCase() === schema?.toLowerCase())
  }

  #stored(name: string, routine: CatalogueRoutine | undefined, sources: readonly Source[]): Source {
    const object = { kind: 'routine', ...(routine ? { schema: routine.schema } : {}), name } as const
    this.#found.uses.push({
      action: 'execute',
      object,
      temporary: false,
      system: false,
      through: this.#context.through,
    })
    const before = this.#found.changes
    this.#found.changes = false
    this.code(routine?.definition, `the function \`${name}\``, 'function', routine?.schema)
    if (this.#found.changes) this.#found.countable = false
    this.#found.changes ||= before
    return { ...computed(sources), opaque: true }
  }

  /** What stored code does, as far as it can be read: otherwise it is unknown. */
  code(definition: string | undefined, what: string, through: Through, schema: string | undefined): void {
    const session = {
      ...(schema === undefined ? {} : { database: schema }),
      temporary: this.#context.session.temporary,
    }
    const context = { ...this.#context, session, through, inCode: true, depth: this.#context.depth + 1 }
    const isRead =
      context.depth < DEPTH_MAX && definition !== undefined && context.readCode(definition, context, this.#found)
    if (!isRead) this.#unknownCode(what)
  }
}

const isPlain = (item: Item): boolean => item.is === 'star' || !hasCode(item.expr)

/** It reads more than the columns that its value comes from. */
const hasCode = (expr: Expr): boolean =>
  expr.is === 'query' || expr.is === 'call' || (expr.is === 'operator' && expr.args.some(hasCode))

const visible = ({ outputs }: Table, isNamed: boolean): readonly Output[] =>
  outputs.filter(({ invisible, joined }) => invisible !== true && (isNamed || joined !== true))

const leftmost = (body: Body): Body => (body.is === 'set' ? leftmost(body.left) : body)

const renamed = (outputs: readonly Output[], names: readonly string[]): readonly Output[] =>
  outputs.map((output, at) => ({ ...output, name: names[at] ?? output.name }))

const sizeOf = (outputs: readonly Output[]): number =>
  outputs.reduce((sum, { origins, opaque }) => sum + origins.length + (opaque ? 1 : 0), 0)

/** A value of one of them. */
const merged = (sources: readonly Source[]): Source => ({
  origins: [...new Map(sources.flatMap(({ origins }) => origins).map((one) => [one.name, one])).values()],
  derived: sources.some(({ derived }) => derived),
  opaque: sources.some(({ opaque }) => opaque),
})

const computed = (sources: readonly Source[]): Source => ({ ...merged(sources), derived: true })

const allNamed = (tables: readonly Table[], name: string): readonly Output[] =>
  tables.flatMap(({ outputs }) => outputs.filter((output) => output.name.toLowerCase() === name.toLowerCase()))

const commonNames = (tables: readonly Table[]): readonly string[] => {
  const seen = new Map<string, number>()
  for (const { outputs } of tables)
    for (const { name } of outputs) seen.set(name.toLowerCase(), (seen.get(name.toLowerCase()) ?? 0) + 1)
  return [...seen].flatMap(([name, count]) => (count > 1 ? [name] : []))
}

/**
 * Behind JOIN … USING `*` gives the joined columns first and once, in the order of the first table; each comes from both
 * tables, so far as one can tell. `t.*` still gives all of `t`.
 */
const mergeJoined = (tables: Table[], from: number, names: readonly string[]): void => {
  const parts = tables.slice(from)
  const isOpen = parts.some(({ open }) => open)
  const order = parts.flatMap(({ outputs }) => outputs.map(({ name }) => name.toLowerCase()))
  const folded = names.map((name) => name.toLowerCase()).sort((one, other) => order.indexOf(one) - order.indexOf(other))
  const joined = folded.map((name) => ({
    ...merged(allNamed(parts, name)),
    name: allNamed(parts, name)[0]?.name ?? name,
  }))
  const rest = parts.map((part) => ({
    ...part,
    outputs: part.outputs.map((output) =>
      folded.includes(output.name.toLowerCase()) ? { ...output, joined: true } : output,
    ),
  }))
  tables.splice(from, parts.length, { alias: '', outputs: joined, open: isOpen && joined.length === 0 }, ...rest)
}

const FAILING = new Set(['Plus', 'Minus', 'Multiply', 'BitwiseNot'])

/** `~0 + (a LIKE 'x%')` is out of range for some values of `a`, and for others not. */
const isConditional = (expr: Expr): boolean =>
  (expr.is === 'operator' &&
    (/^(Case|Eq|NotEq|Lt|LtEq|Gt|GtEq|Like|RLike|InList|Between|BitwiseNot|IsNull|IsNotNull)$/.test(expr.op) ||
      expr.args.some(isConditional))) ||
  (expr.is === 'call' && expr.name[0]?.toLowerCase() === 'if')

/** More than one row is an error: a query of its own set operation, and of nothing else, is there to bring it about. */
const mayGiveRows = ({ body, limit }: Query): boolean => body.is === 'set' && limit.length === 0

const isProduct = ({ from, where }: Select): boolean => {
  const parts = from.flatMap(joinedParts)
  const conditions = from.some((one) => one.is === 'join' && one.conditional)
  return where === undefined && !conditions && parts.filter(({ is }) => is === 'table').length > 1
}

const joinedParts = (from: From): readonly From[] => (from.is === 'join' ? from.parts.flatMap(joinedParts) : [from])

const dangersOfRelation = (schema: string, name: string) => {
  const at = `${schema.toLowerCase()}.${name.toLowerCase()}`
  if (/^mysql\.(user|global_priv|password_history)$/.test(at)) return [danger('password-hashes', at)]
  if (/^mysql\.(servers|slave_master_info|proxies_priv)$/.test(at)) return [danger('stored-credentials', at)]
  if (at.startsWith('performance_schema.replication_connection')) return [danger('stored-credentials', at)]
  if (/^mysql\.(column_stats|index_stats|table_stats)$|^information_schema\.column_statistics$/.test(at)) {
    return [danger('statistics-values', at)]
  }
  const isLog =
    /^mysql\.(general_log|slow_log)$|\.(x\$)?(processlist|innodb_trx|session)$|^performance_schema\.(events_statements|threads|prepared_statements|user_variables)/
  return isLog.test(at) || at.startsWith('sys.') ? [danger('other-statements', at)] : []
}
