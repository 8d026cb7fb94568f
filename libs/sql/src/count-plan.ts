import type {
  DeleteStmt,
  InsertStmt,
  MergeStmt,
  MergeWhenClause,
  Node,
  RangeVar,
  SelectStmt,
  UpdateStmt,
} from 'libpg-query'
import type { CountPlan } from './command.ts'
import { parseOne, type Token } from './parser.ts'
import type { ChangeNode, VisibleCte } from './query-parts.ts'
import { findWord, Source, topLevel } from './source.ts'
import { isRecord, sameTree } from './syntax-tree.ts'

/*
 * From a statement that changes rows, a query that finds the same rows. It is cut out of the statement's own text and
 * then parsed: only when target, sources and condition come out as the very trees of the statement is it used. What
 * is not certain is not counted.
 */

interface Cut {
  readonly start: number
  readonly end: number
}

/** The parts of the text that the query is made of, and the trees that they must parse to. */
interface Draft {
  readonly target?: Cut
  readonly sources?: Cut
  readonly condition?: Cut
  /** INSERT … SELECT: the query whose rows are inserted. */
  readonly query?: Cut
  readonly exact: boolean
  readonly expected: Expected
}

interface Expected {
  readonly relation?: RangeVar
  readonly sources: readonly Node[]
  readonly condition?: Node | undefined
  readonly query?: Node | undefined
}

export const countPlan = (change: ChangeNode, source: Source): CountPlan | undefined => {
  const draft = draftOf(change.node, source)
  const visible = draft && visibleCtes(change, source)
  if (!draft || !visible) return undefined
  const text = compose(draft, visible, source)
  return isFaithful(text, draft.expected, visible) ? planOf(draft, visible, source) : undefined
}

/** The same rows, with their columns to be chosen. */
export interface RowsPlan {
  /** The query up to its list of columns, and behind it. */
  readonly before: string
  readonly after: string
  /** What the target is called in it. */
  readonly alias: string
  readonly parameters: readonly number[]
  readonly exact: boolean
}

/** Of an UPDATE, DELETE or MERGE: the rows that it would change, as they are. */
export const rowsPlan = (change: ChangeNode, source: Source): RowsPlan | undefined => {
  const draft = draftOf(change.node, source)
  const visible = draft && visibleCtes(change, source)
  const { relation } = draft?.expected ?? {}
  if (!draft || !visible || !relation || !isFaithful(compose(draft, visible, source), draft.expected, visible)) {
    return undefined
  }
  const parameters: number[] = []
  const text = (pieces: readonly (string | Cut)[]) =>
    pieces
      .map((piece) =>
        typeof piece === 'string' ? piece : renumbered(source.slice(piece.start, piece.end), parameters),
      )
      .join('')
  const before = text(withsOf(visible))
  const after = text(rowsOf(draft))
  const alias = relation.alias?.aliasname ?? relation.relname ?? ''
  return { before, after, alias, parameters, exact: draft.exact }
}

const draftOf = (node: Node, source: Source): Draft | undefined => {
  if ('DeleteStmt' in node) return draftOfDelete(node.DeleteStmt, source)
  if ('UpdateStmt' in node) return draftOfUpdate(node.UpdateStmt, source)
  if ('MergeStmt' in node) return draftOfMerge(node.MergeStmt, source)
  return 'InsertStmt' in node ? draftOfInsert(node.InsertStmt, source) : undefined
}

const draftOfDelete = ({ relation, usingClause, whereClause }: DeleteStmt, source: Source): Draft | undefined => {
  const clauses = clausesOf(source, relation, [['using'], ['where'], ['returning']])
  if (!clauses || !relation) return undefined
  const [target, sources, condition] = clauses
  return draft(relation, usingClause, whereClause, target, sources, condition)
}

const draftOfUpdate = (update: UpdateStmt, source: Source): Draft | undefined => {
  const { relation, fromClause, whereClause } = update
  const clauses = clausesOf(source, relation, [['set'], ['from'], ['where'], ['returning']])
  if (!clauses || !relation) return undefined
  const [target, , sources, condition] = clauses
  return draft(relation, fromClause, whereClause, target, sources, condition)
}

