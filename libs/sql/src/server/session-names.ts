import { effect, type Name, type SqlObject } from '../action.ts'
import { isSystemName } from '../dangerous-relations.ts'
import type { ColumnName } from '../facts.ts'
import type { Catalogue, CatalogueRelation } from './catalogue.ts'
import type { Origin } from './lineage.ts'

/** What only the session of the client knows. */
export interface SessionNames {
  /** `current_schemas(true)`: with the catalogue, and without the temporary schema. */
  readonly searchPath: readonly string[]
  /**
   * Relations in the session's temporary schema, by name, as they are at this moment: they hide others of their name.
   * A `table` is an ordinary one without triggers and rules; `other` is everything else. `temporaryQuery` asks for
   * them on the client's own connection; whoever keeps track instead follows ROLLBACK, DROP, RENAME and DISCARD.
   */
  readonly temporary: ReadonlyMap<string, 'table' | 'other'>
}

export const DEFAULT_SESSION: SessionNames = { searchPath: ['pg_catalog', 'public'], temporary: new Map() }

/** One row of two texts for each: the name, and `table` or `other`. */
export const temporaryQuery = `
  SELECT c.relname, CASE WHEN c.relkind = 'r' AND NOT c.relhastriggers AND NOT c.relhasrules AND NOT c.relrowsecurity
                         THEN 'table' ELSE 'other' END
    FROM pg_catalog.pg_class c
   WHERE c.relnamespace = pg_catalog.pg_my_temp_schema() AND c.relkind <> 'i'`

const isTemporarySchema = (schema: string | undefined): boolean =>
  schema !== undefined && /^pg_temp(_\d+)?$/.test(schema)

/** Does this name mean a temporary relation, of whatever kind? */
export const isTemporaryName = ({ schema, name }: Name, { temporary }: SessionNames): boolean =>
  isTemporarySchema(schema) || (schema === undefined && temporary.has(name))

export type Resolved =
  | { readonly kind: 'temporary'; readonly name: Name }
  | { readonly kind: 'relation'; readonly relation: CatalogueRelation }
  | { readonly kind: 'unknown'; readonly name: Name }

/** A relation by the name that is written, as the server looks for it: temporary tables first, then along the path. */
export const resolve = (name: Name, catalogue: Catalogue, session: SessionNames): Resolved => {
  const { searchPath, temporary } = session
  if (isTemporaryName(name, session)) {
    return temporary.get(name.name) === 'table' ? { kind: 'temporary', name } : { kind: 'unknown', name }
  }
  const candidates = candidatesOf(name.name, catalogue)
  const schemas = name.schema === undefined ? searchPath : [name.schema]
  const found = schemas
    .map((schema) => candidates.find((relation) => relation.schema === schema))
    .find((relation) => relation !== undefined)
  return found ? { kind: 'relation', relation: found } : { kind: 'unknown', name }
}

/** In the code of a function the path may be another one: without a schema every relation of that name may be meant. */
export const possible = (name: Name, catalogue: Catalogue, session: SessionNames): readonly Resolved[] => {
  const resolved = resolve(name, catalogue, session)
  if (resolved.kind !== 'unknown' || name.schema !== undefined) return [resolved]
  const others = candidatesOf(name.name, catalogue).map((relation): Resolved => ({ kind: 'relation', relation }))
  return others.length > 0 ? others : [resolved]
}

const candidatesOf = (name: string, catalogue: Catalogue): readonly CatalogueRelation[] =>
  (catalogue.relationsByName.get(name) ?? []).flatMap((oid) => catalogue.relations.get(oid) ?? [])

export const objectOf = (resolved: Resolved): SqlObject => {
  const { schema, name } = resolved.kind === 'relation' ? resolved.relation : resolved.name
  return effect('read', 'relation', schema === undefined ? { name } : { schema, name }).object
}

export const isSystem = (resolved: Resolved): boolean =>
  resolved.kind !== 'temporary' && isSystemName(resolved.kind === 'relation' ? resolved.relation : resolved.name)

export const columnName = ({ relation, column }: Origin, catalogue: Catalogue): ColumnName => {
  const table = catalogue.relations.get(relation)
  const found = catalogue.columns.get(relation)?.find(({ number }) => number === column)
  const name = `${table?.schema ?? '?'}.${table?.name ?? relation}.${found?.name ?? column}`
  return { name, relation, column }
}
