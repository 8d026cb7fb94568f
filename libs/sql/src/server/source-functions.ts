import type { Catalogue } from './catalogue.ts'
import type { Origin } from './lineage.ts'

interface Source {
  /**
   * The column, among those that the function gives, that holds them: its number, or the one that the view has;
   * undefined when it gives nothing else.
   */
  readonly column: number | 'same' | undefined
  readonly view: string
  readonly of: string
  /** Where they come with an extension, which may lie in any schema. */
  readonly extension?: string
}

/**
 * Functions of the server's own, and of an extension, that give what somebody said, from no relation: the views that show it are made of
 * them. What they give counts as that column of the view, whether it is read through the view or not.
 */
const SOURCES: Readonly<Record<string, Source>> = {
  pg_stat_get_activity: { column: 6, view: 'pg_stat_activity', of: 'query' },
  pg_stat_get_backend_activity: { column: undefined, view: 'pg_stat_activity', of: 'query' },
  pg_prepared_statement: { column: 2, view: 'pg_prepared_statements', of: 'statement' },
  pg_cursor: { column: 2, view: 'pg_cursors', of: 'statement' },
  pg_stat_statements: {
    column: 'same',
    view: 'pg_stat_statements',
    of: 'query',
    extension: 'pg_stat_statements',
  },
}

/** The column of a view as which the values of this function count. */
export const sourceOf = (
  routine: number,
  catalogue: Catalogue,
): { readonly column: number | undefined; readonly origin: Origin } | undefined => {
  const called = catalogue.functions.get(routine)
  const source = called && SOURCES[called.name]
  if (!source || (source.extension === undefined ? !called.builtin : called.extension !== source.extension))
    return undefined
  const origin = originOf(source, called.schema, catalogue)
  return origin && { column: source.column === 'same' ? origin.column : source.column, origin }
}

const originOf = (
  { view, of }: Source,
  schema: string,
  { relationsByName, relations, columns }: Catalogue,
): Origin | undefined => {
  const relation = relationsByName.get(view)?.find((oid) => relations.get(oid)?.schema === schema)
  const column = relation === undefined ? undefined : columns.get(relation)?.find(({ name }) => name === of)
  return relation === undefined || !column ? undefined : { relation, column: column.number }
}
