import { Buffer } from 'node:buffer'
import type { RangeVar } from 'libpg-query'
import type { Catalogue, CatalogueRelation } from '../server/catalogue.ts'
import { resolve, type SessionNames } from '../server/session-names.ts'
import { nameOfRelation } from '../syntax-tree.ts'

/** What there is to advise by, besides the statement itself. */
export interface Known {
  readonly catalogue: Catalogue
  readonly session: SessionNames
  /** So many rows it would change, where they were counted. */
  readonly rows?: number | undefined
  /** Sensitive columns that it would return, as `schema.relation.column`. */
  readonly sensitive?: readonly string[]
}

/** The relation that a name means; undefined for one of the session's own, and for one that is not there. */
export const relationNamed = (
  relation: RangeVar | undefined,
  { catalogue, session }: Known,
): CatalogueRelation | undefined => {
  const resolved = relation && resolve(nameOfRelation(relation), catalogue, session)
  return resolved?.kind === 'relation' ? resolved.relation : undefined
}

/** The columns of its primary key, which are never null. */
export const primaryKeyOf = ({ oid }: CatalogueRelation, { catalogue }: Known): readonly string[] | undefined => {
  const key = catalogue.primaryKeys.get(oid)
  return key && columnNames(oid, key, catalogue)
}

/** The same; or the columns of its shortest other key, the oldest of several. */
export const keyOf = (relation: CatalogueRelation, known: Known): readonly string[] | undefined => {
  const { catalogue } = known
  const { oid } = relation
  const [key] = (catalogue.keys.get(oid) ?? []).toSorted((a, b) => a.length - b.length)
  return primaryKeyOf(relation, known) ?? (key && columnNames(oid, key, catalogue))
}

const columnNames = (oid: number, numbers: readonly number[], { columns }: Catalogue): readonly string[] =>
  numbers.flatMap((number) => columns.get(oid)?.find((column) => column.number === number)?.name ?? [])

/** PostgreSQL's own names for what has none: `orders_total_check`. Undefined where it would have to shorten them. */
export const derivedName = (...parts: readonly string[]): string | undefined => {
  const name = parts.join('_')
  return Buffer.byteLength(name) <= NAME_BYTES_MAX ? name : undefined
}

const NAME_BYTES_MAX = 63
