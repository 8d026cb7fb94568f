import type { ColumnName, Through, UseChange } from '@countersign/sql'
import { boundsOf } from './bounds.ts'
import type { CatalogueRelation } from './catalogue.ts'
import type { Findings } from './findings.ts'
import { NO_SCOPE, Resolver, type Context, type Output, type Scope } from './resolve.ts'
import type { Change, Expr, From } from './tree.ts'

/** Adds what an INSERT, UPDATE or DELETE does; gives what it returns. */
export const changeUses = (change: Change, context: Context, found: Findings): readonly Output[] => {
  found.changes = true
  return new ChangeReader(change, context, found).read()
}

interface Target {
  readonly path: readonly string[]
  readonly relation: CatalogueRelation | undefined
}

type Kind = UseChange['kind']

class ChangeReader {
  readonly #change: Change
  readonly #context: Context
  readonly #found: Findings
  readonly #resolver: Resolver

  constructor(change: Change, context: Context, found: Findings) {
    this.#change = change
    this.#context = context
    this.#found = found
    this.#resolver = new Resolver(context, found)
  }

  read(): readonly Output[] {
    return this.#change.is === 'insert' ? this.#insert() : this.#updateOrDelete()
  }

  #insert(): readonly Output[] {
    const { ctes, targets, columns, assignments, source, replaces, updatesDuplicates, returning } = this.#change
    const target = this.#target(targets[0] ?? [])
    const known = this.#resolver.ctes(ctes)
    const outputs = source ? this.#resolver.query(source, undefined, known) : []
    const rows = source === undefined ? 1 : rowsOf(source.body)
    this.#changed(
      target,
      'write',
      { ...change('insert', target), ...(rows === undefined ? {} : { rowsAtMost: rows }) },
      'insert',
      columns,
    )
    const into = columns.length > 0 ? columns : (target.relation?.columns ?? []).map(({ name }) => name)
    outputs.forEach((output, at) => this.#flow(target, into[at], output))
    this.#found.writes.add(into.flatMap((name) => columnOf(target.relation, name)))
    if (replaces) {
      const keys = Math.max(1, target.relation?.keys.length ?? 1)
      const bounds = rows === undefined || !target.relation ? {} : { rowsAtMost: rows * keys }
      this.#changed(target, 'delete', { ...change('delete', target), ...bounds }, 'delete')
    }
    if (updatesDuplicates) {
      this.#changed(
        target,
        'write',
        { ...change('update', target), ...(rows === undefined ? {} : { rowsAtMost: rows }) },
        'update',
        into,
      )
    }
    const scope = this.#insertScope(target, updatesDuplicates || returning.length > 0)
    for (const { column, value } of assignments) this.#assign(target, column.at(-1) ?? '', value, scope, known)
    return returning.flatMap((item) => this.#resolver.item(item, scope, known))
  }

  #insertScope({ path }: Target, reads: boolean): Scope {
    const from: readonly From[] = reads ? [{ is: 'table', path }, ...this.#change.from] : []
    return this.#resolver.from(from, NO_SCOPE, new Map())
  }

  #updateOrDelete(): readonly Output[] {
    const { is, ctes, from, assignments, where, order, returning } = this.#change
    const known = this.#resolver.ctes(ctes)
    const scope = this.#resolver.from(from, NO_SCOPE, known)
    if (where) this.#resolver.expr(where, scope, known, 'predicate')
    for (const expr of order) this.#resolver.expr(expr, scope, known, 'ordering')
    const targets = is === 'delete' ? this.#change.targets.map((path) => this.#named(path)) : this.#assigned()
    const [only, more] = targets
    const bounds = boundsOf(this.#change, more ? undefined : only?.relation)
    for (const target of targets) {
      const columns = assignments.map(({ column }) => column.at(-1) ?? '')
      const made = { ...change(is, target), ...bounds }
      this.#changed(target, is === 'delete' ? 'delete' : 'write', made, is, columns)
    }
    for (const { column, value } of assignments) {
      for (const target of targets) this.#assign(target, column.at(-1) ?? '', value, scope, known)
    }
    return returning.flatMap((item) => this.#resolver.item(item, scope, known))
  }

  /** The tables whose columns are set: those that have a column of the name, when no table is written before it. */
  #assigned(): readonly Target[] {
    const tables = this.#change.from.flatMap(tablesIn)
    const targets = this.#change.assignments.flatMap(({ column }) => {
      if (column.length > 1) return [this.#named(column.slice(0, -1))]
      if (tables.length === 1) return tables.map(({ path }) => this.#target(path))
      const having = tables.filter(({ path }) => hasColumn(this.#resolver.relation(path), column[0] ?? ''))
      return (having.length > 0 ? having : tables).map(({ path }) => this.#target(path))
    })
    return [...new Map(targets.map((target) => [JSON.stringify(target.path), target])).values()]
  }

  /** A name of `from`, or of a table. */
  #named(path: readonly string[]): Target {
    const name = (path.at(-1) ?? '').toLowerCase()
    const found = this.#change.from
      .flatMap(tablesIn)
      .find((table) => (table.alias ?? table.path.at(-1) ?? '').toLowerCase() === name && path.length === 1)
    return this.#target(found?.path ?? path)
  }

  #target(path: readonly string[]): Target {
    const isTemporary = this.#resolver.isTemporary(path)
    const relation = isTemporary ? undefined : this.#resolver.relation(path)
    if (!relation && !isTemporary) this.#found.unresolved = true
    return { path, relation }
  }

  #changed(
    target: Target,
    action: 'write' | 'delete',
    made: UseChange,
    event: 'insert' | 'update' | 'delete',
    columns: readonly string[] = [],
  ): void {
    const { path, relation } = target
    this.#resolver.use(action, path, relation, { change: made })
    if (!relation) return
    if (relation.kind === 'view') return this.#throughView(relation, action, made, event, columns)
    for (const trigger of relation.triggers.filter((one) => one.event === event)) {
      this.#resolver.code(trigger.body, `a trigger of \`${relation.name}\``, 'trigger', relation.schema)
    }
    this.#cascade(relation, event, columns, new Set())
  }

  /** What is changed through a view is changed in the tables behind it: in any of them, as far as is said here. */
  #throughView(
    view: CatalogueRelation,
    action: 'write' | 'delete',
    made: UseChange,
    event: 'insert' | 'update' | 'delete',
    columns: readonly string[],
  ): void {
    const before = this.#found.uses.length
    const { tables } = this.#resolver.from([{ is: 'table', path: [view.schema, view.name] }], NO_SCOPE, new Map())
    const written = tables.flatMap(({ outputs }) =>
      outputs.filter(({ name }) => columns.some((one) => one.toLowerCase() === name.toLowerCase())),
    )
    this.#found.writes.add(written.flatMap(({ origins }) => origins))
    const behind = this.#found.uses
      .slice(before)
      .filter(({ through, object }) => through === 'rule' && object.kind === 'relation')
    for (const { object } of behind) {
      const path = [object.schema ?? '', object.name]
      const relation = this.#resolver.relation(path)
      const rows = relation?.rowEstimate === undefined ? {} : { rowEstimate: relation.rowEstimate }
      this.#resolver.use(action, path, relation, { change: { ...made, ...rows }, through: 'rule' })
      for (const trigger of relation?.triggers.filter((one) => one.event === event) ?? []) {
        this.#resolver.code(trigger.body, `a trigger of \`${object.name}\``, 'trigger', object.schema)
      }
      if (relation) this.#cascade(relation, event, columns, new Set())
    }
  }

  /** Rows that go or change with those of a table. Triggers do not see it. */
  #cascade(
    relation: CatalogueRelation,
    event: 'insert' | 'update' | 'delete',
    columns: readonly string[],
    seen: Set<string>,
  ): void {
    if (event === 'insert') return
    const written = columns.map((column) => column.toLowerCase())
    for (const { child, columns: referenced, onDelete, onUpdate } of relation.children) {
      const rule =
        event === 'delete' ? onDelete : referenced.some((column) => written.includes(column)) ? onUpdate : 'NO ACTION'
      if (!/^(CASCADE|SET NULL|SET DEFAULT)$/.test(rule) || seen.has(child)) continue
      const found = this.#context.catalogue.relations.get(child)
      const path = found ? [found.schema, found.name] : [child]
      const isDelete = event === 'delete' && rule === 'CASCADE'
      const target = { path, relation: found }
      const made = change(isDelete ? 'delete' : 'update', target)
      this.#resolver.use(isDelete ? 'delete' : 'write', path, found, {
        change: withoutIndex(made),
        through: 'cascade' satisfies Through,
      })
      if (found && isDelete) this.#cascade(found, event, columns, new Set([...seen, child]))
    }
  }

  #assign(
    target: Target,
    column: string,
    value: Expr,
    scope: Scope,
    known: ReadonlyMap<string, readonly Output[]>,
  ): void {
    const source = this.#resolver.expr(value, scope, known, 'output')
    this.#flow(target, column, source)
    this.#found.writes.add(columnOf(target.relation, column))
  }

  #flow(
    { relation }: Target,
    column: string | undefined,
    { origins, opaque }: Pick<Output, 'origins' | 'opaque'>,
  ): void {
    if (origins.length === 0 && !opaque) return
    const [into] = column === undefined ? [] : columnOf(relation, column)
    this.#found.flows.push({ into, origins, opaque })
  }
}

