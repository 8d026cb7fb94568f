import type { ClusterStmt, LockStmt, Node, RefreshMatViewStmt, ReindexStmt, VacuumStmt } from 'libpg-query'
import { effect, type Effect } from '../action.ts'
import { danger } from '../danger.ts'
import { isOn, lastOption, nameOfRelation, optionsOf } from '../syntax-tree.ts'
import type { Reader } from './reader.ts'

/*
 * VACUUM, ANALYZE, CLUSTER, REINDEX, REFRESH and LOCK: they keep the data and may stop everybody else.
 */

const maintains = (nodes: readonly Node[] | undefined): readonly Effect[] => {
  const names = (nodes ?? []).flatMap((node) => {
    if ('RangeVar' in node) return [nameOfRelation(node.RangeVar)]
    return 'VacuumRelation' in node ? [nameOfRelation(node.VacuumRelation.relation)] : []
  })
  if (names.length === 0) return [effect('maintain', 'database', { name: 'every relation' })]
  return names.map((name) => effect('maintain', 'relation', name))
}

export const readVacuum: Reader<VacuumStmt> = ({ options, rels, is_vacuumcmd }) => {
  const isFull = isOn(lastOption(optionsOf(options), 'full'))
  return {
    tag: is_vacuumcmd ? 'VACUUM' : 'ANALYZE',
    effects: maintains(rels),
    dangers: isFull ? [danger('exclusive-lock', 'VACUUM FULL')] : [],
  }
}

export const readCluster: Reader<ClusterStmt> = ({ relation }) => ({
  tag: 'CLUSTER',
  effects: maintains(relation ? [{ RangeVar: relation }] : []),
  dangers: [danger('exclusive-lock', 'CLUSTER')],
})

export const readReindex: Reader<ReindexStmt> = ({ kind, relation, name, params }) => {
  const isConcurrent = isOn(lastOption(optionsOf(params), 'concurrently'))
  const isSchema = kind === 'REINDEX_OBJECT_SCHEMA'
  return {
    tag: 'REINDEX',
    effects: relation
      ? [effect('maintain', 'relation', nameOfRelation(relation))]
      : [effect('maintain', isSchema ? 'schema' : 'database', { name: name ?? 'this database' })],
    dangers: isConcurrent ? [] : [danger('exclusive-lock', 'REINDEX without CONCURRENTLY')],
  }
}

export const readRefresh: Reader<RefreshMatViewStmt> = ({ relation, concurrent }) => ({
  tag: 'REFRESH MATERIALIZED VIEW',
  effects: [effect('maintain', 'relation', nameOfRelation(relation))],
  dangers: concurrent ? [] : [danger('exclusive-lock', 'REFRESH MATERIALIZED VIEW without CONCURRENTLY')],
})

/** SHARE and what is stronger stops those who write; ACCESS EXCLUSIVE, the default, everybody. */
const SHARE_LOCK = 5

export const readLock: Reader<LockStmt> = ({ relations, mode }) => ({
  tag: 'LOCK TABLE',
  effects: maintains(relations),
  dangers: (mode ?? 8) >= SHARE_LOCK ? [danger('exclusive-lock', 'LOCK TABLE')] : [],
})
