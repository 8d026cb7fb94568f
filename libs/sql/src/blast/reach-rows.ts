import type { Node, RangeVar } from 'libpg-query'
import { rowsPlan } from '../count-plan.ts'
import { queryParts, type ChangeNode } from '../query-parts.ts'
import type { Source } from '../source.ts'
import { isRecord, nameOfRelation } from '../syntax-tree.ts'
import type { RowsAct } from './reach.ts'

/** Every change of rows in a statement, at whatever depth. */
export const changesIn = (node: Node, source: Source): readonly RowsAct[] => {
  if ('CopyStmt' in node && node.CopyStmt.is_from) {
    return [{ kind: 'rows', change: 'insert', ...targetOf(node.CopyStmt.relation), sets: [] }]
  }
  return queryParts(node).changes.map((change) => actOf(change, source))
}

const actOf = (change: ChangeNode, source: Source): RowsAct => {
  const { node } = change
  const rows = rowsPlan(change, source)
  return { kind: 'rows', ...said(node), ...(rows && { rows }) }
}

const said = (node: Node): Omit<RowsAct, 'kind' | 'rows'> => {
  if ('DeleteStmt' in node) return { change: 'delete', ...targetOf(node.DeleteStmt.relation), sets: [] }
  if ('UpdateStmt' in node) {
    return { change: 'update', ...targetOf(node.UpdateStmt.relation), sets: setColumns(node.UpdateStmt.targetList) }
  }
  if ('MergeStmt' in node) {
    const { relation, mergeWhenClauses } = node.MergeStmt
    const whens = (mergeWhenClauses ?? []).flatMap((each) => ('MergeWhenClause' in each ? [each.MergeWhenClause] : []))
    const changing = whens.filter(({ commandType }) => commandType === 'CMD_UPDATE' || commandType === 'CMD_DELETE')
    const change = changing.length === 0 ? 'insert' : changing.every(isDelete) ? 'delete' : mergeChange(changing)
    return { change, ...targetOf(relation), sets: changing.flatMap(({ targetList }) => setColumns(targetList)) }
  }
  const { relation, onConflictClause } = 'InsertStmt' in node ? node.InsertStmt : {}
  const updates = onConflictClause?.action === 'ONCONFLICT_UPDATE'
  return {
    change: updates ? 'update' : 'insert',
    ...targetOf(relation),
    sets: setColumns(onConflictClause?.targetList),
  }
}

const isDelete = ({ commandType }: { commandType?: string }) => commandType === 'CMD_DELETE'

const mergeChange = (changing: readonly { commandType?: string }[]): RowsAct['change'] =>
  changing.some(isDelete) ? 'merge' : 'update'

const targetOf = (relation: RangeVar | undefined) => ({
  relation: nameOfRelation(relation),
  only: relation?.inh !== true,
})

const setColumns = (targets: readonly Node[] | undefined): readonly string[] =>
  (targets ?? []).flatMap((node) => {
    const target = isRecord(node) && 'ResTarget' in node ? node.ResTarget : undefined
    return target?.name === undefined ? [] : [target.name]
  })
