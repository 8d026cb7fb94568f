import { nameText } from '../action.ts'
import { rewrites, ruleOf, scans } from './alter-table.ts'
import type { Details } from './column-details.ts'
import { goneRelations, type Gone } from './dependents.ts'
import { Hits } from './hits.ts'
import { strongestLock, type LockLevel } from './lock-level.ts'
import type { AlterAct, AlterPart, LockAct, Target, TruncateAct } from './reach.ts'
import {
  ancestorsOf,
  descendantsOf,
  findRelation,
  fullName,
  type NearRelation,
  type Surroundings,
} from './surroundings.ts'

/*
 * From what a statement says to what it reaches: partitions, tables that inherit, the other side of foreign keys. What
 * it locks, and whether it writes or reads a relation whole.
 */

export interface Spreading {
  readonly near: Surroundings
  readonly details: Details
  /** As the session means names that have no schema. */
  readonly searchPath: readonly string[]
  readonly hits: Hits
}

export const found = ({ relation }: Pick<Target, 'relation'>, { near, searchPath, hits }: Spreading) => {
  const known = findRelation(near, relation, searchPath)
  if (!known) hits.unknown(`${nameText(relation)}: no such relation is seen from here`)
  return known
}

// -- LOCK, CREATE INDEX, CREATE TRIGGER, VACUUM and the like -------------------------------------------------------

export const spreadLock = (act: LockAct, spreading: Spreading): void => {
  const { near, searchPath, hits } = spreading
  const relation = act.through === 'if-there' ? findRelation(near, act.relation, searchPath) : found(act, spreading)
  if (!relation) return
  if (relation.indexOf !== undefined) return lockIndex(act, relation, relation.indexOf, hits)
  const { effect, level: lock } = act
  const of = (each: NearRelation, through?: string) =>
    hits.add({
      oid: each.oid,
      effect,
      lock,
      ...(through !== undefined && { through }),
      ...(act.rewrites && hasRows(each) && { rewrites: true }),
      ...(act.scans && hasRows(each) && { scans: true }),
    })
  of(relation)
  if (act.recurses && !act.only) {
    for (const each of relationsOf(descendantsOf(near, relation.oid), near)) of(each, below(each, relation))
  }
  if (act.through === 'default-partition') searchDefault(relation, spreading)
}

/** A part of an index is renamed or set under a weak lock; to be built anew, nobody may write its table. */
const lockIndex = ({ level, effect, through }: LockAct, index: NearRelation, table: number, hits: Hits): void => {
  if (through === 'reindex') {
    hits.add({ oid: table, effect: 'rebuilds', lock: level, scans: true, through: `its index ${fullName(index)}` })
    hits.add({ oid: index.oid, effect: 'rebuilds', lock: level === 'SHARE' ? 'ACCESS EXCLUSIVE' : level })
    return
  }
  hits.add({ oid: index.oid, effect, lock: through === 'rename' ? 'SHARE UPDATE EXCLUSIVE' : level })
}

/** Rows that belong into a new partition may lie in the default one. */
const searchDefault = (parent: NearRelation, { near, hits }: Spreading): void => {
  for (const each of relationsOf(near.children.get(parent.oid) ?? [], near)) {
    if (!each.isDefault) continue
    hits.add({
      oid: each.oid,
      effect: 'alters',
      lock: 'ACCESS EXCLUSIVE',
      scans: true,
      through: `default partition of ${fullName(parent)}`,
    })
  }
}

// -- ALTER TABLE ---------------------------------------------------------------------------------------------------

export const spreadAlter = (act: AlterAct, spreading: Spreading): void => {
  const relation = found(act, spreading)
  if (!relation) return
  const lock = strongestLock(act.parts.map((part) => ruleOf(part, relation.kind).lock)) ?? 'ACCESS EXCLUSIVE'
  alterOne(act.parts, relation, lock, undefined, spreading)
  const recursing = act.only ? [] : act.parts.filter((part) => ruleOf(part, relation.kind).recurses)
  if (recursing.length > 0) {
    for (const each of relationsOf(descendantsOf(spreading.near, relation.oid), spreading.near)) {
      alterOne(recursing, each, lock, below(each, relation), spreading)
    }
  }
  for (const part of act.parts) alterOthers(part, relation, spreading)
}

