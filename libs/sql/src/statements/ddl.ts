import type {
  AlterObjectSchemaStmt,
  AlterOwnerStmt,
  AlterTableCmd,
  AlterTableStmt,
  AlterTableType,
  CommentStmt,
  CreateSchemaStmt,
  CreateStmt,
  DropStmt,
  IndexStmt,
  Node,
  ObjectType,
  RangeVar,
  RenameStmt,
  TruncateStmt,
} from 'libpg-query'
import { effect, type Action, type Effect, type Name, type ObjectKind } from '../action.ts'
import { effectsOfChange } from '../changes.ts'
import type { Change, Draft } from '../command.ts'
import { danger, type Danger, type DangerCode } from '../danger.ts'
import { queryParts } from '../query-parts.ts'
import { nameOfParts, nameOfRelation } from '../syntax-tree.ts'
import { kindOf, objectsOf } from './objects.ts'
import { createdRelation, mentions } from './query.ts'
import { quotedName } from './wrappers.ts'
import type { Reader } from './reader.ts'

/** A statement that does one thing to one object, with whatever expressions it carries. */
export const simple = (
  tag: string,
  action: Action,
  kind: ObjectKind,
  name: Name,
  statement: object = {},
  ...dangers: readonly Danger[]
): Draft => {
  const used = mentions(queryParts(statement))
  return { tag, ...used, effects: [effect(action, kind, name)], dangers: [...used.dangers, ...dangers] }
}

export const readCreateTable: Reader<CreateStmt> = (statement) => {
  const created = createdRelation('table', statement.relation)
  const parents = (statement.inhRelations ?? []).flatMap((node) => ('RangeVar' in node ? [node.RangeVar] : []))
  const { relation: _, inhRelations: __, ...rest } = statement
  const draft = simple('CREATE TABLE', 'create', 'relation', created.object, rest)
  return {
    ...draft,
    creates: [created],
    // A partition changes what its parent holds.
    effects: [
      ...(draft.effects ?? []),
      ...parents.map((parent) => effect(statement.partbound ? 'alter' : 'read', 'relation', nameOfRelation(parent))),
    ],
  }
}

export const readCreateIndex: Reader<IndexStmt> = (statement) => {
  const { relation, concurrent, ...rest } = statement
  const draft = simple('CREATE INDEX', 'create', 'relation', { name: statement.idxname ?? 'index' }, rest)
  const target = effect('alter', 'relation', nameOfRelation(relation))
  const locks = concurrent ? [] : [danger('exclusive-lock', 'CREATE INDEX without CONCURRENTLY')]
  return { ...draft, effects: [target], dangers: [...(draft.dangers ?? []), ...locks] }
}

/** CREATE SCHEMA may carry CREATE TABLE, VIEW, INDEX, SEQUENCE, TRIGGER and GRANT. */
export const readCreateSchema: Reader<CreateSchemaStmt> = ({ schemaname, authrole, schemaElts }, { read }) => {
  const name = schemaname ?? authrole?.rolename ?? 'schema'
  const elements = (schemaElts ?? []).map((node) => read(node, undefined))
  return {
    tag: 'CREATE SCHEMA',
    effects: [effect('create', 'schema', { name }), ...elements.flatMap(({ effects }) => effects)],
    dangers: elements.flatMap(({ dangers }) => dangers),
    functions: elements.flatMap(({ functions }) => functions),
  }
}

export const readDrop: Reader<DropStmt> = ({ objects, removeType }) => {
  const named = (objects ?? []).flatMap((node) => objectsOf(removeType, node))
  const [, ...related] = named.map(({ kind }) => kind)
  const isOnRelation = related.includes('relation') && kindOf(removeType).kind !== 'relation'
  return {
    tag: `DROP ${kindOf(removeType).words}`,
    effects: named.map(({ kind, ...name }) =>
      effect(isOnRelation && kind === 'relation' ? 'alter' : 'drop', kind, name),
    ),
    changes: removeType === 'OBJECT_TABLE' ? named.map((name) => whole('drop', name)) : [],
  }
}

export const readTruncate: Reader<TruncateStmt> = ({ relations }) => {
  const names = (relations ?? []).flatMap((node) => ('RangeVar' in node ? [nameOfRelation(node.RangeVar)] : []))
  const changes = names.map((name) => whole('truncate', name))
  return { tag: 'TRUNCATE', changes, effects: changes.flatMap(effectsOfChange) }
}

/** Every row of the relation goes: what there is to count is all of it. */
const whole = (kind: 'drop' | 'truncate', { schema, name }: Name): Change => {
  const relation: Name = schema === undefined ? { name } : { schema, name }
  return {
    kind,
    relation,
    unbounded: true,
    tautological: false,
    count: { pieces: [`SELECT 1 FROM ${quotedName(relation)}`], parameters: [], exact: true },
  }
}