/** The rows that match, whatever each WHEN then asks: as many as the MERGE can change, or more. */
const draftOfMerge = (merge: MergeStmt, source: Source): Draft | undefined => {
  const { relation, sourceRelation, joinCondition } = merge
  const clauses = clausesOf(source, relation, [['using'], ['on'], ['when']])
  const whens = (merge.mergeWhenClauses ?? []).flatMap((node) =>
    'MergeWhenClause' in node ? [node.MergeWhenClause] : [],
  )
  const changing = whens.filter(({ commandType }) => commandType === 'CMD_UPDATE' || commandType === 'CMD_DELETE')
  if (!clauses || !relation || !sourceRelation || changing.some(isBySource)) return undefined
  const [target, sources, condition] = clauses
  const exact = changing.length === 1 && changing[0]?.condition === undefined
  return { ...draft(relation, [sourceRelation], joinCondition, target, sources, condition), exact }
}

/** WHEN NOT MATCHED BY SOURCE changes the other rows. */
const isBySource = ({ matchKind }: MergeWhenClause) => matchKind === 'MERGE_WHEN_NOT_MATCHED_BY_SOURCE'

const draft = (
  relation: RangeVar,
  sources: readonly Node[] | undefined,
  where: Node | undefined,
  target: Cut | undefined,
  sourceCut: Cut | undefined,
  condition: Cut | undefined,
): Draft => ({
  ...(target ? { target } : {}),
  ...(sourceCut ? { sources: sourceCut } : {}),
  ...(condition ? { condition } : {}),
  exact: true,
  expected: { relation, sources: sources ?? [], condition: where },
})

const draftOfInsert = ({ relation, selectStmt, onConflictClause }: InsertStmt, source: Source): Draft | undefined => {
  const from = source.tokenAt(relation?.location)
  if (from < 0 || !selectStmt) return undefined
  const places = topLevel(source.tokens, from)
  const start = places.find((place) => place > from && startsQuery(source.tokens, place))
  const end = endOfQuery(source.tokens, places)
  const query = start === undefined ? undefined : cutBetween(source, start, end)
  return query && { query, exact: onConflictClause === undefined, expected: { sources: [], query: selectStmt } }
}

/** A parenthesis in front of the query may be the list of columns; the parser tells in the end. */
const startsQuery = (tokens: readonly Token[], place: number): boolean => {
  const token = tokens[place]
  if (!token) return false
  if (token.text !== '(') return token.isKeyword && ['select', 'values', 'table', 'with'].includes(token.text)
  return ['select', 'values', 'table', 'with', '('].includes(tokens[place + 1]?.text ?? '')
}

const endOfQuery = (tokens: readonly Token[], places: readonly number[]): number => {
  const conflict = places.find((place) => tokens[place]?.text === 'on' && tokens[place + 1]?.text === 'conflict')
  const returning = findWord(tokens, places, 'returning')
  const last = (places.at(-1) ?? -1) + 1
  return Math.min(conflict ?? last, returning < 0 ? last : returning)
}

/** The text of the target, and of what follows each of these words, in this order; a word may be absent. */
const clausesOf = (
  source: Source,
  relation: RangeVar | undefined,
  words: readonly (readonly string[])[],
): readonly (Cut | undefined)[] | undefined => {
  const start = startOfTarget(source, relation)
  if (start === undefined) return undefined
  const places = topLevel(source.tokens, start)
  const found: number[] = []
  for (const word of words) found.push(findClause(source.tokens, places, word, Math.max(start, ...found)))
  const end = (places.at(-1) ?? -1) + 1
  const endOf = (index: number) => found.slice(index).find((place) => place >= 0) ?? end
  return [
    cutBetween(source, start, endOf(0)),
    ...found.map((place, index) => (place < 0 ? undefined : cutBetween(source, place + 1, endOf(index + 1)))),
  ]
}

