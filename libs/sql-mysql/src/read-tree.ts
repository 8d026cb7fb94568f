import { isRecord, JsonNode, UnreadError, variantOf } from './json-node.ts'
import type { Token } from './lexer.ts'
import type { Assignment, Body, Change, Cte, Expr, From, Item, Query, Select, Tree } from './tree.ts'

/** What stands behind the names and strings that `plainText` made up. */
export type Meant = ReadonlyMap<string, Token>

/** sqlparser-ts's tree of one statement, as ours. Whatever this does not know is an UnreadError. */
export const readTree = (statement: unknown, meant: Meant): ReadTree => {
  const reader = new Reader(meant)
  const tree = reader.tree(statement)
  return { tree, named: reader.named }
}

/** `named`: a string of it is a name, so that another string would be another name. */
export interface ReadTree {
  readonly tree: Tree
  readonly named: boolean
}

const TOKENS = [
  'select_token',
  'insert_token',
  'update_token',
  'delete_token',
  'with_token',
  'opening_token',
  'closing_token',
  'closing_paren_token',
  'optimizer_hints',
]

class Reader {
  readonly #meant: Meant
  named = false

  constructor(meant: Meant) {
    this.#meant = meant
  }

  tree(statement: unknown): Tree {
    const [name, content] = variantOf(statement, 'statement')
    if (name === 'Query') return this.#queryOrChange(content)
    return this.#change(name, content, [])
  }

