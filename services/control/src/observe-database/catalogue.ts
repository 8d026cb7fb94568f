import type { AccessEvent, ColumnClass, DecisionEvent, GovernanceEvent, Instant } from '@countersign/contracts'
import type { Record } from '../governance/governance.ts'

export type Observed = Extract<AccessEvent, { type: 'database.observed' }>['data']
export type Catalogue = Extract<DecisionEvent, { type: 'catalogue.in-force' }>

/**
 * What an observation makes the catalogue, or nothing when it says nothing newer: several nodes see the same
 * database, and the log is read again after a restart.
 */
export const catalogueFrom = (observed: Observed, before: Catalogue | undefined): Catalogue | undefined => {
  const { target, catalogueVersion: version, at } = observed
  if (before && (before.data.version === version || before.data.at >= at)) return undefined
  const columns = observed.columns.map(({ column, class: name, because, confidence }) => ({
    column,
    class: name,
    because,
    confidence,
  }))
  return { type: 'catalogue.in-force', data: { target, version, columns, at } }
}

/** Columns that are new, or of which something else is said than before. */
export const changedColumns = (before: readonly ColumnClass[], now: readonly ColumnClass[]): ColumnClass[] => {
  const known = new Map(before.map((column) => [column.column, JSON.stringify(entriesOf(column))]))
  return now.filter((column) => known.get(column.column) !== JSON.stringify(entriesOf(column)))
}

/**
 * `schema.relation` of each column that is new, gone or of another class: what was approved there may mean something
 * else now. How sure the classification is does not matter here.
 */
export const changedRelations = (before: readonly ColumnClass[], now: readonly ColumnClass[]): ReadonlySet<string> => {
  const [was, is] = [before, now].map((columns) => new Map(columns.map((one) => [one.column, one.class])))
  const names = [...before, ...now].map(({ column }) => column)
  return new Set(names.filter((name) => was?.get(name) !== is?.get(name)).map(relationOf))
}

/** Recorded once for each version, with what changed against the one before. */
export const classified =
  ({ data }: Catalogue, before: Catalogue | undefined, at: Instant): Record =>
  (past) => {
    const last = past.at(-1)
    if (last?.type === 'data.classified' && last.data.version === data.version) return []
    const event: GovernanceEvent = {
      type: 'data.classified',
      data: {
        target: data.target,
        version: data.version,
        changed: changedColumns(before?.data.columns ?? [], data.columns),
        at,
      },
    }
    return [event]
  }

const relationOf = (column: string): string => column.slice(0, Math.max(column.lastIndexOf('.'), 0))

const entriesOf = ({ column, class: name, because, confidence }: ColumnClass) => [column, name, because, confidence]