/** `IS DISTINCT FROM` is not FROM, and `t AS set` is not SET. */
const findClause = (tokens: readonly Token[], places: readonly number[], words: readonly string[], after: number) =>
  findWord(
    tokens,
    places.filter((place) => place > after && !['distinct', 'as'].includes(tokens[place - 1]?.text ?? '')),
    ...words,
  )

/** ONLY, and the parenthesis that may follow it, stand before the place of the relation. */
const startOfTarget = (source: Source, relation: RangeVar | undefined): number | undefined => {
  const at = source.tokenAt(relation?.location)
  if (at < 0) return undefined
  if (relation?.inh) return at
  const only = source.tokens[at - 1]?.text === '(' ? at - 2 : at - 1
  return source.tokens[only]?.text === 'only' ? only : undefined
}

const cutBetween = (source: Source, first: number, beyond: number): Cut | undefined => {
  const start = source.tokens[first]
  const end = source.tokens[beyond - 1]
  return start && end && beyond > first ? { start: start.start, end: end.end } : undefined
}

// Common table expressions that the change can see. Those that it uses are taken along; one that changes rows itself
// cannot be.

interface Visible {
  readonly ctes: readonly VisibleCte[]
  readonly cuts: readonly Cut[]
  readonly recursive: boolean
}

const visibleCtes = ({ node, ctes, recursive }: ChangeNode, source: Source): Visible | undefined => {
  const used = usedCtes(node, ctes)
  if (used.some(({ changes }) => changes)) return undefined
  const cuts = used.map(({ cte }) => cutOfCte(source, cte.location))
  return cuts.every((cut) => cut !== undefined) ? { ctes: used, cuts, recursive } : undefined
}

/** By name, and whatever those use in turn. In doubt too many: then the query is not made. */
const usedCtes = (node: Node, ctes: readonly VisibleCte[]): readonly VisibleCte[] => {
  const used = new Set<VisibleCte>()
  const waiting: unknown[] = [node]
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const mentioned = new Set(mentionedNames(next))
    for (const visible of ctes) {
      if (used.has(visible) || !mentioned.has(visible.cte.ctename ?? '')) continue
      used.add(visible)
      waiting.push(visible.cte.ctequery)
    }
  }
  return ctes.filter((visible) => used.has(visible))
}

/** Every relation name without a schema, also below a WITH of its own, which may hide it. */
const mentionedNames = (root: unknown): string[] => {
  const names: string[] = []
  const waiting = [root]
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    if (isRecord(next) && typeof next['relname'] === 'string' && !next['schemaname']) names.push(next['relname'])
    waiting.push(...Object.values(next as object).filter((value) => typeof value === 'object' && value !== null))
  }
  return names
}

/** From the name to the parenthesis that closes its query. SEARCH and CYCLE clauses are lost, and then noticed. */
const cutOfCte = (source: Source, location: number | undefined): Cut | undefined => {
  const start = source.tokenAt(location)
  const places = start < 0 ? [] : topLevel(source.tokens, start)
  const as = findWord(source.tokens, places, 'as')
  const open = places.find((place) => place > as && source.tokens[place]?.text === '(')
  const close =
    open === undefined ? undefined : places.find((place) => place > open && source.tokens[place]?.text === ')')
  return as < 0 || close === undefined ? undefined : cutBetween(source, start, close + 1)
}

const frame = (draft: Draft, visible: Visible): (string | Cut)[] => [...withsOf(visible), 'SELECT 1', ...rowsOf(draft)]

const withsOf = ({ cuts, recursive }: Visible): (string | Cut)[] =>
  cuts.length === 0
    ? []
    : [...cuts.flatMap((cut, index) => [index === 0 ? `WITH ${recursive ? 'RECURSIVE ' : ''}` : ', ', cut]), ' ']