/** What each part of ALTER TABLE means beyond "something is altered". */
const ALTER_DANGERS: Partial<Record<AlterTableType, DangerCode>> = {
  AT_DropColumn: 'data-loss',
  AT_AlterColumnType: 'data-loss',
  AT_SetUnLogged: 'data-loss',
  AT_DetachPartition: 'data-loss',
  AT_DetachPartitionFinalize: 'data-loss',
  AT_DropExpression: 'data-loss',
  AT_DropConstraint: 'protection-off',
  AT_DropNotNull: 'protection-off',
  AT_DisableTrig: 'protection-off',
  AT_DisableTrigAll: 'protection-off',
  AT_DisableTrigUser: 'protection-off',
  AT_EnableReplicaTrig: 'protection-off',
  AT_DisableRule: 'protection-off',
  AT_EnableReplicaRule: 'protection-off',
  AT_DisableRowSecurity: 'row-security',
  AT_NoForceRowSecurity: 'row-security',
  AT_EnableRowSecurity: 'row-security',
  AT_ForceRowSecurity: 'row-security',
  AT_SetTableSpace: 'exclusive-lock',
  AT_SetAccessMethod: 'exclusive-lock',
  AT_SetLogged: 'exclusive-lock',
}

export const readAlterTable: Reader<AlterTableStmt> = (statement) => {
  const commands = (statement.cmds ?? []).flatMap((node) => ('AlterTableCmd' in node ? [node.AlterTableCmd] : []))
  const isType = statement.objtype === 'OBJECT_TYPE'
  const name = nameOfRelation(statement.relation)
  const tag = `ALTER ${kindOf(statement.objtype).words}`
  const draft = simple(
    tag,
    'alter',
    isType ? 'type' : 'relation',
    name,
    statement.cmds,
    ...commands.flatMap(dangersOfAlter),
  )
  return {
    ...draft,
    effects: [...(draft.effects ?? []), ...commands.flatMap((command) => otherRelations(command, name))],
  }
}

const dangersOfAlter = ({ subtype }: AlterTableCmd): readonly Danger[] => {
  const code = subtype && ALTER_DANGERS[subtype]
  return code ? [danger(code, `ALTER TABLE … ${wordsOf(subtype)}`)] : []
}

/** `AT_DropColumn` is "drop column". */
const wordsOf = (subtype: AlterTableType) =>
  subtype
    .slice(3)
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .toLowerCase()

/** A new owner is a grant; a partition that comes or goes is altered, too. */
const otherRelations = ({ subtype, def }: AlterTableCmd, name: Name): readonly Effect[] => {
  if (subtype === 'AT_ChangeOwner') return [effect('grant', 'relation', name)]
  const related =
    def && 'PartitionCmd' in def ? def.PartitionCmd.name : def && 'RangeVar' in def ? def.RangeVar : undefined
  return related ? [effect('alter', 'relation', nameOfRelation(related))] : []
}

export const readRename: Reader<RenameStmt> = ({ renameType, relation, object, newname }) => {
  const named = namedObjects(renameType, relation, object)
  const what = `ALTER ${kindOf(renameType).words}`
  return {
    tag: what,
    effects: named.map(({ kind, ...name }) => effect('alter', kind, name)),
    dangers: [danger('rename', `${what} … RENAME TO ${newname ?? ''}`)],
  }
}

export const readSetSchema: Reader<AlterObjectSchemaStmt> = ({ objectType, relation, object, newschema }) => {
  const what = `ALTER ${kindOf(objectType).words}`
  return {
    tag: what,
    effects: [
      ...namedObjects(objectType, relation, object).map(({ kind, ...name }) => effect('alter', kind, name)),
      effect('create', 'schema', { name: newschema ?? '' }),
    ],
    dangers: [danger('rename', `${what} … SET SCHEMA`)],
  }
}

export const readSetOwner: Reader<AlterOwnerStmt> = ({ objectType, relation, object }) => ({
  tag: `ALTER ${kindOf(objectType).words}`,
  effects: namedObjects(objectType, relation, object).map(({ kind, ...name }) => effect('grant', kind, name)),
})

export const readComment: Reader<CommentStmt> = ({ objtype, object }) => ({
  tag: 'COMMENT',
  effects: objectsOf(objtype, object).map(({ kind, ...name }) => effect('alter', kind, name)),
})

const namedObjects = (type: ObjectType | undefined, relation: RangeVar | undefined, object: Node | undefined) =>
  relation ? [{ kind: relationKind(type), ...nameOfRelation(relation) }] : objectsOf(type, object)

const relationKind = (type: ObjectType | undefined): ObjectKind => (kindOf(type).kind === 'type' ? 'type' : 'relation')

export const nameFrom = (text: string | undefined): Name => nameOfParts([text ?? ''])
