import type { Node } from 'libpg-query'
import { parse } from '../parser.ts'
import type { Advice } from './advice.ts'
import { adviseAlterTable } from './alter-table.ts'
import { adviseDrop, adviseLock, adviseRename, adviseTruncate, adviseVacuum } from './destruction.ts'
import { adviseCreateIndex, adviseRefresh, adviseReindex } from './indexes.ts'
import type { Known } from './known.ts'
import { adviseDefaultPrivileges, adviseGrant } from './privileges.ts'
import { adviseDelete, adviseSelect, adviseUpdate } from './rows.ts'

/**
 * The safe way to write each statement of a text, where there is one. `known`: of each statement, by its place. Parses
 * the text, so it belongs to where the parser is; throws what `understand` throws.
 */
export const advise = (text: string, known: (index: number) => Known): readonly (readonly Advice[])[] =>
  parse(text).map(({ stmt }, index) => (stmt ? adviceOn(stmt, known(index)) : []))

/** On one statement, by its tree. */
export const adviceOn = (node: Node, known: Known): readonly Advice[] => {
  if ('AlterTableStmt' in node) return adviseAlterTable(node.AlterTableStmt, known)
  if ('IndexStmt' in node) return adviseCreateIndex(node.IndexStmt, known)
  if ('ReindexStmt' in node) return adviseReindex(node.ReindexStmt)
  if ('RefreshMatViewStmt' in node) return adviseRefresh(node.RefreshMatViewStmt, known)
  if ('DropStmt' in node) return adviseDrop(node.DropStmt, known)
  if ('TruncateStmt' in node) return adviseTruncate(node.TruncateStmt, known)
  if ('RenameStmt' in node) return adviseRename(node.RenameStmt, known)
  if ('VacuumStmt' in node) return adviseVacuum(node.VacuumStmt)
  if ('ClusterStmt' in node) return [REWRITE_ONLINE]
  if ('LockStmt' in node) return adviseLock()
  if ('DeleteStmt' in node) return adviseDelete(node.DeleteStmt, known)
  if ('UpdateStmt' in node) return adviseUpdate(node.UpdateStmt, known)
  if ('SelectStmt' in node) return adviseSelect(node.SelectStmt, known)
  if ('GrantStmt' in node) return adviseGrant(node.GrantStmt)
  return 'AlterDefaultPrivilegesStmt' in node ? adviseDefaultPrivileges() : []
}

const REWRITE_ONLINE: Advice = {
  code: 'rewrite-online',
  text: 'it keeps everybody out of the table while it writes it anew: pg_repack does the same while others go on',
}
