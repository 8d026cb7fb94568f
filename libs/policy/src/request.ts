import type { Principal, Target } from '@countersign/contracts'
import type { Action, Facts, SqlObject, Through, Use } from '@countersign/sql'
import type { ClockFacts } from './wall-clock.ts'

/** Everything that a decision about a statement rests on. */
export interface Request {
  readonly principal: Principal
  readonly target: Target
  readonly statement: StatementFacts
  readonly uses: readonly RequestedUse[]
}

/** Facts about the statement as a whole. The names are those of the policies' context. */
export interface StatementFacts extends ClockFacts {
  readonly statement: string
  readonly transaction: 'idle' | 'open' | 'failed'
  readonly reason?: string
  readonly ticket?: string
  readonly readOnly: boolean
  readonly unresolved: boolean
  readonly fails: boolean
  readonly dangers: readonly string[]
  readonly sensitiveClasses: readonly string[]
  readonly sensitiveStored: boolean
  readonly sensitiveSteering: boolean
}

export interface RequestedUse {
  readonly action: Action
  readonly resource: Pick<SqlObject, 'kind' | 'schema' | 'name'> & {
    readonly temporary: boolean
    readonly system: boolean
  }
  readonly through: Through
  /** What happens to rows; empty when none are changed. */
  readonly change: NonNullable<Use['change']>['kind'] | ''
  readonly unbounded: boolean
  readonly tautological: boolean
  /** The number of rows is known, or is somebody else's to know. */
  readonly counted: boolean
  readonly rows?: number
  readonly rowsExact: boolean
  /** Of all rows of the relation, in percent. */
  readonly rowsShare?: number
}

/** The answer to one of `countQueries`. */
export interface Count {
  readonly index: number
  readonly rows: number
  readonly exact: boolean
}

export interface Circumstances extends ClockFacts {
  readonly principal: Principal
  readonly target: Target
  readonly transaction: StatementFacts['transaction']
  readonly reason?: string
  readonly ticket?: string
}

/** What a column holds: a class of libs/masking, `clear`, or `unknown` when it has none yet. */
export type ClassOf = (column: string) => string

/** The request for a statement, from what it is, who sends it when, what its columns hold, and how many rows it changes. */
export const requestFrom = (
  facts: Facts,
  { principal, target, ...circumstances }: Circumstances,
  classOf: ClassOf,
  counts: readonly Count[] = [],
): Request => ({
  principal,
  target,
  statement: {
    ...circumstances,
    statement: facts.tag,
    readOnly: facts.readOnly,
    unresolved: facts.unresolved,
    fails: facts.fails !== undefined,
    dangers: [...new Set(facts.dangers.map(({ code }) => code))].sort(),
    ...sensitivity(facts, classOf),
  },
  uses: facts.uses.length > 0 ? facts.uses.map((use) => requestedUse(use, counts)) : [ofStatement(facts.tag)],
})

/** A statement that uses nothing (`SELECT 1`) is still asked about. */
const ofStatement = (tag: string): RequestedUse => ({
  action: 'read',
  resource: { kind: 'statement', name: tag, temporary: false, system: false },
  through: 'statement',
  change: '',
  unbounded: false,
  tautological: false,
  counted: true,
  rowsExact: true,
})

const requestedUse = (use: Use, counts: readonly Count[]): RequestedUse => {
  const { action, object, temporary, system, through, deferred, change } = use
  const count = counts.find(({ index }) => index === change?.index)
  const rows = rowsOf(use, count)
  const share = shareOf(rows, change?.rowEstimate)
  return {
    action,
    resource: { ...object, temporary, system },
    through,
    change: change?.kind ?? '',
    unbounded: change?.unbounded ?? false,
    tautological: change?.tautological ?? false,
    counted: rows !== undefined || deferred || through === 'trigger' || through === 'cascade',
    rowsExact: count?.exact ?? false,
    ...(rows === undefined ? {} : { rows }),
    ...(share === undefined ? {} : { rowsShare: share }),
  }
}

/** What was counted, or what a key allows: whichever is less. Prepared statements are counted when they run. */
const rowsOf = ({ change, deferred }: Use, count: Count | undefined): number | undefined => {
  const known = [count?.rows, change?.rowsAtMost].filter((rows) => rows !== undefined)
  return known.length > 0 && !deferred ? Math.min(...known) : undefined
}

const shareOf = (rows: number | undefined, estimate: number | undefined): number | undefined =>
  rows === undefined || !estimate ? undefined : Math.min(100, Math.floor((100 * rows) / estimate))

const CLEAR = 'clear'

const sensitivity = (
  facts: Facts,
  classOf: ClassOf,
): Pick<StatementFacts, 'sensitiveClasses' | 'sensitiveStored' | 'sensitiveSteering'> => {
  const isSensitive = ({ name }: { name: string }) => classOf(name) !== CLEAR
  const touched = [
    ...facts.reads,
    ...facts.mayRead,
    ...facts.writes,
    ...(facts.outputs ?? []).flatMap(({ origins }) => origins),
  ]
  const classes = new Set(touched.map(({ name }) => classOf(name)).filter((found) => found !== CLEAR))
  return {
    sensitiveClasses: [...classes].sort(),
    sensitiveStored: facts.flows.some(
      ({ into, origins, opaque }) =>
        (into === undefined || !isSensitive(into)) && (origins.some(isSensitive) || (opaque && classes.size > 0)),
    ),
    sensitiveSteering: facts.steering.some(isSensitive),
  }
}
