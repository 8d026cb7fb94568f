import type { DeleteStmt, InsertStmt, MergeStmt, Node, UpdateStmt } from 'libpg-query'
import { effect, nameText, type Effect, type Name } from './action.ts'
import { isTautology } from './boundedness.ts'
import type { Change } from './command.ts'
import { countPlan } from './count-plan.ts'
import type { ChangeNode } from './query-parts.ts'
import type { Source } from './source.ts'
import { nameOfRelation } from './syntax-tree.ts'

/** The rows that one data-changing statement changes, as its text says it. */
export const changeOf = (change: ChangeNode, source: Source | undefined): Change => {
  const said = readChange(change.node)
  const count = source && said.rowsAtMost === undefined ? countPlan(change, source) : undefined
  return count ? { ...said, count } : said
}

const readChange = (node: Node): Change => {
  if ('DeleteStmt' in node) return { ...conditional('delete', node.DeleteStmt), columns: [] }
  if ('UpdateStmt' in node)
    return { ...conditional('update', node.UpdateStmt), columns: namesOf(node.UpdateStmt.targetList) }
  if ('MergeStmt' in node) return merge(node.MergeStmt)
  return insert('InsertStmt' in node ? node.InsertStmt : {})
}

const conditional = (kind: 'delete' | 'update', { relation, whereClause }: DeleteStmt | UpdateStmt): Change => ({
  kind,
  relation: nameOfRelation(relation),
  unbounded: whereClause === undefined,
  tautological: isTautology(whereClause),
  // WHERE CURRENT OF is one row.
  ...(whereClause && 'CurrentOfExpr' in whereClause ? { rowsAtMost: 1 } : {}),
})

const namesOf = (targets: readonly Node[] | undefined): readonly string[] =>
  (targets ?? []).flatMap((target) => ('ResTarget' in target ? (target.ResTarget.name ?? []) : []))

const merge = ({ relation, joinCondition, mergeWhenClauses }: MergeStmt): Change => {
  const commands = (mergeWhenClauses ?? []).map((node) =>
    'MergeWhenClause' in node ? node.MergeWhenClause.commandType : undefined,
  )
  const changes = commands.includes('CMD_UPDATE') || commands.includes('CMD_DELETE')
  return {
    kind: changes ? 'merge' : 'insert',
    relation: nameOfRelation(relation),
    unbounded: false,
    tautological: changes && isTautology(joinCondition),
    ...mergedColumns(mergeWhenClauses ?? []),
    ...(changes && commands.includes('CMD_INSERT') && { inserts: true as const }),
  }
}

/** An INSERT without a list of columns is one of all of them, by place. */
const mergedColumns = (clauses: readonly Node[]): Pick<Change, 'columns'> => {
  const written = clauses.flatMap((clause) => ('MergeWhenClause' in clause ? [clause.MergeWhenClause] : []))
  const isListed = written.every(({ commandType, targetList, values }) =>
    commandType === 'CMD_INSERT' ? targetList !== undefined || values === undefined : true,
  )
  return isListed ? { columns: written.flatMap(({ targetList }) => namesOf(targetList)) } : {}
}

/** ON CONFLICT DO UPDATE changes rows that are there already: at most as many as it offers. */
const insert = ({ relation, cols, selectStmt, onConflictClause }: InsertStmt): Change => {
  const rowsAtMost = rowsOffered(selectStmt)
  return {
    kind: onConflictClause?.action === 'ONCONFLICT_UPDATE' ? 'update' : 'insert',
    relation: nameOfRelation(relation),
    unbounded: false,
    tautological: false,
    ...(rowsAtMost === undefined ? {} : { rowsAtMost }),
    ...(cols || !selectStmt ? { columns: [...namesOf(cols), ...namesOf(onConflictClause?.targetList)] } : {}),
  }
}

/** DEFAULT VALUES is one row, VALUES as many as it lists. */
const rowsOffered = (query: Node | undefined): number | undefined => {
  if (!query) return 1
  const lists = 'SelectStmt' in query ? query.SelectStmt.valuesLists : undefined
  const isPlain = 'SelectStmt' in query && !query.SelectStmt.limitCount && !query.SelectStmt.withClause
  return isPlain ? lists?.length : undefined
}

/** What a change does to its relation. */
export const effectsOfChange = ({ kind, relation }: Pick<Change, 'kind' | 'relation'>): readonly Effect[] => {
  if (kind === 'merge') return [effect('write', 'relation', relation), effect('delete', 'relation', relation)]
  if (kind === 'delete' || kind === 'truncate' || kind === 'drop') return [effect(kind, 'relation', relation)]
  return [effect('write', 'relation', relation)]
}

/** The same effect said twice is said once. */
export const distinctEffects = (effects: readonly Effect[]): readonly Effect[] => [
  ...new Map(effects.map((one) => [`${one.action} ${one.object.kind} ${nameText(one.object)}`, one])).values(),
]

export const readsOf = (names: readonly Name[]): readonly Effect[] =>
  names.map((name) => effect('read', 'relation', name))