  /** `WITH … UPDATE …` is a query to this parser. */
  #queryOrChange(value: unknown): Tree {
    const body = isRecord(value) && isRecord(value['body']) ? variantOf(value['body'], 'body') : undefined
    if (!body || !['Insert', 'Update', 'Delete'].includes(body[0])) return { is: 'query', query: this.query(value) }
    const node = new JsonNode(value, 'with')
    const ctes = this.#ctes(node)
    node.ignore('body').done()
    const [name, content] = variantOf(body[1], 'body')
    return this.#change(name, content, ctes)
  }

  #change(name: string, content: unknown, ctes: readonly Cte[]): Change {
    if (name === 'Insert') return this.#insert(new JsonNode(content, name), ctes)
    if (name === 'Update') return this.#update(new JsonNode(content, name), ctes)
    if (name === 'Delete') return this.#delete(new JsonNode(content, name), ctes)
    throw new UnreadError(name)
  }

  query(value: unknown): Query {
    const node = new JsonNode(value, 'query')
    const ctes = this.#ctes(node)
    const query = { ctes, body: this.#body(node.value('body')), order: this.#order(node), limit: this.#limit(node) }
    node.done()
    return query
  }

  #ctes(node: JsonNode): readonly Cte[] {
    if (!node.has('with')) return []
    const clause = node.node('with').ignore(...TOKENS)
    const recursive = clause.value('recursive') === true
    const ctes = clause.list('cte_tables').map((value) => this.#cte(value, recursive))
    clause.done()
    return ctes
  }

  #cte(value: unknown, recursive: boolean): Cte {
    const node = new JsonNode(value, 'cte').ignore(...TOKENS)
    const { alias, columns } = this.#alias(node.node('alias'))
    const query = this.query(node.value('query'))
    node.done()
    return { name: alias, columns, recursive, query }
  }

  #alias(node: JsonNode): { readonly alias: string; readonly columns: readonly string[] } {
    const alias = this.#ident(node.value('name'))
    const columns = node.list('columns').map((column) => this.#ident(new JsonNode(column, 'alias').value('name')))
    node.ignore('explicit').done()
    return { alias, columns }
  }

  #order(node: JsonNode): readonly Expr[] {
    if (!node.has('order_by')) return []
    const value = node.value('order_by')
    const list = Array.isArray(value) ? value : this.#orderList(node.node('order_by'))
    return list.map((each) => {
      const one = new JsonNode(each, 'order').ignore('options')
      const expr = this.expr(one.value('expr'))
      one.done()
      return expr
    })
  }

  #orderList(node: JsonNode): readonly unknown[] {
    const [kind, list] = variantOf(node.value('kind'), 'order')
    node.done()
    if (kind !== 'Expressions' || !Array.isArray(list)) throw new UnreadError('order')
    return list
  }

  #limit(node: JsonNode): readonly Expr[] {
    if (!node.has('limit_clause')) return []
    const [, content] = variantOf(node.value('limit_clause'), 'limit')
    const clause = new JsonNode(content, 'limit')
    const limit = clause.has('limit') ? [this.expr(clause.value('limit'))] : []
    const offset = clause.has('offset') ? this.#all(clause.value('offset')) : []
    clause.done()
    return [...limit, ...offset]
  }

  #body(value: unknown): Body {
    const [name, content] = variantOf(value, 'body')
    if (name === 'Select') return this.#select(new JsonNode(content, 'select'))
    if (name === 'Query') return { is: 'nested', query: this.query(content) }
    if (name === 'SetOperation') {
      const node = new JsonNode(content, 'set').ignore('op', 'set_quantifier')
      const set = { is: 'set', left: this.#body(node.value('left')), right: this.#body(node.value('right')) } as const
      node.done()
      return set
    }
    if (name === 'Values') return this.#values(new JsonNode(content, 'values'))
    throw new UnreadError(name)
  }

  #values(node: JsonNode): Body {
    const rows = node.list('rows').map((value) => {
      const row = new JsonNode(value, 'row').ignore(...TOKENS)
      const exprs = row.list('content').map((each) => this.expr(each))
      row.done()
      return exprs
    })
    node.ignore('explicit_row', 'value_keyword').done()
    return { is: 'values', rows }
  }

  #select(node: JsonNode): Select {
    node.ignore(...TOKENS, 'distinct', 'window_before_qualify')
    const where = node.has('selection') ? { where: this.expr(node.value('selection')) } : {}
    const having = node.has('having') ? { having: this.expr(node.value('having')) } : {}
    const select = {
      is: 'select',
      items: this.#items(node.list('projection')),
      from: this.#fromList(node.list('from')),
      ...where,
      group: this.#group(node.value('group_by')),
      ...having,
      windows: this.#all(node.value('named_window')),
    } as const
    node.done()
    return select
  }

  #group(value: unknown): readonly Expr[] {
    const [kind, content] = variantOf(value, 'group')
    if (kind !== 'Expressions' || !Array.isArray(content)) throw new UnreadError('group')
    const [list, more] = content
    if (Array.isArray(more) && more.length > 0) throw new UnreadError('group')
    return Array.isArray(list) ? list.map((each) => this.expr(each)) : []
  }

  #items(list: readonly unknown[]): readonly Item[] {
    return list.map((value) => this.#item(value))
  }

  #item(value: unknown): Item {
    const [name, content] = variantOf(value, 'item')
    if (name === 'UnnamedExpr') return { is: 'expr', expr: this.expr(content) }
    if (name === 'ExprWithAlias') {
      const node = new JsonNode(content, 'item')
      const item = { is: 'expr', expr: this.expr(node.value('expr')), alias: this.#ident(node.value('alias')) } as const
      node.done()
      return item
    }
    if (name === 'Wildcard') {
      new JsonNode(content, 'star').ignore('wildcard_token').done()
      return { is: 'star' }
    }
    if (name === 'QualifiedWildcard' && Array.isArray(content)) {
      const [of, path] = variantOf(content[0], 'star')
      new JsonNode(content[1], 'star').ignore('wildcard_token').done()
      if (of === 'ObjectName') return { is: 'star', of: this.#path(path) }
    }
    throw new UnreadError(name)
  }

  #fromList(list: readonly unknown[]): readonly From[] {
    return list.map((value) => this.#from(value))
  }

  #from(value: unknown): From {
    const node = new JsonNode(value, 'from')
    const first = this.#factor(node.value('relation'))
    const joined = node.list('joins').reduce<From>((left, join) => this.#join(left, join), first)
    node.done()
    return joined
  }

  #join(left: From, value: unknown): From {
    const node = new JsonNode(value, 'join')
    const right = this.#factor(node.value('relation'))
    const [side, constraint] = variantOf(node.value('join_operator'), 'join')
    node.done()
    const [kind, content] =
      constraint === undefined || constraint === null ? ['None', undefined] : variantOf(constraint, 'join')
    const parts = [left, right]
    // The server turns it round, which shows in `*` when columns are joined by name.
    const turned = side.startsWith('Right') ? parts.toReversed() : parts
    const bare = { is: 'join', parts, on: [], using: [], natural: false, conditional: false } as const
    if (kind === 'None') return bare
    if (kind === 'Natural') return { ...bare, parts: turned, natural: true, conditional: true }
    if (kind === 'On') return { ...bare, on: [this.expr(content)], conditional: true }
    if (kind === 'Using' && Array.isArray(content)) {
      return { ...bare, parts: turned, using: content.map((path) => this.#path(path).at(-1) ?? ''), conditional: true }
    }
    throw new UnreadError(`join ${kind}`)
  }

  #factor(value: unknown): From {
    const [name, content] = variantOf(value, 'factor')
    const node = new JsonNode(content, name)
    if (name === 'Table') {
      const path = this.#path(node.value('name'))
      const named = node.has('alias') ? this.#alias(node.node('alias')) : undefined
      node.done()
      if (named && named.columns.length > 0) throw new UnreadError('columns of an alias')
      return named ? { is: 'table', path, alias: named.alias } : { is: 'table', path }
    }
    if (name === 'Derived') {
      const query = this.query(node.value('subquery'))
      const named = this.#alias(node.node('alias'))
      node.ignore('lateral').done()
      return { is: 'derived', query, ...named }
    }
    if (name === 'NestedJoin') {
      const inner = this.#from(node.value('table_with_joins'))
      node.done()
      return inner
    }
    throw new UnreadError(name)
  }

  #insert(node: JsonNode, ctes: readonly Cte[]): Change {
    node.ignore(...TOKENS, 'ignore', 'into', 'has_table_keyword')
    const [kind, path] = variantOf(node.value('table'), 'insert')
    if (kind !== 'TableName') throw new UnreadError('insert')
    const duplicates = this.#duplicates(node)
    const source = node.has('source') ? { source: this.query(node.value('source')) } : {}
    const alias = node.has('insert_alias') ? this.#insertAlias(node.node('insert_alias')) : undefined
    const change: Change = {
      is: 'insert',
      ctes,
      targets: [this.#path(path)],
      from: alias === undefined ? [] : [{ is: 'table', path: this.#path(path), alias }],
      columns: node.list('columns').map((column) => this.#columnName(column)),
      assignments: [...this.#assignments(node.list('assignments')), ...(duplicates ?? [])],
      ...source,
      replaces: node.value('replace_into') === true,
      updatesDuplicates: duplicates !== undefined,
      order: [],
      returning: this.#items(node.list('returning')),
    }
    node.done()
    return change
  }

  #insertAlias(node: JsonNode): string {
    const alias = this.#path(node.value('row_alias')).at(-1)
    node.done()
    if (alias === undefined) throw new UnreadError('insert alias')
    return alias
  }

  #columnName(value: unknown): string {
    const name = (Array.isArray(value) ? this.#path(value) : [this.#ident(value)]).at(-1)
    if (name === undefined) throw new UnreadError('column')
    return name
  }

  #duplicates(node: JsonNode): readonly Assignment[] | undefined {
    if (!node.has('on')) return undefined
    const [kind, list] = variantOf(node.value('on'), 'on')
    if (kind !== 'DuplicateKeyUpdate' || !Array.isArray(list)) throw new UnreadError(kind)
    return this.#assignments(list)
  }

  #assignments(list: readonly unknown[]): readonly Assignment[] {
    return list.map((value) => {
      const node = new JsonNode(value, 'assignment')
      const [kind, path] = variantOf(node.value('target'), 'assignment')
      if (kind !== 'ColumnName') throw new UnreadError(kind)
      const assignment = { column: this.#path(path), value: this.expr(node.value('value')) }
      node.done()
      return assignment
    })
  }

  #update(node: JsonNode, ctes: readonly Cte[]): Change {
    node.ignore(...TOKENS)
    const from = this.#from(node.value('table'))
    const assignments = this.#assignments(node.list('assignments'))
    const change = {
      ...this.#changed(node),
      is: 'update',
      ctes,
      from: [from],
      assignments,
      targets: [],
      columns: [],
    } as const
    node.done()
    return change
  }

  #delete(node: JsonNode, ctes: readonly Cte[]): Change {
    node.ignore(...TOKENS)
    const [, list] = variantOf(node.value('from'), 'from')
    const written = this.#fromList(Array.isArray(list) ? list : [])
    const using = this.#fromList(node.list('using'))
    const named = node.list('tables').map((path) => this.#path(path))
    const bare = written.flatMap((each) =>
      each.is === 'table' ? [each.alias === undefined ? each.path : [each.alias]] : [],
    )
    if (using.length > 0 && bare.length < written.length) throw new UnreadError('delete')
    const targets = named.length > 0 ? named : bare
    if (targets.length === 0) throw new UnreadError('delete')
    const from = using.length > 0 ? using : written
    const change = { ...this.#changed(node), is: 'delete', ctes, from, targets, columns: [], assignments: [] } as const
    node.done()
    return change
  }

  #changed(node: JsonNode) {
    const where = node.has('selection') ? { where: this.expr(node.value('selection')) } : {}
    const limit = node.has('limit') ? { limit: this.expr(node.value('limit')) } : {}
    const returning = this.#items(node.list('returning'))
    return { ...where, ...limit, order: this.#order(node), returning, replaces: false, updatesDuplicates: false }
  }

  expr(value: unknown): Expr {
    const [name, content] = variantOf(value, 'expression')
    switch (name) {
      case 'Identifier':
        return this.#identifier(content)
      case 'CompoundIdentifier':
        return { is: 'column', path: this.#idents(content) }
      case 'Value':
        return this.#constant(new JsonNode(content, 'value').value('value'))
      case 'Function':
        return this.#call(new JsonNode(content, 'function'))
      case 'Subquery':
        return { is: 'query', query: this.query(content), gives: 'value' }
      case 'Exists': {
        const node = new JsonNode(content, 'exists').ignore('negated')
        const query = this.query(node.value('subquery'))
        node.done()
        return { is: 'query', query, gives: 'whether' }
      }
      case 'InSubquery': {
        const node = new JsonNode(content, 'in').ignore('negated')
        const query = { is: 'query', query: this.query(node.value('subquery')), gives: 'list' } as const
        const args = [this.expr(node.value('expr')), query]
        node.done()
        return { is: 'operator', op: 'In', args }
      }
      case 'AnyOp':
      case 'AllOp':
        return { is: 'operator', op: name, args: this.#all(content).map(manyRows) }
      case 'MatchAgainst':
        return this.#match(new JsonNode(content, 'match'))
      case 'BinaryOp':
      case 'UnaryOp':
        return this.#operator(new JsonNode(content, 'operator'))
      default:
        if (!COMPUTED.has(name)) throw new UnreadError(name)
        return { is: 'operator', op: name, args: this.#all(content) }
    }
  }

  #operator(node: JsonNode): Expr {
    const op = node.text('op')
    const args = ['left', 'right', 'expr'].flatMap((side) => (node.has(side) ? [this.expr(node.value(side))] : []))
    node.done()
    return { is: 'operator', op, args }
  }

  #identifier(content: unknown): Expr {
    const node = new JsonNode(content, 'name').ignore('span')
    const name = node.text('value')
    const quoted = node.has('quote_style')
    node.done()
    if (name.startsWith('@')) return { is: 'variable', name: this.#meant.get(name.slice(1))?.text ?? name }
    if (!quoted && name.toUpperCase() === 'DEFAULT') return { is: 'operator', op: 'Default', args: [] }
    if (!quoted && WITHOUT_PARENTHESES.has(name.toUpperCase()))
      return { is: 'call', name: [name], args: [], every: false }
    return { is: 'column', path: [this.#meant.get(name)?.text ?? name] }
  }

  #constant(value: unknown): Expr {
    const [kind, content] = variantOf(value, 'value')
    if (kind === 'Placeholder') return { is: 'parameter' }
    if (kind === 'Null') return { is: 'constant', type: 'null', value: 'NULL' }
    if (kind === 'Boolean') return { is: 'constant', type: 'boolean', value: String(content) }
    if (kind === 'Number' && Array.isArray(content))
      return { is: 'constant', type: 'number', value: String(content[0]) }
    if (kind !== 'SingleQuotedString') throw new UnreadError(kind)
    const meant = this.#meant.get(String(content))
    return { is: 'constant', type: meant?.kind === 'bits' ? 'bits' : 'string', value: meant?.text ?? String(content) }
  }

  #call(node: JsonNode): Expr {
    const name = this.#path(node.value('name'))
    const [kind, content] = variantOf(node.value('args') ?? 'None', 'arguments')
    const list = kind === 'List' ? new JsonNode(content, 'arguments').ignore('duplicate_treatment') : undefined
    if (!list && kind !== 'None') throw new UnreadError(`arguments ${kind}`)
    const given = list?.list('args') ?? []
    const args = given.flatMap((arg, index) =>
      this.#argument(arg, index === 0 && WITH_UNIT.has(name[0]?.toUpperCase() ?? '')),
    )
    const more = [...this.#all(list?.value('clauses')), ...this.#all(node.value('over'))]
    list?.done()
    node.ignore('parameters').done()
    return { is: 'call', name, args: [...args, ...more], every: given.some((arg) => isEvery(arg)) }
  }

  #argument(value: unknown, isUnit: boolean): readonly Expr[] {
    const [kind, content] = variantOf(value, 'argument')
    if (kind !== 'Unnamed') throw new UnreadError(`argument ${kind}`)
    if (content === 'Wildcard') return []
    const [form, inner] = variantOf(content, 'argument')
    if (form !== 'Expr') throw new UnreadError(`argument ${form}`)
    const expr = this.expr(inner)
    return isUnit && expr.is === 'column' && UNITS.test(expr.path[0] ?? '') ? [] : [expr]
  }

  #match(node: JsonNode): Expr {
    const columns = node.list('columns').map((path): Expr => ({ is: 'column', path: this.#path(path) }))
    const against = this.#all(node.value('match_value'))
    node.ignore('opt_search_modifier').done()
    return { is: 'operator', op: 'Match', args: [...columns, ...against] }
  }

  /** Each expression in a part whose form does not matter: a CASE, a window, a CAST. */
  #all(value: unknown): readonly Expr[] {
    if (Array.isArray(value)) return value.flatMap((each) => this.#all(each))
    if (!isRecord(value)) return []
    return Object.entries(value).flatMap(([name, content]) => {
      if (PASSED_OVER.has(name)) return []
      return EXPRESSIONS.has(name) ? [this.expr({ [name]: content })] : this.#all(content)
    })
  }

  #path(value: unknown): readonly string[] {
    if (!Array.isArray(value)) throw new UnreadError('name')
    return value.map((part) => {
      const [kind, ident] = variantOf(part, 'name')
      if (kind !== 'Identifier') throw new UnreadError('name')
      return this.#ident(ident)
    })
  }

  #idents(value: unknown): readonly string[] {
    if (!Array.isArray(value)) throw new UnreadError('name')
    return value.map((ident) => this.#ident(ident))
  }

  #ident(value: unknown): string {
    const node = new JsonNode(value, 'name').ignore('span', 'quote_style')
    const name = node.text('value')
    node.done()
    const meant = this.#meant.get(name)
    if (meant?.kind === 'string') this.named = true
    return meant?.text ?? name
  }
}

/** `= ANY (SELECT …)` compares with any number of rows. */
const manyRows = (expr: Expr): Expr => (expr.is === 'query' ? { ...expr, gives: 'list' } : expr)

const isEvery = (value: unknown): boolean => isRecord(value) && value['Unnamed'] === 'Wildcard'

/** Computed by the server from nothing but their parts. */
const COMPUTED = new Set([
  'Between',
  'Case',
  'Cast',
  'Ceil',
  'Collate',
  'Convert',
  'Extract',
  'Floor',
  'InList',
  'Interval',
  'IsDistinctFrom',
  'IsFalse',
  'IsNotFalse',
  'IsNotNull',
  'IsNotTrue',
  'IsNotUnknown',
  'IsNull',
  'IsTrue',
  'IsUnknown',
  'Like',
  'MemberOf',
  'Nested',
  'Position',
  'RLike',
  'Substring',
  'Trim',
  'Tuple',
  'TypedString',
])

const EXPRESSIONS = new Set([
  ...COMPUTED,
  'Identifier',
  'CompoundIdentifier',
  'Value',
  'Function',
  'Subquery',
  'Exists',
  'InSubquery',
  'AnyOp',
  'AllOp',
  'MatchAgainst',
  'BinaryOp',
  'UnaryOp',
])

/** Names in these are not those of columns. */
const PASSED_OVER = new Set([
  'data_type',
  'collation',
  'charset',
  'field',
  'leading_field',
  'last_field',
  'case_token',
  'end_token',
  'op',
  'compare_op',
  'options',
  'window_name',
  'NamedWindow',
  'span',
  'trim_where',
  'kind',
  'escape_char',
  'with_fill',
])

const WITHOUT_PARENTHESES = new Set([
  'UTC_DATE',
  'UTC_TIME',
  'UTC_TIMESTAMP',
  'LOCALTIME',
  'LOCALTIMESTAMP',
  'CURRENT_USER',
  'CURRENT_ROLE',
])
const WITH_UNIT = new Set(['TIMESTAMPDIFF', 'TIMESTAMPADD'])
const UNITS = /^(microsecond|second|minute|hour|day|week|month|quarter|year)$/i