const alterOne = (
  parts: readonly AlterPart[],
  relation: NearRelation,
  lock: LockLevel,
  through: string | undefined,
  { details, hits }: Spreading,
): void =>
  hits.add({
    oid: relation.oid,
    effect: 'alters',
    lock,
    ...(through !== undefined && { through }),
    ...(parts.some((part) => rewrites(part, relation, details)) && { rewrites: true }),
    ...(parts.some((part) => scans(part, relation, details)) && { scans: true }),
  })

/** Relations beside the one that is altered. */
const alterOthers = (part: AlterPart, relation: NearRelation, spreading: Spreading): void => {
  const { constraint, constraints = [], subtype } = part
  for (const { references, notValid } of [...(constraint ? [constraint] : []), ...constraints]) {
    if (!references) continue
    const parent = found({ relation: references }, spreading)
    // A new column without a default refers to nothing yet.
    const checked = !notValid && (constraint !== undefined || part.calls !== undefined)
    if (parent) referTo(parent, relation, checked, spreading)
  }
  if (subtype === 'AT_AlterColumnType') alterKeys(part.name ?? '', relation, spreading)
  if (
    subtype === 'AT_AttachPartition' ||
    subtype === 'AT_DetachPartition' ||
    subtype === 'AT_DetachPartitionFinalize'
  ) {
    alterPartition(part, relation, spreading)
  }
  if (subtype === 'AT_AddInherit' && part.other) {
    const parent = found({ relation: part.other }, spreading)
    if (parent) spreading.hits.add({ oid: parent.oid, effect: 'locks', lock: 'SHARE UPDATE EXCLUSIVE' })
  }
}

/** The triggers that keep a foreign key stand on both of its tables, and on every partition. */
const referTo = (parent: NearRelation, child: NearRelation, checked: boolean, { near, hits }: Spreading): void => {
  const through = `a foreign key of ${fullName(child)} refers to it`
  const partitions = parent.kind === 'p' ? descendantsOf(near, parent.oid) : []
  for (const oid of [parent.oid, ...partitions]) {
    hits.add({ oid, effect: 'alters', lock: 'SHARE ROW EXCLUSIVE', through, ...(checked && { scans: true }) })
  }
}

/** A foreign key on a column that gets another type is dropped and made again. */
const alterKeys = (column: string, relation: NearRelation, { near, hits }: Spreading): void => {
  for (const { child, parent, childColumns, parentColumns, name } of near.foreignKeys) {
    const through = `foreign key ${name}`
    if (child === relation.oid && childColumns.includes(column)) {
      hits.add({ oid: parent, effect: 'alters', lock: 'ACCESS EXCLUSIVE', scans: true, through })
    }
    if (parent === relation.oid && parentColumns.includes(column)) {
      hits.add({ oid: child, effect: 'alters', lock: 'ACCESS EXCLUSIVE', scans: true, through })
    }
  }
}

const alterPartition = (
  { other, subtype, concurrently }: AlterPart,
  parent: NearRelation,
  spreading: Spreading,
): void => {
  const { near, hits } = spreading
  const partition = other && found({ relation: other }, spreading)
  if (!partition) return
  const attaches = subtype === 'AT_AttachPartition'
  const parts = [partition, ...relationsOf(descendantsOf(near, partition.oid), near)]
  for (const each of attaches ? parts : [partition]) {
    hits.add({
      oid: each.oid,
      effect: 'alters',
      lock: 'ACCESS EXCLUSIVE',
      ...(attaches && hasRows(each) && { scans: true }),
      ...(each !== partition && { through: below(each, partition) }),
    })
  }
  if (attaches) {
    searchDefault(parent, spreading)
    for (const key of near.foreignKeys.filter(({ child }) => child === parent.oid)) {
      const referenced = near.relations.get(key.parent)
      if (referenced) referTo(referenced, partition, true, spreading)
    }
    return
  }
  for (const each of relationsOf(near.children.get(parent.oid) ?? [], near)) {
    if (!each.isDefault || each === partition || concurrently) continue
    hits.add({
      oid: each.oid,
      effect: 'locks',
      lock: 'ACCESS EXCLUSIVE',
      through: `default partition of ${fullName(parent)}`,
    })
  }
}

// -- TRUNCATE and DROP ---------------------------------------------------------------------------------------------

