import type { Node, ObjectType } from 'libpg-query'
import type { Name } from '../action.ts'
import { nameOfParts, nameOfRelation, stringOf, stringsOf } from '../syntax-tree.ts'
import type { Act, DroppedObject, TruncateAct } from './reach.ts'
import { typeText } from './written-type.ts'

export const truncateOf = (node: Node): readonly TruncateAct[] | undefined => {
  if (!('TruncateStmt' in node)) return undefined
  const { relations, behavior } = node.TruncateStmt
  const targets = (relations ?? []).flatMap((each) =>
    'RangeVar' in each ? [{ relation: nameOfRelation(each.RangeVar), only: each.RangeVar.inh !== true }] : [],
  )
  return [{ kind: 'truncate', targets, cascade: behavior === 'DROP_CASCADE' }]
}

export const dropOf = (node: Node): readonly Act[] | undefined => {
  if (!('DropStmt' in node)) return undefined
  const { objects, removeType, behavior, concurrent } = node.DropStmt
  return [
    {
      kind: 'drop',
      objects: (objects ?? []).flatMap((each) => droppedObject(removeType, each)),
      cascade: behavior === 'DROP_CASCADE',
      concurrently: concurrent === true,
    },
  ]
}

/** As `pg_get_object_address` calls what DROP can name; the others are not dropped by name, or only for the whole server. */
const TYPES: Partial<Record<ObjectType, string>> = {
  OBJECT_ACCESS_METHOD: 'access method',
  OBJECT_AGGREGATE: 'aggregate',
  OBJECT_CAST: 'cast',
  OBJECT_COLLATION: 'collation',
  OBJECT_CONVERSION: 'conversion',
  OBJECT_DOMAIN: 'domain',
  OBJECT_EVENT_TRIGGER: 'event trigger',
  OBJECT_EXTENSION: 'extension',
  OBJECT_FDW: 'foreign-data wrapper',
  OBJECT_FOREIGN_SERVER: 'server',
  OBJECT_FOREIGN_TABLE: 'foreign table',
  OBJECT_FUNCTION: 'function',
  OBJECT_INDEX: 'index',
  OBJECT_LANGUAGE: 'language',
  OBJECT_MATVIEW: 'materialized view',
  OBJECT_OPCLASS: 'operator class',
  OBJECT_OPERATOR: 'operator',
  OBJECT_OPFAMILY: 'operator family',
  OBJECT_POLICY: 'policy',
  OBJECT_PROCEDURE: 'procedure',
  OBJECT_PUBLICATION: 'publication',
  OBJECT_ROUTINE: 'routine',
  OBJECT_RULE: 'rule',
  OBJECT_SCHEMA: 'schema',
  OBJECT_SEQUENCE: 'sequence',
  OBJECT_STATISTIC_EXT: 'statistics object',
  OBJECT_TABLE: 'table',
  OBJECT_TRANSFORM: 'transform',
  OBJECT_TRIGGER: 'trigger',
  OBJECT_TSCONFIGURATION: 'text search configuration',
  OBJECT_TSDICTIONARY: 'text search dictionary',
  OBJECT_TSPARSER: 'text search parser',
  OBJECT_TSTEMPLATE: 'text search template',
  OBJECT_TYPE: 'type',
  OBJECT_VIEW: 'view',
}

const ON_RELATION: ReadonlySet<string> = new Set(['policy', 'rule', 'trigger'])

const droppedObject = (removeType: ObjectType | undefined, node: Node): readonly DroppedObject[] => {
  const type = TYPES[removeType ?? 'OBJECT_TABLE'] ?? 'unknown'
  if ('TypeName' in node) return [{ type, names: [typeText(node.TypeName)] }]
  if ('ObjectWithArgs' in node) {
    const { objname, objargs, args_unspecified } = node.ObjectWithArgs
    const args = (objargs ?? []).map((each) => ('TypeName' in each ? typeText(each.TypeName) : 'none'))
    return [{ type, names: stringsOf(objname), ...(args_unspecified ? {} : { args }) }]
  }
  if ((type === 'cast' || type === 'transform') && 'List' in node) return [pairOf(type, node.List.items ?? [])]
  const names = partsOf(node)
  return [{ type, names, ...(ON_RELATION.has(type) && { relation: relationOf(names) }) }]
}

const relationOf = (names: readonly string[]): Name => nameOfParts(names.slice(0, -1))

const pairOf = (type: string, items: readonly Node[]): DroppedObject => {
  const [first, second] = items.map((each) => textOf(each))
  return { type, names: [first ?? ''], args: [second ?? ''] }
}

const textOf = (node: Node): string => ('TypeName' in node ? typeText(node.TypeName) : (stringOf(node) ?? ''))

const partsOf = (node: Node): string[] => {
  if ('List' in node) return (node.List.items ?? []).flatMap(partsOf)
  if ('RangeVar' in node) {
    const { schema, name } = nameOfRelation(node.RangeVar)
    return schema === undefined ? [name] : [schema, name]
  }
  return [stringOf(node) ?? '']
}
