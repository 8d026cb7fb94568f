import type { StatementTouch } from '@countersign/sql'
import { DatabaseError, type Client, type QueryArrayResult } from 'pg'

/*
 * What the server itself says of what a statement touches. Four ways to ask, none of which knows how we read trees:
 *
 * - Rights. A role that may read and write what we said and nothing else must be able to run the statement, and must
 *   not be when any one of these rights is taken away. Views and functions belong to that role as well (reader.sql).
 * - Values. Each column is planted with a text of its own (schema.sql): where it comes out, we said `returned`.
 * - The description of the result: a column that it calls a column of a table is one that we said is returned.
 * - The plan: each relation that is scanned was named, and each column in a condition was said to be a predicate.
 */

export interface Difference {
  readonly kind: 'missed' | 'too much' | 'planted' | 'described' | 'scanned' | 'predicate'
  readonly what: string
}

export const READER = 'touches_reader'

interface Relation {
  readonly name: string
  readonly kind: string
  readonly system: boolean
  readonly columns: ReadonlyMap<number, string>
  readonly parents: readonly string[]
}

export interface Circumstances {
  /** It locks rows, for which any right to update them will do. */
  readonly locks: boolean
  /** Columns that code behind the statement reads: what it compares is not known. */
  readonly byCode: ReadonlySet<string>
  /** Relations of which rows go along by a foreign key, for which the server asks for no right. */
  readonly unchecked: ReadonlySet<string>
}

interface Grant {
  readonly touch: StatementTouch
  readonly what: string
  readonly sql: string
}

interface Ran {
  readonly sqlstate: string | undefined
  readonly message: string | undefined
  readonly result: QueryArrayResult<unknown[]> | undefined
}

export class Oracle {
  private readonly client: Client
  private relations = new Map<string, Relation>()
  private byNumber = new Map<number, Relation>()
  private planted = new Map<string, { relation: string; column: string }>()

  private constructor(client: Client) {
    this.client = client
  }

  static async over(client: Client): Promise<Oracle> {
    const oracle = new Oracle(client)
    await oracle.learn()
    return oracle
  }

  async learn(): Promise<void> {
    const { rows } = await this.client.query<RelationRow>(RELATIONS)
    const relations = rows.map(({ oid, columns, ...row }) => ({
      oid,
      relation: { ...row, columns: new Map(columns.map(([number, name]): [number, string] => [Number(number), name])) },
    }))
    this.relations = new Map(relations.map(({ relation }) => [relation.name, relation]))
    this.byNumber = new Map(relations.map(({ oid, relation }) => [oid, relation]))
    this.planted = new Map(relations.flatMap(({ relation }) => plantedIn(relation)))
  }

  /** Undefined: the statement cannot be run in this way, whatever rights there are. */
  async differences(
    sql: string,
    touches: readonly StatementTouch[],
    { locks, byCode, unchecked }: Circumstances,
  ): Promise<readonly Difference[] | undefined> {
    const free = await this.run(sql, [EVERYTHING])
    if (free.sqlstate === '42501') return undefined
    const all = this.grantsOf(touches)
    const grants = all.filter(({ touch }) => !unchecked.has(touch.relation) && !this.isPart(touch, touches))
    const always = [
      ...all.filter((grant) => !grants.includes(grant)).map((grant) => grant.sql),
      ...(locks ? this.mayLock(touches) : []),
    ]
    const found: Difference[] = []
    const granted = await this.run(sql, [...grants.map((grant) => grant.sql), ...always])
    if (granted.sqlstate === '42501') found.push({ kind: 'missed', what: granted.message ?? '' })
    else found.push(...(await this.tooMuch(sql, grants, always)))
    const returned = namesOf(touches, 'returned')
    found.push(...this.plantedIn(free, touches), ...this.describedIn(free, returned))
    return [...found, ...(await this.planned(sql, touches, byCode))]
  }

  private async tooMuch(sql: string, grants: readonly Grant[], always: readonly string[]): Promise<Difference[]> {
    const found: Difference[] = []
    await this.client.query(['BEGIN', ...always, ...grants.map((grant) => grant.sql)].join(';'))
    for (const { what, sql: granted } of grants) {
      const revoked = granted.replaceAll(/\bGRANT /g, 'REVOKE ').replaceAll(` TO ${READER}`, ` FROM ${READER}`)
      await this.client.query(`SAVEPOINT all_of_them; ${revoked}; SET LOCAL ROLE ${READER}`)
      const { sqlstate } = await this.attempt(sql)
      await this.client.query('ROLLBACK TO all_of_them')
      if (sqlstate !== '42501') found.push({ kind: 'too much', what })
    }
    await this.client.query('ROLLBACK')
    return found
  }