const change = (kind: Kind, { relation }: Target): UseChange => ({
  kind,
  unbounded: false,
  tautological: false,
  repeated: false,
  index: 0,
  ...(relation?.rowEstimate === undefined ? {} : { rowEstimate: relation.rowEstimate }),
})

/** What cascades is not counted. */
const withoutIndex = (made: UseChange): UseChange => {
  const { index, ...rest } = made
  return index === undefined ? made : rest
}

const rowsOf = (body: { readonly is: string; readonly rows?: readonly unknown[] }): number | undefined =>
  body.is === 'values' ? body.rows?.length : undefined

const hasColumn = (relation: CatalogueRelation | undefined, name: string): boolean =>
  columnOf(relation, name).length > 0

const columnOf = (relation: CatalogueRelation | undefined, name: string): readonly ColumnName[] =>
  (relation?.columns ?? [])
    .filter((column) => column.name.toLowerCase() === name.toLowerCase())
    .map((column) => ({
      name: `${relation?.schema ?? ''}.${relation?.name ?? ''}.${column.name}`,
      relation: relation?.number ?? 0,
      column: column.number,
    }))

const tablesIn = (from: From): readonly Extract<From, { is: 'table' }>[] =>
  from.is === 'table' ? [from] : from.is === 'join' ? from.parts.flatMap(tablesIn) : []
