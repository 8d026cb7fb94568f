import type { DetailColumn, Details, DetailType } from './column-details.ts'
import type { LockLevel } from './lock-level.ts'
import type { AlterPart, WrittenConstraint, WrittenType } from './reach.ts'
import type { NearRelation } from './surroundings.ts'

/*
 * SPEC: ALTER TABLE, "Description" and "Notes"; what it says in words is AlterTableGetLockLevel of the server's
 * tablecmds.c. test: blast.live.spec.ts has each of them run, and compares.
 */

interface Rule {
  readonly lock: LockLevel
  /** It is done to partitions and inheriting tables as well. */
  readonly recurses: boolean
}

const rule = (lock: LockLevel, recurses = false): Rule => ({ lock, recurses })

const SHARE_ROW = rule('SHARE ROW EXCLUSIVE', true)
const SHARE_UPDATE = rule('SHARE UPDATE EXCLUSIVE')
const RECURSES = rule('ACCESS EXCLUSIVE', true)

/** What is not here takes ACCESS EXCLUSIVE on the table itself. */
const RULES: Readonly<Record<string, Rule>> = {
  AT_AddColumn: RECURSES,
  AT_DropColumn: RECURSES,
  AT_AlterColumnType: RECURSES,
  AT_ColumnDefault: RECURSES,
  AT_SetNotNull: RECURSES,
  AT_DropNotNull: RECURSES,
  AT_SetExpression: RECURSES,
  AT_DropExpression: RECURSES,
  AT_SetStorage: RECURSES,
  AT_AddConstraint: RECURSES,
  AT_DropConstraint: RECURSES,
  AT_AlterConstraint: RECURSES,
  AT_AddIdentity: RECURSES,
  AT_SetIdentity: RECURSES,
  AT_DropIdentity: RECURSES,
  AT_EnableTrig: SHARE_ROW,
  AT_EnableAlwaysTrig: SHARE_ROW,
  AT_EnableReplicaTrig: SHARE_ROW,
  AT_EnableTrigAll: SHARE_ROW,
  AT_EnableTrigUser: SHARE_ROW,
  AT_DisableTrig: SHARE_ROW,
  AT_DisableTrigAll: SHARE_ROW,
  AT_DisableTrigUser: SHARE_ROW,
  AT_SetStatistics: rule('SHARE UPDATE EXCLUSIVE', true),
  AT_ValidateConstraint: rule('SHARE UPDATE EXCLUSIVE', true),
  AT_ClusterOn: SHARE_UPDATE,
  AT_DropCluster: SHARE_UPDATE,
  AT_SetOptions: SHARE_UPDATE,
  AT_ResetOptions: SHARE_UPDATE,
  AT_AttachPartition: SHARE_UPDATE,
  AT_DetachPartitionFinalize: SHARE_UPDATE,
}

/** Storage parameters that need less. SPEC: CREATE TABLE, "Storage Parameters"; reloptions.c. */
const GENTLE_OPTION =
  /^(autovacuum_\w+|log_autovacuum_\w+|vacuum_index_cleanup|vacuum_truncate|vacuum_max_eager_freeze_failure_rate|toast_tuple_target|parallel_workers|fillfactor|n_distinct\w*|deduplicate_items|fastupdate|gin_pending_list_limit|pages_per_range|autosummarize|buffering)$/

export const ruleOf = ({ subtype, constraint, concurrently, options }: AlterPart, kind: string): Rule => {
  if (subtype === 'AT_AddConstraint' && constraint?.kind === 'foreign') return rule('SHARE ROW EXCLUSIVE', kind === 'p')
  if (subtype === 'AT_AddConstraint' && constraint && BY_INDEX.has(constraint.kind)) {
    return rule('ACCESS EXCLUSIVE', kind === 'p' || constraint.kind === 'primary')
  }
  if (subtype === 'AT_DetachPartition' && concurrently) return SHARE_UPDATE
  if (subtype === 'AT_SetRelOptions' || subtype === 'AT_ResetRelOptions') {
    const gentle = options !== undefined && options.length > 0 && options.every((option) => GENTLE_OPTION.test(option))
    return gentle ? SHARE_UPDATE : rule('ACCESS EXCLUSIVE')
  }
  return RULES[subtype] ?? rule('ACCESS EXCLUSIVE')
}

