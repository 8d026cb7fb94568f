import type { CreateStmt, Node } from 'libpg-query'
import { nameOfList, nameOfRelation } from '../syntax-tree.ts'
import { constraintOf, locking } from './reach-alter.ts'
import type { Act, LockAct } from './reach.ts'

/** What is created beside a relation that is there already, and locks it. */
export const createOf = (node: Node): readonly Act[] | undefined => {
  if ('IndexStmt' in node) {
    const { relation, concurrent } = node.IndexStmt
    const level = concurrent ? 'SHARE UPDATE EXCLUSIVE' : 'SHARE'
    return [locking(relation, { level, recurses: true, scans: true, effect: 'alters' })]
  }
  if ('CreateTrigStmt' in node) {
    return [locking(node.CreateTrigStmt.relation, { level: 'SHARE ROW EXCLUSIVE', effect: 'alters', recurses: true })]
  }
  if ('RuleStmt' in node) return [locking(node.RuleStmt.relation, { effect: 'alters' })]
  if ('CreatePolicyStmt' in node) return [locking(node.CreatePolicyStmt.table, { effect: 'alters' })]
  if ('CreateStatsStmt' in node) {
    const { relations } = node.CreateStatsStmt
    return (relations ?? []).flatMap((each) =>
      'RangeVar' in each ? [locking(each.RangeVar, { level: 'SHARE UPDATE EXCLUSIVE' })] : [],
    )
  }
  if ('ViewStmt' in node && node.ViewStmt.replace) {
    return [locking(node.ViewStmt.view, { effect: 'alters', through: 'if-there' })]
  }
  if ('CommentStmt' in node) return commented(node.CommentStmt.objtype, node.CommentStmt.object)
  return 'CreateStmt' in node ? createTable(node.CreateStmt) : undefined
}

const COMMENTED: ReadonlySet<string> = new Set([
  'OBJECT_TABLE',
  'OBJECT_VIEW',
  'OBJECT_MATVIEW',
  'OBJECT_INDEX',
  'OBJECT_SEQUENCE',
  'OBJECT_FOREIGN_TABLE',
])

const ON_RELATION: ReadonlySet<string> = new Set([
  'OBJECT_COLUMN',
  'OBJECT_TABCONSTRAINT',
  'OBJECT_TRIGGER',
  'OBJECT_RULE',
  'OBJECT_POLICY',
])

const commented = (type: string | undefined, object: Node | undefined): readonly LockAct[] => {
  const items = object && 'List' in object ? (object.List.items ?? []) : []
  const level = 'SHARE UPDATE EXCLUSIVE'
  const names = COMMENTED.has(type ?? '') ? items : ON_RELATION.has(type ?? '') ? items.slice(0, -1) : []
  if (names.length === 0) return []
  const { schema, name } = nameOfList(names)
  return [locking({ ...(schema !== undefined && { schemaname: schema }), relname: name }, { level, effect: 'alters' })]
}

/** A partition locks its parent, and the default partition, which is searched for rows that belong into the new one. */
const createTable = ({ relation, inhRelations, partbound, tableElts }: CreateStmt): readonly LockAct[] => {
  const parents = (inhRelations ?? []).flatMap((each) => ('RangeVar' in each ? [each.RangeVar] : []))
  const inherits = parents.map((parent) =>
    locking(parent, {
      level: partbound ? 'ACCESS EXCLUSIVE' : 'SHARE UPDATE EXCLUSIVE',
      effect: partbound ? 'alters' : 'locks',
      ...(partbound && { through: 'default-partition' }),
    }),
  )
  const constraints = (tableElts ?? []).flatMap((each) => {
    if ('Constraint' in each) return [each.Constraint]
    const own = 'ColumnDef' in each ? (each.ColumnDef.constraints ?? []) : []
    return own.flatMap((one) => ('Constraint' in one ? [one.Constraint] : []))
  })
  const own = nameOfRelation(relation).name
  const referenced = constraints.map(constraintOf).flatMap(({ references }) => (references ? [references] : []))
  const others = referenced.filter(({ schema, name }) => schema !== undefined || name !== own)
  return [
    ...inherits,
    ...others.map(({ schema, name }) =>
      locking(
        { ...(schema !== undefined && { schemaname: schema }), relname: name },
        { level: 'SHARE ROW EXCLUSIVE', effect: 'alters' },
      ),
    ),
  ]
}
