import type { Node, RangeVar, VacuumStmt } from 'libpg-query'
import { isOn, lastOption, optionsOf } from '../syntax-tree.ts'
import type { Source } from '../source.ts'
import { LOCK_LEVELS } from './lock-level.ts'
import { locking } from './reach-alter.ts'
import type { Act } from './reach.ts'

/** LOCK, VACUUM, ANALYZE, CLUSTER, REINDEX, REFRESH. Without a name they take every relation: that is not listed. */
export const upkeepOf = (node: Node, _source: Source): readonly Act[] | undefined => {
  if ('LockStmt' in node) {
    const level = LOCK_LEVELS[(node.LockStmt.mode ?? 8) - 1] ?? 'ACCESS EXCLUSIVE'
    return rangesOf(node.LockStmt.relations).map((relation) => locking(relation, { level, recurses: true }))
  }
  if ('ClusterStmt' in node && node.ClusterStmt.relation) {
    return [locking(node.ClusterStmt.relation, { rewrites: true, effect: 'rebuilds', recurses: true })]
  }
  if ('RefreshMatViewStmt' in node) {
    const { relation, concurrent } = node.RefreshMatViewStmt
    const level = concurrent ? 'EXCLUSIVE' : 'ACCESS EXCLUSIVE'
    return [locking(relation, { level, rewrites: !concurrent, scans: true, effect: 'rebuilds' })]
  }
  if ('VacuumStmt' in node) return vacuumed(node.VacuumStmt)
  if ('ReindexStmt' in node && node.ReindexStmt.relation) {
    const concurrently = isOn(lastOption(optionsOf(node.ReindexStmt.params), 'concurrently'))
    const level = concurrently ? 'SHARE UPDATE EXCLUSIVE' : 'SHARE'
    return [
      locking(node.ReindexStmt.relation, {
        level,
        scans: true,
        effect: 'rebuilds',
        recurses: true,
        through: 'reindex',
      }),
    ]
  }
  return undefined
}

/** ANALYZE looks at some pages only. */
const vacuumed = ({ rels, options, is_vacuumcmd }: VacuumStmt): readonly Act[] | undefined => {
  const full = isOn(lastOption(optionsOf(options), 'full'))
  const named = (rels ?? []).flatMap((each) => ('VacuumRelation' in each ? [each.VacuumRelation.relation] : []))
  if (named.length === 0) return undefined
  return named.map((relation) =>
    locking(
      relation,
      full
        ? { rewrites: true, effect: 'rebuilds', recurses: true }
        : { level: 'SHARE UPDATE EXCLUSIVE', scans: is_vacuumcmd === true, recurses: true },
    ),
  )
}

const rangesOf = (nodes: readonly Node[] | undefined): readonly RangeVar[] =>
  (nodes ?? []).flatMap((node) => ('RangeVar' in node ? [node.RangeVar] : []))
