import { CopyMask, planColumn, RowMask, type ColumnPlan, type CopyFormat, type DataClass } from '@countersign/masking'
import { formatAt, type Column } from '@countersign/pgwire'
import type { Facts, OutputFacts } from '@countersign/sql'
import type { CopyPlan, RowPlan } from '../../statement/judgement.ts'
import {
  foundIn,
  maskedColumn,
  OWN,
  strictestOf,
  UNKNOWN,
  type Found,
  type MaskRule,
} from '../../statement/masked-column.ts'
import type { DescribedColumn } from '../catalogue/knowledge.ts'
import type { ResultPlanner } from './postgres-judgement.ts'

export interface PlannerSources {
  readonly facts: Facts
  /** Every row comes from the session's own temporary tables, and nothing sensitive was ever put into them. */
  readonly ownRows: boolean
  /** The column that a result's description names by numbers. */
  readonly columnAt: (relation: number, attribute: number) => DescribedColumn | undefined
  readonly classOf: (column: string) => DataClass
  readonly maskRule: MaskRule
  /** Whatever it is, and wherever it comes from, it may be seen as it is. */
  readonly seesAll: () => boolean
  /** Of COPY … TO STDOUT: how it is written, and what its columns are. */
  readonly copy: { readonly format: CopyFormat; readonly columns: readonly CopyColumn[] | undefined } | undefined
}

/** A column of COPY: where it comes from, and its type for a mask that fits it. */
export interface CopyColumn {
  readonly output: OutputFacts | undefined
  readonly type: number
  readonly modifier: number
}

/**
 * What becomes of each result column, in this order (DESIGN.md, section 7): where it comes from by the result's own
 * description, then by lineage, then what is found in its values; and what is unknown in a statement that has to do
 * with sensitive columns is masked.
 */
export const resultPlanner = (sources: PlannerSources): ResultPlanner => {
  const cache = new Map<string, Planned>()
  const plannedFor = (columns: readonly Column[], formats: readonly number[] | undefined): Planned => {
    const key = columns
      .map(
        (c, i) =>
          `${c.relation}.${c.attribute}.${c.type}.${c.modifier}.${formats ? formatAt(formats, i) : c.format}.${c.name}`,
      )
      .join()
    const known = cache.get(key)
    if (known) return known
    const planned = plan(columns, formats, sources)
    if (cache.size >= PLANS_MAX) cache.clear()
    cache.set(key, planned)
    return planned
  }
  return {
    rows: (columns, formats) => (sources.seesAll() ? undefined : rowPlan(plannedFor(columns, formats))),
    copy: (columns) => (sources.seesAll() ? undefined : copyPlan(columns, sources)),
  }
}

/** A statement has one result form or two (text and binary); more than that is a client that plays. */
const PLANS_MAX = 8

interface Planned {
  readonly plans: readonly ColumnPlan[]
  /** What a masked column is called in the record. */
  readonly names: readonly string[]
  readonly passes: boolean
}

const plan = (columns: readonly Column[], formats: readonly number[] | undefined, sources: PlannerSources): Planned => {
  const { outputs } = sources.facts
  // Lineage is by position; when the counts differ something else was analysed than was run.
  const lineage = outputs?.length === columns.length ? outputs : undefined
  const found = columns.map((column, index) => origin(column, lineage?.[index], sources))
  const plans = columns.map((column, index): ColumnPlan => {
    const format = (formats ? formatAt(formats, index) : column.format) === 1 ? 'binary' : 'text'
    return planOf(found[index] ?? UNKNOWN, { typeOid: column.type, typmod: column.modifier, format }, sources)
  })
  return {
    plans,
    names: columns.map((column, index) => found[index]?.name ?? column.name),
    passes: new RowMask(plans).passes,
  }
}

const origin = (column: Column, output: OutputFacts | undefined, sources: PlannerSources): Found => {
  if (sources.ownRows) return OWN
  const described = column.relation === 0 ? undefined : sources.columnAt(column.relation, column.attribute)
  const traced = output ? tracedOf(output, sources) : undefined
  if (!described) return traced ?? UNKNOWN
  const own: Found = foundIn([described], sources.maskRule, { derived: false, unknown: false })
  if (traced && !traced.unknown) return strictestOf(own, traced)
  return described.ofView ? { ...own, derived: true, unknown: true } : own
}

const tracedOf = ({ origins, derived, opaque }: OutputFacts, sources: PlannerSources): Found => {
  const known = origins.map(({ name }) => ({ name, class: sources.classOf(name) }))
  return foundIn(known, sources.maskRule, { derived, unknown: opaque && touchesSensitive(sources) })
}

/** Something unknown may hold anything that the statement reads, or that code behind it may read. */
const touchesSensitive = ({ facts, classOf }: PlannerSources): boolean =>
  facts.unresolved ||
  facts.outputs === undefined ||
  [...facts.reads, ...facts.mayRead].some(({ name }) => classOf(name) !== 'clear')

const planOf = (
  found: Found,
  form: Pick<ColumnPlan, 'typeOid' | 'typmod' | 'format'>,
  sources: PlannerSources,
): ColumnPlan => {
  const { decision, ...column } = maskedColumn(found, sources.maskRule, () => touchesSensitive(sources))
  return planColumn({ ...column, ...form }, decision)
}

const rowPlan = ({ plans, names, passes }: Planned): RowPlan | undefined => {
  if (passes) return undefined
  const mask = new RowMask(plans)
  return {
    apply: (bytes, start, end) => mask.apply(bytes, start, end),
    applyRun: (bytes, start, end) => mask.applyRun(bytes, start, end),
    masked: () => namesOf(mask.maskedColumns, names),
  }
}

const copyPlan = (count: number, sources: PlannerSources): CopyPlan | undefined => {
  const { copy, ownRows } = sources
  if (!copy) throw new Error('COPY data for a statement that is no COPY')
  if (ownRows) return undefined
  const format = copy.format.format === 'binary' ? 'binary' : 'text'
  // When the counts differ something else was analysed than was run.
  const columns = copy.columns?.length === count ? copy.columns : Array.from({ length: count }, () => ANY_COLUMN)
  const found = columns.map(({ output }) => (output ? tracedOf(output, sources) : UNKNOWN))
  const plans = columns.map(({ type, modifier }, index) =>
    planOf(found[index] ?? UNKNOWN, { typeOid: type, typmod: modifier, format }, sources),
  )
  const mask = new CopyMask(plans, copy.format)
  if (mask.passes) return undefined
  const names = columns.map(({ output }, index) => found[index]?.name ?? output?.name ?? `column ${index + 1}`)
  return {
    push: (payload) => mask.push(payload),
    end: () => mask.end(),
    masked: () => namesOf(mask.maskedColumns, names),
  }
}

/** In binary form a value of a type that nobody knows is NULL when it is masked. */
const ANY_COLUMN: CopyColumn = { output: undefined, type: 0, modifier: -1 }

const namesOf = (columns: readonly number[], names: readonly string[]): readonly string[] =>
  columns.map((column) => names[column] ?? `column ${column + 1}`)
