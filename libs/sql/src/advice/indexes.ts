import type { DropStmt, IndexStmt, Node, RefreshMatViewStmt, ReindexStmt } from 'libpg-query'
import type { CatalogueRelation } from '../server/catalogue.ts'
import { nameOfList, optionsOf } from '../syntax-tree.ts'
import type { Advice } from './advice.ts'
import { relationNamed, type Known } from './known.ts'
import { written } from './rewriting.ts'

/** Nothing that waits for a lock on the table waits for these; they cannot run in a transaction block. */
const OUTSIDE = 'outside of a transaction block'

export const withSql = (advice: Advice, ...nodes: readonly Node[]): Advice => {
  const sql = written(...nodes)
  return sql ? { ...advice, sql } : advice
}

export const adviseCreateIndex = (statement: IndexStmt, known: Known): readonly Advice[] => {
  const table = relationNamed(statement.relation, known)
  if (!table || statement.concurrent) return []
  if (table.kind === 'p') return [BY_PARTITION]
  const advice: Advice = {
    code: 'index-concurrently',
    text: `build it while others go on writing, ${OUTSIDE}; if it fails, drop the invalid index that it leaves`,
  }
  return [withSql(advice, { IndexStmt: { ...statement, concurrent: true } })]
}

const BY_PARTITION: Advice = {
  code: 'index-by-partition',
  text: 'create it ON ONLY the partitioned table, then CONCURRENTLY on each partition, and ATTACH each to it',
}

/** One at a time, and nothing that depends on it: CONCURRENTLY takes no more. */
export const adviseDropIndex = (statement: DropStmt, known: Known): readonly Advice[] => {
  const { objects = [], concurrent, behavior } = statement
  const indexes = objects.map((object) => indexNamed(object, known))
  if (concurrent || indexes.every((index) => index === undefined)) return []
  const advice: Advice = {
    code: 'drop-index-concurrently',
    text: `drop it without keeping anybody out of the table, one index at a time and ${OUTSIDE}`,
  }
  const isSimple = behavior !== 'DROP_CASCADE' && indexes.every((index) => index?.kind === 'i')
  if (!isSimple) return indexes.some((index) => index?.kind === 'I') ? [] : [advice]
  return [
    withSql(advice, ...objects.map((object) => ({ DropStmt: { ...statement, objects: [object], concurrent: true } }))),
  ]
}

const indexNamed = (object: Node, known: Known): CatalogueRelation | undefined => {
  const { schema, name } = nameOfList('List' in object ? object.List.items : undefined)
  return relationNamed({ relname: name, ...(schema !== undefined && { schemaname: schema }) }, known)
}

export const adviseReindex = (statement: ReindexStmt): readonly Advice[] => {
  const { params = [], kind } = statement
  const isConcurrent = optionsOf(params).some(({ name }) => name === 'concurrently')
  if (isConcurrent || kind === 'REINDEX_OBJECT_SYSTEM') return []
  const concurrently: Node = { DefElem: { defname: 'concurrently', defaction: 'DEFELEM_UNSPEC' } }
  const advice: Advice = {
    code: 'reindex-concurrently',
    text: `build the new index beside the old one while others go on, ${OUTSIDE}`,
  }
  return [withSql(advice, { ReindexStmt: { ...statement, params: [...params, concurrently] } })]
}

/** It compares the new rows with the old ones, for which they need a key. */
export const adviseRefresh = (statement: RefreshMatViewStmt, known: Known): readonly Advice[] => {
  const view = relationNamed(statement.relation, known)
  if (!view || statement.concurrent || statement.skipData) return []
  const hasKey = (known.catalogue.keys.get(view.oid) ?? []).length > 0
  const text = hasKey
    ? 'others can go on reading it meanwhile'
    : 'give it a unique index on columns, without WHERE; then CONCURRENTLY lets others go on reading it meanwhile'
  const advice: Advice = { code: 'refresh-concurrently', text }
  return [hasKey ? withSql(advice, { RefreshMatViewStmt: { ...statement, concurrent: true } }) : advice]
}
