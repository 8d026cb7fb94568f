import type { Target } from './targets.ts'
import type { Workload } from './workloads.ts'

/** One run of one workload through one target. */
export interface Reading {
  readonly target: Target['name']
  readonly perSecond: number
  readonly latencyMs: number | undefined
  /** Processor time of the one in the middle, per unit of work. */
  readonly cpuUs: number | undefined
  /** The same of the services behind a node, within the time of the run. */
  readonly behindUs: number | undefined
}

export interface Summary {
  readonly workload: string
  readonly unit: Workload['unit']
  readonly targets: readonly {
    readonly name: Target['name']
    readonly perSecond: number
    readonly latencyMs: number | undefined
    readonly cpuUs: number | undefined
    readonly behindUs: number | undefined
  }[]
  /** Of the node's throughput to PgBouncer's, by rounds: the median, so that one disturbed round does not count. */
  readonly ofPgBouncer: number
}

const NAMES = ['direct', 'pgbouncer', 'node'] as const

export const summaryOf = ({ name, unit }: Workload, readings: readonly Reading[]): Summary => {
  const of = (target: Target['name']) => readings.filter((reading) => reading.target === target)
  const ratios = of('node').map(({ perSecond }, round) => perSecond / (of('pgbouncer')[round]?.perSecond ?? Number.NaN))
  return {
    workload: name,
    unit,
    targets: NAMES.map((target) => ({
      name: target,
      perSecond: round(medianOf(of(target), 'perSecond') ?? 0, 0),
      latencyMs: round(medianOf(of(target), 'latencyMs'), 3),
      cpuUs: round(medianOf(of(target), 'cpuUs'), 2),
      behindUs: round(medianOf(of(target), 'behindUs'), 2),
    })),
    ofPgBouncer: round(median(ratios), 2),
  }
}

/** The table in the README: rates a second, and what the one in the middle spends. */
export const tableOf = (summaries: readonly Summary[]): string =>
  [
    '| | direct | PgBouncer | node | of PgBouncer | CPU µs: PgBouncer | node | behind it |',
    '| --- | --: | --: | --: | --: | --: | --: | --: |',
    ...summaries.map(({ workload, unit, targets, ofPgBouncer }) => {
      const [direct, pgbouncer, node] = targets
      const rates = [direct, pgbouncer, node].map((target) => thousands(target?.perSecond ?? 0))
      const cpu = [pgbouncer?.cpuUs, node?.cpuUs, node?.behindUs].map((value) => value ?? '–')
      return `| ${workload}, ${unit}/s | ${rates.join(' | ')} | **${ofPgBouncer.toFixed(2)}** | ${cpu.join(' | ')} |`
    }),
  ].join('\n')

const medianOf = (readings: readonly Reading[], field: 'perSecond' | 'latencyMs' | 'cpuUs' | 'behindUs') => {
  const values = readings.flatMap((reading) => reading[field] ?? [])
  return values.length === 0 ? undefined : median(values)
}

const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length / 2
  return sorted.length % 2 === 1
    ? (sorted[Math.floor(middle)] ?? Number.NaN)
    : ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2
}

const round = <T extends number | undefined>(value: T, digits: number): T =>
  (value === undefined ? undefined : Number(value.toFixed(digits))) as T

const thousands = (value: number): string => Math.round(value).toLocaleString('en-US')