export const spreadTruncate = ({ targets, cascade }: TruncateAct, spreading: Spreading): void => {
  const { near, hits } = spreading
  const emptied = new Map<number, string | undefined>()
  const take = (relation: NearRelation, only: boolean, through: string | undefined) => {
    if (!emptied.has(relation.oid)) emptied.set(relation.oid, through)
    if (only) return
    for (const each of relationsOf(descendantsOf(near, relation.oid), near)) {
      if (!emptied.has(each.oid)) emptied.set(each.oid, through ?? below(each, relation))
    }
  }
  for (const target of targets) {
    const relation = found(target, spreading)
    if (relation) take(relation, target.only, undefined)
  }
  // Keys that refer to what is emptied, until nothing more is added. A map goes on to those that are added meanwhile.
  for (const [oid] of emptied) {
    for (const key of keysInto(oid, near)) {
      const child = near.relations.get(key.child)
      if (!child || emptied.has(child.oid)) continue
      if (cascade) take(child, false, `foreign key ${key.name}`)
      else hits.stops(`foreign key ${key.name} of ${fullName(child)} refers to what is truncated`)
    }
  }
  for (const [oid, through] of emptied) {
    hits.add({ oid, effect: 'truncates', lock: 'ACCESS EXCLUSIVE', ...(through !== undefined && { through }) })
  }
}

/** A key may refer to the relation itself, or to the partitioned table that it is a part of. */
const keysInto = (oid: number, near: Surroundings) => {
  const places = new Set([oid, ...(near.relations.get(oid)?.isPartition ? ancestorsOf(near, oid) : [])])
  return near.foreignKeys.filter(({ parent }) => places.has(parent))
}

/** Whatever is dropped is locked, and so is what something stood on that is dropped. */
export const spreadGone = (gone: readonly Gone[], cascade: boolean, level: LockLevel, spreading: Spreading): void => {
  const { near, hits } = spreading
  const whole = goneRelations(gone)
  for (const { kind, identity, isRoot, silent, internal, objectId, part, relationKind, on } of gone) {
    if (!cascade && !isRoot && !silent && !internal) hits.stops(`${kind} ${identity} depends on it`)
    const through = isRoot ? undefined : `${kind} ${identity}`
    if (relationKind !== undefined && part === 0) {
      if (relationKind !== 't' && (isRoot || !internal)) {
        const table = near.relations.get(objectId)?.indexOf
        const isOwnIndex = table !== undefined && whole.has(table)
        if (!isOwnIndex)
          hits.add({ oid: objectId, effect: 'drops', lock: level, ...(!isRoot && { through: 'CASCADE' }) })
      }
      for (const parent of near.relations.get(objectId)?.isPartition ? (near.parents.get(objectId) ?? []) : []) {
        dropPartition(parent, objectId, whole, spreading)
      }
    } else if (relationKind !== undefined) {
      hits.add({ oid: objectId, effect: 'alters', lock: level, ...(through !== undefined && { through }) })
    }
    for (const oid of on) {
      if (!whole.has(oid)) hits.add({ oid, effect: 'alters', lock: level, ...(through !== undefined && { through }) })
    }
  }
}

const dropPartition = (
  parent: number,
  partition: number,
  whole: ReadonlySet<number>,
  { near, hits }: Spreading,
): void => {
  if (whole.has(parent) || near.relations.get(partition)?.indexOf !== undefined) return
  const through = `its partition ${nameOf(partition, near)}`
  hits.add({ oid: parent, effect: 'alters', lock: 'ACCESS EXCLUSIVE', through })
  for (const each of relationsOf(near.children.get(parent) ?? [], near)) {
    if (!each.isDefault || whole.has(each.oid)) continue
    hits.add({ oid: each.oid, effect: 'locks', lock: 'ACCESS EXCLUSIVE', through })
  }
}

// -- parts ---------------------------------------------------------------------------------------------------------

const nameOf = (oid: number, { relations }: Surroundings): string => {
  const relation = relations.get(oid)
  return relation ? fullName(relation) : String(oid)
}

const relationsOf = (oids: readonly number[], { relations }: Surroundings): readonly NearRelation[] =>
  oids.flatMap((oid) => relations.get(oid) ?? [])

export const below = (each: NearRelation, relation: NearRelation): string =>
  each.isPartition ? `partition of ${fullName(relation)}` : `inherits from ${fullName(relation)}`

const hasRows = ({ kind }: NearRelation): boolean => kind === 'r' || kind === 'm'