  private async run(sql: string, before: readonly string[]): Promise<Ran> {
    await this.client.query(['BEGIN', ...before, `SET LOCAL ROLE ${READER}`].join(';'))
    const ran = await this.attempt(sql)
    await this.client.query('ROLLBACK')
    return ran
  }

  private async attempt(sql: string): Promise<Ran> {
    try {
      const values = Array.from({ length: parametersOf(sql) }, () => null)
      const result = (await this.client.query({ text: sql, rowMode: 'array', values })) as QueryArrayResult<unknown[]>
      return { sqlstate: undefined, message: undefined, result }
    } catch (error) {
      if (!(error instanceof DatabaseError)) throw error
      return { sqlstate: error.code, message: error.message, result: undefined }
    }
  }

  // Rights

  private grantsOf(touches: readonly StatementTouch[]): readonly Grant[] {
    const asked = touches.filter((touch) => touch.how === 'read' || touch.how === 'written')
    return asked.flatMap((touch) => {
      const relation = this.relations.get(touch.relation)
      if (!relation || relation.system) return []
      const what = `${touch.how} ${touch.relation}${touch.column === undefined ? '' : `.${touch.column}`}`
      return [{ touch, what, sql: grantOf(touch, relation) }]
    })
  }

  /** A partition or an heir is read with its parent's rights. */
  private isPart({ relation, ...touch }: StatementTouch, touches: readonly StatementTouch[]): boolean {
    return this.ancestorsOf(relation).some((parent) =>
      touches.some((one) => one.relation === parent && one.column === touch.column && one.how === touch.how),
    )
  }

  private ancestorsOf(name: string): readonly string[] {
    const parents = this.relations.get(name)?.parents ?? []
    return [...parents, ...parents.flatMap((parent) => this.ancestorsOf(parent))]
  }

  /** To lock rows takes the right to update any column. */
  private mayLock(touches: readonly StatementTouch[]): readonly string[] {
    const names = new Set(touches.map(({ relation }) => relation))
    return [...names].flatMap((name) => {
      const relation = this.relations.get(name)
      return relation && !relation.system ? [`GRANT UPDATE (${firstOf(relation)}) ON ${quoted(name)} TO ${READER}`] : []
    })
  }

  // Results

  /** What lies in a partition was planted by its parent's name. */
  private plantedIn({ result }: Ran, touches: readonly StatementTouch[]): readonly Difference[] {
    const said = touches.filter(({ how }) => how === 'returned')
    const returned = new Set(
      said.flatMap(({ relation, column }) =>
        [relation, ...this.ancestorsOf(relation)].map((name) => `${name}.${column ?? ''}`),
      ),
    )
    const text = JSON.stringify(result?.rows ?? []).toLowerCase()
    const marks = new Set([...text.matchAll(/zq(.*?)qz/g)].map(([, mark]) => mark ?? ''))
    return [...marks].flatMap((mark) => {
      const column = this.planted.get(mark)
      const name = column && `${column.relation}.${column.column}`
      return name !== undefined && !returned.has(name) ? [{ kind: 'planted' as const, what: name }] : []
    })
  }

  private describedIn({ result }: Ran, returned: ReadonlySet<string>): readonly Difference[] {
    return (result?.fields ?? []).flatMap(({ tableID, columnID }) => {
      const relation = this.byNumber.get(tableID)
      const column = relation?.columns.get(columnID)
      // Of a view it knows no more than the name.
      if (!relation || column === undefined || relation.kind === 'v') return []
      const name = `${relation.name}.${column}`
      return returned.has(name) ? [] : [{ kind: 'described' as const, what: name }]
    })
  }

  private async planned(
    sql: string,
    touches: readonly StatementTouch[],
    byCode: ReadonlySet<string>,
  ): Promise<readonly Difference[]> {
    const { result } = await this.run(`EXPLAIN (VERBOSE, COSTS OFF, FORMAT JSON) ${sql}`, [EVERYTHING])
    const plans = (result?.rows[0]?.[0] ?? []) as readonly { Plan: PlanNode }[]
    const nodes = plans.flatMap(({ Plan }) => everyNode(Plan))
    const relations = new Set(touches.map(({ relation }) => relation))
    const scanned = nodes.flatMap((node) => nameOf(node) ?? [])
    const missing = scanned.filter((name) => !relations.has(name))
    const predicates = namesOf(touches, 'predicate')
    const unsaid = this.conditionsOf(nodes).filter((name) => !predicates.has(name) && !byCode.has(name))
    return [
      ...[...new Set(missing)].map((what) => ({ kind: 'scanned' as const, what })),
      ...[...new Set(unsaid)].map((what) => ({ kind: 'predicate' as const, what })),
    ]
  }

