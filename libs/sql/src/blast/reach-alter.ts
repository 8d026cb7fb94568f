import type { AlterTableCmd, AlterTableStmt, ColumnDef, Constraint, Node, PartitionCmd } from 'libpg-query'
import type { Name } from '../action.ts'
import { queryParts } from '../query-parts.ts'
import { nameOfRelation, optionsOf, sameTree } from '../syntax-tree.ts'
import type { Act, AlterPart, Calls, LockAct, WrittenConstraint } from './reach.ts'
import { writtenType } from './written-type.ts'

/** ALTER of what is a relation. Of types, functions and the like nothing is locked that is one. */
export const alterOf = (node: Node): readonly Act[] | undefined => {
  if ('AlterTableStmt' in node) return alterTable(node.AlterTableStmt)
  if ('RenameStmt' in node) return renamed(node.RenameStmt.relation, node.RenameStmt.renameType)
  if ('AlterObjectSchemaStmt' in node) {
    return renamed(node.AlterObjectSchemaStmt.relation, node.AlterObjectSchemaStmt.objectType)
  }
  if ('AlterOwnerStmt' in node) return renamed(node.AlterOwnerStmt.relation, node.AlterOwnerStmt.objectType)
  if ('AlterSeqStmt' in node) {
    return [locking(node.AlterSeqStmt.sequence, { level: 'SHARE ROW EXCLUSIVE', effect: 'alters' })]
  }
  if ('AlterPolicyStmt' in node) return [locking(node.AlterPolicyStmt.table, { effect: 'alters' })]
  return undefined
}

export const locking = (
  relation: { readonly schemaname?: string; readonly relname?: string; readonly inh?: boolean } | undefined,
  more: Partial<LockAct>,
): LockAct => ({
  kind: 'lock',
  relation: nameOfRelation(relation),
  only: relation?.inh !== true,
  level: 'ACCESS EXCLUSIVE',
  recurses: false,
  effect: 'locks',
  rewrites: false,
  scans: false,
  ...more,
})

/** Columns and constraints are renamed wherever they are inherited; an index is renamed under a weaker lock. */
const renamed = (
  relation: Parameters<typeof locking>[0] | undefined,
  type: string | undefined,
): readonly LockAct[] | undefined => {
  if (!relation) return undefined
  const recurses = type === 'OBJECT_COLUMN' || type === 'OBJECT_TABCONSTRAINT' || type === 'OBJECT_ATTRIBUTE'
  return [locking(relation, { effect: 'alters', recurses, through: 'rename' })]
}

const alterTable = ({ relation, cmds, objtype }: AlterTableStmt): readonly Act[] | undefined => {
  if (objtype === 'OBJECT_TYPE') return undefined
  const parts = (cmds ?? []).flatMap((node) => ('AlterTableCmd' in node ? [partOf(node.AlterTableCmd)] : []))
  return [{ kind: 'alter', relation: nameOfRelation(relation), only: relation?.inh !== true, parts }]
}

const partOf = (command: AlterTableCmd): AlterPart => {
  const { subtype = 'AT_AddColumn', name, behavior, def } = command
  return {
    subtype,
    ...(name !== undefined && { name }),
    ...(behavior === 'DROP_CASCADE' && { cascade: true }),
    ...(def && detailOf(subtype, name ?? '', def)),
  }
}

const detailOf = (subtype: string, name: string, def: Node): Partial<AlterPart> => {
  if ('ColumnDef' in def)
    return subtype === 'AT_AlterColumnType' ? newType(name, def.ColumnDef) : newColumn(def.ColumnDef)
  if ('Constraint' in def) return { constraint: constraintOf(def.Constraint) }
  if ('PartitionCmd' in def) return partition(def.PartitionCmd)
  if ('RangeVar' in def) return { other: nameOfRelation(def.RangeVar) }
  if ('List' in def) return { options: optionsOf(def.List.items).map(({ name: option }) => option) }
  return {}
}

const partition = ({ name, concurrent }: PartitionCmd): Partial<AlterPart> => ({
  other: nameOfRelation(name),
  ...(concurrent && { concurrently: true }),
})

const newType = (name: string, column: ColumnDef): Partial<AlterPart> => {
  const type = writtenType(column.typeName)
  return { ...(type && { type }), computes: computes(name, column) }
}

/** `USING c` and `USING c::the_new_type` say no more than what would be done without them. */
const computes = (name: string, { raw_default: using, typeName }: ColumnDef): boolean => {
  if (!using) return false
  if (!('TypeCast' in using)) return !isColumn(using, name)
  return !isColumn(using.TypeCast.arg, name) || !sameTree(using.TypeCast.typeName, typeName)
}

const isColumn = (node: Node | undefined, name: string): boolean => {
  const fields = node && 'ColumnRef' in node ? (node.ColumnRef.fields ?? []) : []
  const [only] = fields
  return fields.length === 1 && only !== undefined && 'String' in only && only.String.sval === name
}

const newColumn = (column: ColumnDef): Partial<AlterPart> => {
  const constraints = (column.constraints ?? []).flatMap((node) => ('Constraint' in node ? [node.Constraint] : []))
  const type = writtenType(column.typeName)
  const defaulted = constraints.find(({ contype }) => contype === 'CONSTR_DEFAULT')?.raw_expr ?? column.raw_default
  const generated = constraints.find(({ contype }) => contype === 'CONSTR_GENERATED')
  const serial = type !== undefined && SERIAL.has(type.text)
  return {
    name: column.colname ?? '',
    ...(type && { type }),
    ...(defaulted && { calls: callsOf(defaulted) }),
    ...(generated && { generated: generated.generated_kind === 'v' ? 'virtual' : 'stored' }),
    ...((serial || constraints.some(({ contype }) => contype === 'CONSTR_IDENTITY')) && { identity: true }),
    constraints: constraints.map(constraintOf).filter(({ kind }) => kind !== 'other'),
  }
}

/** SPEC: the parser makes a sequence and a default of these, before it looks any type up. */
const SERIAL: ReadonlySet<string> = new Set(
  ['serial', 'serial4', 'bigserial', 'serial8', 'smallserial', 'serial2'].map((name) => `"${name}"`),
)

const callsOf = (expression: Node): Calls => {
  const { functions, operators } = queryParts(expression)
  const named = ({ schema, name }: Name): Name => (schema === undefined ? { name } : { schema, name })
  return { functions: functions.map(named), operators: operators.map(named) }
}

const CONSTRAINTS: Readonly<Record<string, WrittenConstraint['kind']>> = {
  CONSTR_CHECK: 'check',
  CONSTR_NOTNULL: 'not-null',
  CONSTR_UNIQUE: 'unique',
  CONSTR_PRIMARY: 'primary',
  CONSTR_EXCLUSION: 'exclusion',
  CONSTR_FOREIGN: 'foreign',
}

export const constraintOf = ({ contype, skip_validation, indexname, pktable }: Constraint): WrittenConstraint => ({
  kind: CONSTRAINTS[contype ?? ''] ?? 'other',
  notValid: skip_validation === true,
  usingIndex: indexname !== undefined && indexname !== '',
  ...(pktable && { references: nameOfRelation(pktable) }),
})
