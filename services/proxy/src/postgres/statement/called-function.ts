import { StatementRefusedError } from '../../statement/refusal.ts'
import type { SideConnection } from '../upstream/side-connection.ts'

/** What a call by number comes to: the same as a statement, by which it is judged, recorded and shown. */
export interface CalledFunction {
  readonly sql: string
  /** Of its parameters. */
  readonly types: readonly number[]
  readonly name: string
  readonly resultType: number
}

/** Finds out what function has this number. Rejects with `StatementRefusedError`. */
export const calledFunction = async (side: SideConnection, oid: number): Promise<CalledFunction> => {
  const [found] = await side.query(QUERY, [oid]).catch(() => {
    throw new StatementRefusedError('57P03', 'the database cannot be asked now which function is called: try again')
  })
  if (!found) throw new StatementRefusedError('42883', `function with OID ${oid} does not exist`)
  const { sql, types, name, result, kind, takes_any: takesAny } = found
  if (kind !== 'f' || takesAny === true) {
    throw new StatementRefusedError('0A000', `${String(name)} cannot be called by its number`, {
      hint: 'Call it in a SELECT.',
    })
  }
  return {
    sql: String(sql),
    types: (types as readonly unknown[]).map(Number),
    name: String(name),
    resultType: Number(result),
  }
}

/** With its schema, and with the types of its parameters declared, a name means that one function. */
const QUERY = `SELECT pg_catalog.format('SELECT %I.%I(%s)', n.nspname, p.proname, (
      SELECT pg_catalog.string_agg(
        CASE WHEN p.provariadic <> 0 AND place = p.pronargs THEN 'VARIADIC ' ELSE '' END OPERATOR(pg_catalog.||) '$'
          OPERATOR(pg_catalog.||) place, ', ' ORDER BY place)
      FROM pg_catalog.generate_series(1, p.pronargs) AS place)) AS sql,
    p.proargtypes::pg_catalog.oid[]::pg_catalog.text[] AS types,
    p.proname AS name,
    p.prorettype::pg_catalog.text AS result,
    p.prokind::pg_catalog.text AS kind,
    EXISTS (SELECT FROM pg_catalog.pg_type t
      WHERE t.oid OPERATOR(pg_catalog.=) ANY (p.proargtypes::pg_catalog.oid[])
        AND t.typtype OPERATOR(pg_catalog.=) 'p') AS takes_any
  FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) p.pronamespace
  WHERE p.oid OPERATOR(pg_catalog.=) $1::pg_catalog.oid`
