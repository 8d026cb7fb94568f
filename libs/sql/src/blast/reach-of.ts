import { Buffer } from 'node:buffer'
import type { Node, RawStmt } from 'libpg-query'
import { parse } from '../parser.ts'
import { Source } from '../source.ts'
import { constantText, tagOf } from '../syntax-tree.ts'
import { alterOf } from './reach-alter.ts'
import { createOf } from './reach-create.ts'
import { dropOf, truncateOf } from './reach-drop.ts'
import { changesIn } from './reach-rows.ts'
import { upkeepOf } from './reach-upkeep.ts'
import type { Act, Reach } from './reach.ts'

/**
 * What each statement of a text sets out to do. Only for a text that `understand` has accepted; synchronous, in the
 * worker that has the parser.
 */
export const reachesOf = (text: string): readonly Reach[] => {
  const bytes = Buffer.from(text)
  return parse(text).map(({ stmt, stmt_location: start = 0, stmt_len: length }: RawStmt) => {
    const end = length ? start + length : bytes.length
    return reachOf(stmt ?? { RawStmt: {} }, new Source(bytes.toString('utf8', start, end), start))
  })
}

const reachOf = (node: Node, source: Source): Reach => {
  if ('ExplainStmt' in node) return reachOf(node.ExplainStmt.query ?? { SelectStmt: {} }, source)
  if ('ExecuteStmt' in node) {
    const { name = '', params } = node.ExecuteStmt
    return { acts: [], unknown: [], executes: { name, arguments: (params ?? []).map(constantText) } }
  }
  const acts = actsOf(node, source)
  const known = acts ?? []
  const changes = changesIn(node, source)
  return {
    acts: [...known, ...changes],
    unknown: acts || changes.length > 0 ? [] : unknownOf(node),
  }
}

const actsOf = (node: Node, source: Source): readonly Act[] | undefined =>
  alterOf(node) ?? createOf(node) ?? dropOf(node) ?? truncateOf(node) ?? upkeepOf(node, source)

/** Statements that lock no relation for longer than a look, and drop nothing. */
const REACH_NOTHING: ReadonlySet<string> = new Set([
  'SelectStmt',
  'InsertStmt',
  'UpdateStmt',
  'DeleteStmt',
  'MergeStmt',
  'CopyStmt',
  'TransactionStmt',
  'VariableSetStmt',
  'VariableShowStmt',
  'DeclareCursorStmt',
  'FetchStmt',
  'ClosePortalStmt',
  'PrepareStmt',
  'DeallocateStmt',
  'CreateTableAsStmt',
  'CreateFunctionStmt',
  'CreateRoleStmt',
  'AlterRoleStmt',
  'AlterRoleSetStmt',
  'GrantStmt',
  'GrantRoleStmt',
  'AlterSystemStmt',
  'AlterDefaultPrivilegesStmt',
  'CreateExtensionStmt',
  'CreateSchemaStmt',
  'CreateSeqStmt',
  'CreateEnumStmt',
  'CreateDomainStmt',
  'CompositeTypeStmt',
  'DefineStmt',
  'CreatedbStmt',
  'AlterDatabaseSetStmt',
  'CheckPointStmt',
  'LoadStmt',
  'ListenStmt',
  'UnlistenStmt',
  'NotifyStmt',
  'DiscardStmt',
  'ViewStmt',
  'RenameStmt',
  'AlterObjectSchemaStmt',
  'AlterOwnerStmt',
  'AlterFunctionStmt',
  'AlterEnumStmt',
  'AlterTableSpaceOptionsStmt',
  'AlterTSConfigurationStmt',
  'AlterTSDictionaryStmt',
  'AlterUserMappingStmt',
  'AlterForeignServerStmt',
  'ConstraintsSetStmt',
  'CreateAmStmt',
  'CreateCastStmt',
  'CreateConversionStmt',
  'CreateEventTrigStmt',
  'CreateFdwStmt',
  'CreateForeignServerStmt',
  'CreateOpClassStmt',
  'CreateOpFamilyStmt',
  'CreatePLangStmt',
  'CreateRangeStmt',
  'CreateTableSpaceStmt',
  'CreateTransformStmt',
  'CreateUserMappingStmt',
  'DropRoleStmt',
  'DropUserMappingStmt',
])

const CODE: ReadonlySet<string> = new Set(['DoStmt', 'CallStmt'])

const unknownOf = (node: Node): readonly string[] => {
  const tag = tagOf(node)
  if (REACH_NOTHING.has(tag)) return []
  return [CODE.has(tag) ? 'what the code reaches that it runs' : `what this statement reaches (${wordsOf(tag)})`]
}

/** `DropOwnedStmt` is "DROP OWNED". */
const wordsOf = (tag: string): string =>
  tag
    .replace(/Stmt$/, '')
    .replaceAll(/([a-z])([A-Z])/g, '$1 $2')
    .toUpperCase()