const BY_INDEX: ReadonlySet<WrittenConstraint['kind']> = new Set(['unique', 'primary', 'exclusion'])

/** Kinds of relation that have rows of their own. */
const STORED: ReadonlySet<string> = new Set(['r', 'm'])

/** All of the relation is written anew. */
export const rewrites = (part: AlterPart, relation: NearRelation, details: Details): boolean => {
  if (!STORED.has(relation.kind)) return false
  switch (part.subtype) {
    case 'AT_AddColumn':
      return addingRewrites(part, details)
    case 'AT_AlterColumnType':
      return typeRewrites(part, columnIn(part, relation, details), details)
    case 'AT_SetExpression':
      return columnIn(part, relation, details)?.generated !== 'virtual'
    case 'AT_SetLogged':
      return relation.unlogged
    case 'AT_SetUnLogged':
      return !relation.unlogged
    case 'AT_SetAccessMethod':
      return part.name === undefined || part.name !== relation.accessMethod
    case 'AT_SetTableSpace':
      return part.name !== relation.tablespace
    default:
      return false
  }
}

const columnIn = ({ name }: AlterPart, { oid }: NearRelation, { columns }: Details): DetailColumn | undefined =>
  columns.get(oid)?.find((column) => column.name === name)

/** A constant is kept once for all rows; what is another value for each must be written into each. */
const addingRewrites = ({ type, calls, generated, identity }: AlterPart, { types, volatile }: Details): boolean => {
  if (generated === 'virtual') return false
  if (generated === 'stored' || identity) return true
  const found = type && types.get(type.text)
  if (!found || found.constrained) return true
  return calls !== undefined && [...calls.functions, ...calls.operators].some(({ name }) => volatile.has(name))
}

const typeRewrites = ({ type, computes }: AlterPart, column: DetailColumn | undefined, details: Details): boolean => {
  const now = type && details.types.get(type.text)
  if (!type || !now || !column || computes || now.constrained) return true
  const isSame = now.base === column.type.base
  if (!isSame && !details.coercible.has(`${column.type.base}>${now.base}`)) return true
  return !fits(type, now, column, isSame)
}

// Types whose values stay as they are when there is room for more of them. SPEC: the support functions of their casts.
const VARCHAR = 1043
const VARBIT = 1562
const NUMERIC = 1700
const TIMES: ReadonlySet<number> = new Set([1083, 1114, 1184, 1266])
const TIME_DIGITS_MAX = 6

const fits = ({ modifiers }: WrittenType, { base }: DetailType, column: DetailColumn, isSame: boolean): boolean => {
  // `timestamp` alone has all the digits that there are; a type without a length has room for everything.
  if (modifiers.length === 0) return true
  const [width = 0, scale = 0] = modifiers
  const [oldWidth, oldScale = 0] = isSame || base === VARCHAR ? column.modifiers : []
  if (isSame && String(modifiers) === String(column.modifiers)) return true
  if (TIMES.has(base)) return width >= (oldWidth ?? TIME_DIGITS_MAX)
  if (oldWidth === undefined) return false
  if (base === VARCHAR || base === VARBIT) return width >= oldWidth
  return base === NUMERIC && scale === oldScale && width >= oldWidth
}

/** All of the relation is read, because something must hold for each of its rows. */
export const scans = (part: AlterPart, relation: NearRelation, details: Details): boolean => {
  if (!STORED.has(relation.kind)) return false
  const { subtype, constraint, constraints = [], calls } = part
  if (subtype === 'AT_SetNotNull') {
    const column = columnIn(part, relation, details)
    return !column || !(column.notNull || column.proven)
  }
  if (subtype === 'AT_ValidateConstraint') return true
  if (subtype === 'AT_AddConstraint' && constraint) return checksRows(constraint)
  if (subtype === 'AT_AddColumn') return constraints.some((each) => checksNewColumn(each, calls !== undefined))
  return false
}

const checksRows = ({ kind, notValid, usingIndex }: WrittenConstraint): boolean =>
  BY_INDEX.has(kind) ? !usingIndex || kind === 'primary' : kind !== 'other' && !notValid

const checksNewColumn = (constraint: WrittenConstraint, hasDefault: boolean): boolean => {
  if (constraint.kind === 'not-null') return !hasDefault
  if (constraint.kind === 'foreign') return hasDefault
  return checksRows(constraint)
}