/** The sources are asked about in EXISTS, so that a row that several of their rows match counts once. */
const rowsOf = ({ target, sources, condition, query }: Draft): (string | Cut)[] => {
  if (query) return [' FROM (', query, ') counted']
  const where = condition ? [' WHERE ', condition] : []
  const filter = sources ? [' WHERE EXISTS (SELECT 1 FROM ', sources, ...where, ')'] : where
  return [' FROM ', ...(target ? [target] : []), ...filter]
}

const compose = (draft: Draft, visible: Visible, source: Source): string =>
  frame(draft, visible)
    .map((piece) => (typeof piece === 'string' ? piece : source.slice(piece.start, piece.end)))
    .join('')

const isFaithful = (text: string, expected: Expected, visible: Visible): boolean => {
  const node = parseOne(text)
  const select = node && 'SelectStmt' in node ? node.SelectStmt : undefined
  return (
    select !== undefined &&
    hasCtes(select, visible) &&
    (expected.query ? hasQuery(select, expected) : hasRows(select, expected))
  )
}

const hasCtes = ({ withClause }: SelectStmt, { ctes }: Visible): boolean =>
  sameTree(
    withClause?.ctes ?? [],
    ctes.map(({ cte }) => ({ CommonTableExpr: cte })),
  )

const hasQuery = ({ fromClause, whereClause }: SelectStmt, { query }: Expected): boolean => {
  const [from] = fromClause ?? []
  return (
    whereClause === undefined &&
    from !== undefined &&
    'RangeSubselect' in from &&
    sameTree(from.RangeSubselect.subquery, query)
  )
}

const hasRows = ({ fromClause, whereClause }: SelectStmt, { relation, sources, condition }: Expected): boolean => {
  if (!sameTree(fromClause, [{ RangeVar: relation }])) return false
  if (sources.length === 0) return sameTree(whereClause, condition)
  const inner = whereClause && 'SubLink' in whereClause ? whereClause.SubLink.subselect : undefined
  const select = inner && 'SelectStmt' in inner ? inner.SelectStmt : undefined
  return sameTree(select?.fromClause, sources) && sameTree(select?.whereClause, condition)
}

// The plan: pieces of text with the places of the statement's constants, and parameters counted from $1.

type Piece = CountPlan['pieces'][number]

const planOf = (draft: Draft, visible: Visible, source: Source): CountPlan => {
  const parameters: number[] = []
  const pieces = frame(draft, visible).flatMap((piece) =>
    typeof piece === 'string' ? [piece] : piecesOf(piece, source, parameters),
  )
  return { pieces: joined(pieces), parameters, exact: draft.exact }
}

const piecesOf = ({ start, end }: Cut, source: Source, parameters: number[]): Piece[] => {
  const pieces: Piece[] = []
  let kept = start
  source.constants.forEach((constant, index) => {
    if (constant.start < start || constant.end > end) return
    pieces.push(renumbered(source.slice(kept, constant.start), parameters), { constant: index })
    kept = constant.end
  })
  return [...pieces, renumbered(source.slice(kept, end), parameters)]
}

/** `$7` becomes the number that the query's own list of parameters gives it. */
const renumbered = (text: string, parameters: number[]): string => {
  if (!text.includes('$')) return text
  const fragment = new Source(text)
  let result = ''
  let kept = 0
  for (const token of fragment.tokens.filter(({ name }) => name === 'PARAM')) {
    result += `${fragment.slice(kept, token.start)}$${numberOf(Number(token.text.slice(1)), parameters)}`
    kept = token.end
  }
  return result + fragment.slice(kept)
}

const numberOf = (parameter: number, parameters: number[]): number => {
  if (!parameters.includes(parameter)) parameters.push(parameter)
  return parameters.indexOf(parameter) + 1
}

const joined = (pieces: readonly Piece[]): Piece[] => {
  const result: Piece[] = []
  for (const piece of pieces.filter((piece) => piece !== '')) {
    const last = result.at(-1)
    if (typeof piece === 'string' && typeof last === 'string') result[result.length - 1] = last + piece
    else result.push(piece)
  }
  return result
}
