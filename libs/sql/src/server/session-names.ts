import { effect, type Name, type SqlObject } from '../action.ts'
import { isSystemName } from '../dangerous-relations.ts'
import type { ColumnName } from '../facts.ts'
import type { Catalogue, CatalogueRelation } from './catalogue.ts'
import type { Origin } from './lineage.ts'

/** What only the session of the client knows. */
export interface SessionNames {
  /** `current_schemas(true)`: with the catalogue; with `pg_temp` only where others come before it. */
  readonly searchPath: readonly string[]
  /**
   * Relations in the session's temporary schema, by name, as they are at this moment: they hide others of their name.
   * A `table` is an ordinary one without triggers and rules; `other` is everything else. `temporaryQuery` asks for
   * them on the client's own connection; whoever keeps track instead follows ROLLBACK, DROP, RENAME and DISCARD.
   */
  readonly temporary: ReadonlyMap<string, 'table' | 'other'>
}

export const DEFAULT_SESSION: SessionNames = { searchPath: ['pg_catalog', 'public'], temporary: new Map() }

/** The temporary schema in a search path; it comes before all others where the path does not name it. */
export const TEMPORARY = 'pg_temp'

const isTemporarySchema = (schema: string | undefined): boolean =>
  schema !== undefined && /^pg_temp(_\d+)?$/.test(schema)

/** May this name mean a temporary relation, of whatever kind? */
export const isTemporaryName = ({ schema, name }: Name, { temporary }: SessionNames): boolean =>
  isTemporarySchema(schema) || (schema === undefined && temporary.has(name))

export type Resolved =
  | { readonly kind: 'temporary'; readonly name: Name }
  | { readonly kind: 'relation'; readonly relation: CatalogueRelation }
  | { readonly kind: 'unknown'; readonly name: Name }

/** A relation by the name that is written, as the server looks for it: along the path. */
export const resolve = (name: Name, catalogue: Catalogue, { searchPath, temporary }: SessionNames): Resolved => {
  const candidates = candidatesOf(name.name, catalogue)
  const path = searchPath.includes(TEMPORARY) ? searchPath : [TEMPORARY, ...searchPath]
  for (const schema of name.schema === undefined ? path : [name.schema]) {
    const found = isTemporarySchema(schema)
      ? temporaryOf(name, temporary, name.schema !== undefined)
      : candidates.filter((relation) => relation.schema === schema).map(asResolved)[0]
    if (found) return found
  }
  return { kind: 'unknown', name }
}

const asResolved = (relation: CatalogueRelation): Resolved => ({ kind: 'relation', relation })

const temporaryOf = (name: Name, temporary: SessionNames['temporary'], named: boolean): Resolved | undefined => {
  const kind = temporary.get(name.name)
  if (kind === 'table') return { kind: 'temporary', name }
  return kind === undefined && !named ? undefined : { kind: 'unknown', name }
}

/**
 * Where code looks for the names that it does not write in full: `caller` where the session does, `anywhere`, or in
 * some of these schemas, as far as its role may.
 */
export type CodePath = 'caller' | 'anywhere' | readonly string[]

/** Everything that a name may mean in code. */
export const possible = (
  name: Name,
  catalogue: Catalogue,
  session: SessionNames,
  path: CodePath = 'caller',
): readonly Resolved[] => {
  const resolved = resolve(name, catalogue, session)
  if (name.schema !== undefined || (path === 'caller' && resolved.kind !== 'unknown')) return [resolved]
  const others = candidatesOf(name.name, catalogue)
    .filter(({ schema }) => typeof path === 'string' || path.includes(schema))
    .map(asResolved)
  const temporary = temporaryOf(name, session.temporary, false)
  const all = temporary ? [temporary, ...others] : others
  return all.length > 0 ? all : [{ kind: 'unknown', name }]
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