  /** Columns in the conditions of a plan, which calls each by the alias of a scan. */
  private conditionsOf(nodes: readonly PlanNode[]): readonly string[] {
    const aliases = new Map(nodes.flatMap((node) => aliasOf(node)))
    const texts = nodes.flatMap((node) =>
      Object.entries(node).flatMap(([key, text]) =>
        /^(?!One-Time).*(Filter|Cond)$/.test(key) && typeof text === 'string' ? [text] : [],
      ),
    )
    const withoutConstants = texts.map((text) => text.replaceAll(/'(?:[^']|'')*'/g, "''"))
    // The planner adds these to find the least and the greatest value by an index.
    const own = withoutConstants.filter((text) => !/^\(\S+ IS NOT NULL\)$/.test(text))
    return own.flatMap((text) =>
      [...text.matchAll(/("(?:[^"]|"")+"|\w+)\.("(?:[^"]|"")+"|\w+)/g)].flatMap(([, alias = '', column = '']) => {
        const relation = aliases.get(bare(alias))
        const isColumn =
          relation !== undefined && [...(this.relations.get(relation)?.columns.values() ?? [])].includes(bare(column))
        return isColumn ? [`${relation}.${bare(column)}`] : []
      }),
    )
  }
}

type PlanNode = Readonly<Record<string, unknown>>

const everyNode = (node: PlanNode): readonly PlanNode[] => [
  node,
  ...((node['Plans'] ?? []) as readonly PlanNode[]).flatMap(everyNode),
]

const nameOf = (node: PlanNode): string | undefined =>
  node['Relation Name'] === undefined || node['Schema'] === 'pg_catalog'
    ? undefined
    : `${String(node['Schema'])}.${String(node['Relation Name'])}`

const aliasOf = (node: PlanNode): readonly [string, string][] => {
  const name = nameOf(node)
  return name === undefined ? [] : [[String(node['Alias']), name]]
}

const bare = (name: string): string => (name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name)

interface RelationRow extends Omit<Relation, 'columns'> {
  readonly oid: number
  readonly columns: readonly [string, string][]
}

const RELATIONS = `
  SELECT c.oid::int AS oid, n.nspname || '.' || c.relname AS name, c.relkind AS kind,
         n.nspname IN ('pg_catalog', 'information_schema') AS system,
         (SELECT coalesce(json_agg(json_build_array(a.attnum::text, a.attname) ORDER BY a.attnum), '[]') FROM pg_attribute a
           WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns,
         ARRAY(SELECT pn.nspname || '.' || p.relname FROM pg_inherits i JOIN pg_class p ON p.oid = i.inhparent
                 JOIN pg_namespace pn ON pn.oid = p.relnamespace WHERE i.inhrelid = c.oid) AS parents
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE c.relkind IN ('r', 'v', 'm', 'p', 'f')`

const EVERYTHING = `GRANT touches_all TO ${READER}`

const SYSTEM_COLUMNS = 'ctid, xmin, cmin, xmax, cmax, tableoid'

const grantOf = ({ column, how }: StatementTouch, relation: Relation): string => {
  const name = column === undefined ? firstOf(relation) : quote(column)
  const on = `ON ${quoted(relation.name)} TO ${READER}`
  if (how === 'written') {
    const rows = column === undefined ? `; GRANT DELETE, TRUNCATE ${on}` : ''
    return `GRANT INSERT (${name}), UPDATE (${name}) ${on}${rows}`
  }
  // What a row has besides its columns belongs to nobody; a view has none of it.
  const system = ['v'].includes(relation.kind) ? '' : `, ${SYSTEM_COLUMNS}`
  return column === undefined ? `GRANT SELECT (${name}${system}) ${on}` : `GRANT SELECT (${name}) ${on}`
}

const firstOf = ({ columns }: Relation): string => quote([...columns.values()][0] ?? '')

const quote = (name: string): string => `"${name.replaceAll('"', '""')}"`

/** The schemas of the tests have no dots in their names. */
const quoted = (name: string): string =>
  [name.slice(0, name.indexOf('.')), name.slice(name.indexOf('.') + 1)].map(quote).join('.')

const plantedIn = ({ name, columns }: Relation): [string, { relation: string; column: string }][] =>
  [...columns.values()].map((column) => [
    `${name.replace(/^public\./, '')}${column}`.toLowerCase(),
    { relation: name, column },
  ])

const namesOf = (touches: readonly StatementTouch[], how: StatementTouch['how']): ReadonlySet<string> =>
  new Set(touches.filter((touch) => touch.how === how).map(({ relation, column }) => `${relation}.${column ?? ''}`))

const parametersOf = (sql: string): number =>
  Math.max(0, ...[...sql.matchAll(/\$(\d+)\b/g)].map(([, number]) => Number(number)))
