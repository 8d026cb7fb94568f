import type { Catalogue } from './catalogue.ts'
import type { Origin } from './lineage.ts'

interface Source {
  /** The column, among those that the function gives, that holds them; undefined when it gives nothing else. */
  readonly column: number | undefined
  readonly view: string
  readonly of: string
}

/**
 * Functions of the server's own that give what somebody said, from no relation: the views that show it are made of
 * them. What they give counts as that column of the view, whether it is read through the view or not.
 */
const SOURCES: Readonly<Record<string, Source>> = {
  pg_stat_get_activity: { column: 6, view: 'pg_stat_activity', of: 'query' },
  pg_stat_get_backend_activity: { column: undefined, view: 'pg_stat_activity', of: 'query' },
  pg_prepared_statement: { column: 2, view: 'pg_prepared_statements', of: 'statement' },
  pg_cursor: { column: 2, view: 'pg_cursors', of: 'statement' },
}

/** The column of a view as which the values of this function count. */
export const sourceOf = (
  routine: number,
  catalogue: Catalogue,
): { readonly column: number | undefined; readonly origin: Origin } | undefined => {
  const called = catalogue.functions.get(routine)
  const source = called?.builtin ? SOURCES[called.name] : undefined
  const origin = source && originOf(source, catalogue)
  return source && origin && { column: source.column, origin }
}

const originOf = ({ view, of }: Source, { relationsByName, relations, columns }: Catalogue): Origin | undefined => {
  const relation = relationsByName.get(view)?.find((oid) => relations.get(oid)?.schema === 'pg_catalog')
  const column = relation === undefined ? undefined : columns.get(relation)?.find(({ name }) => name === of)
  return relation === undefined || !column ? undefined : { relation, column: column.number }
}
