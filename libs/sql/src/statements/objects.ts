import type { Node, ObjectType } from 'libpg-query'
import { nameText, type ObjectKind, type SqlObject } from '../action.ts'
import { nameOfList, nameOfParts, nameOfRelation, stringOf, stringsOf } from '../syntax-tree.ts'

interface Kind {
  readonly kind: ObjectKind
  /** As a statement's tag says it. */
  readonly words: string
}

const kind = (kind: ObjectKind, words: string): Kind => ({ kind, words })

/** Everything that the grammar can name. A kind that is missing here does not compile. */
const KINDS: Readonly<Record<ObjectType, Kind>> = {
  OBJECT_ACCESS_METHOD: kind('other', 'ACCESS METHOD'),
  OBJECT_AGGREGATE: kind('routine', 'AGGREGATE'),
  OBJECT_AMOP: kind('other', 'OPERATOR OF ACCESS METHOD'),
  OBJECT_AMPROC: kind('other', 'FUNCTION OF ACCESS METHOD'),
  OBJECT_ATTRIBUTE: kind('type', 'TYPE'),
  OBJECT_CAST: kind('other', 'CAST'),
  OBJECT_COLUMN: kind('relation', 'COLUMN'),
  OBJECT_COLLATION: kind('other', 'COLLATION'),
  OBJECT_CONVERSION: kind('other', 'CONVERSION'),
  OBJECT_DATABASE: kind('database', 'DATABASE'),
  OBJECT_DEFAULT: kind('other', 'DEFAULT'),
  OBJECT_DEFACL: kind('other', 'DEFAULT PRIVILEGES'),
  OBJECT_DOMAIN: kind('type', 'DOMAIN'),
  OBJECT_DOMCONSTRAINT: kind('type', 'DOMAIN CONSTRAINT'),
  OBJECT_EVENT_TRIGGER: kind('trigger', 'EVENT TRIGGER'),
  OBJECT_EXTENSION: kind('extension', 'EXTENSION'),
  OBJECT_FDW: kind('server', 'FOREIGN DATA WRAPPER'),
  OBJECT_FOREIGN_SERVER: kind('server', 'SERVER'),
  OBJECT_FOREIGN_TABLE: kind('relation', 'FOREIGN TABLE'),
  OBJECT_FUNCTION: kind('routine', 'FUNCTION'),
  OBJECT_INDEX: kind('relation', 'INDEX'),
  OBJECT_LANGUAGE: kind('language', 'LANGUAGE'),
  OBJECT_LARGEOBJECT: kind('large-object', 'LARGE OBJECT'),
  OBJECT_MATVIEW: kind('relation', 'MATERIALIZED VIEW'),
  OBJECT_OPCLASS: kind('other', 'OPERATOR CLASS'),
  OBJECT_OPERATOR: kind('other', 'OPERATOR'),
  OBJECT_OPFAMILY: kind('other', 'OPERATOR FAMILY'),
  OBJECT_PARAMETER_ACL: kind('setting', 'PARAMETER'),
  OBJECT_POLICY: kind('policy', 'POLICY'),
  OBJECT_PROCEDURE: kind('routine', 'PROCEDURE'),
  OBJECT_PUBLICATION: kind('publication', 'PUBLICATION'),
  OBJECT_PUBLICATION_NAMESPACE: kind('publication', 'PUBLICATION'),
  OBJECT_PUBLICATION_REL: kind('publication', 'PUBLICATION'),
  OBJECT_ROLE: kind('role', 'ROLE'),
  OBJECT_ROUTINE: kind('routine', 'ROUTINE'),
  OBJECT_RULE: kind('rule', 'RULE'),
  OBJECT_SCHEMA: kind('schema', 'SCHEMA'),
  OBJECT_SEQUENCE: kind('relation', 'SEQUENCE'),
  OBJECT_SUBSCRIPTION: kind('subscription', 'SUBSCRIPTION'),
  OBJECT_STATISTIC_EXT: kind('other', 'STATISTICS'),
  OBJECT_TABCONSTRAINT: kind('relation', 'CONSTRAINT'),
  OBJECT_TABLE: kind('relation', 'TABLE'),
  OBJECT_TABLESPACE: kind('tablespace', 'TABLESPACE'),
  OBJECT_TRANSFORM: kind('other', 'TRANSFORM'),
  OBJECT_TRIGGER: kind('trigger', 'TRIGGER'),
  OBJECT_TSCONFIGURATION: kind('other', 'TEXT SEARCH CONFIGURATION'),
  OBJECT_TSDICTIONARY: kind('other', 'TEXT SEARCH DICTIONARY'),
  OBJECT_TSPARSER: kind('other', 'TEXT SEARCH PARSER'),
  OBJECT_TSTEMPLATE: kind('other', 'TEXT SEARCH TEMPLATE'),
  OBJECT_TYPE: kind('type', 'TYPE'),
  OBJECT_USER_MAPPING: kind('server', 'USER MAPPING'),
  OBJECT_VIEW: kind('relation', 'VIEW'),
}

export const kindOf = (type: ObjectType | undefined): Kind => KINDS[type ?? 'OBJECT_TABLE'] ?? kind('other', 'OBJECT')

/** Belong to a relation, whose name stands in front of their own. */
const ON_RELATION: ReadonlySet<ObjectType> = new Set([
  'OBJECT_TRIGGER',
  'OBJECT_RULE',
  'OBJECT_POLICY',
  'OBJECT_TABCONSTRAINT',
  'OBJECT_COLUMN',
])

/** What a node names: the object itself, and the relation that it belongs to. */
export const objectsOf = (type: ObjectType | undefined, node: Node | undefined): readonly SqlObject[] => {
  const parts = partsOf(node)
  if (!type || !ON_RELATION.has(type)) return [{ kind: kindOf(type).kind, ...nameOfParts(parts) }]
  const relation = { kind: 'relation' as const, ...nameOfParts(parts.slice(0, -1)) }
  if (type === 'OBJECT_COLUMN' || type === 'OBJECT_TABCONSTRAINT') return [relation]
  return [{ kind: kindOf(type).kind, name: `${parts.at(-1)} on ${nameText(relation)}` }, relation]
}

const partsOf = (node: Node | undefined): string[] => {
  if (!node) return []
  if ('List' in node) return (node.List.items ?? []).flatMap(partsOf)
  if ('ObjectWithArgs' in node) return stringsOf(node.ObjectWithArgs.objname)
  if ('TypeName' in node) return partsOfName(nameOfList(node.TypeName.names))
  if ('RangeVar' in node) return partsOfName(nameOfRelation(node.RangeVar))
  return [stringOf(node) ?? '']
}

const partsOfName = ({ schema, name }: { schema?: string; name: string }) =>
  schema === undefined ? [name] : [schema, name]
