import type { Metric } from '../admin.ts'

/**
 * One set of metrics for a node out of those of its workers: what can be added up is, under the same labels; what
 * cannot, says which worker it is of.
 */
export const aggregateMetrics = (ofWorkers: ReadonlyMap<string, readonly Metric[]>): readonly Metric[] => {
  const byName = new Map<string, Metric>()
  for (const [worker, metrics] of ofWorkers) {
    for (const metric of metrics) byName.set(metric.name, joined(byName.get(metric.name), metric, worker))
  }
  return [...byName.values()]
}

const joined = (before: Metric | undefined, metric: Metric, worker: string): Metric => {
  const { values } = metric
  if (metric.across === 'worker') {
    const labelled = values.map(({ labels, value }) => ({ labels: { ...labels, worker }, value }))
    return { ...metric, values: [...(before?.values ?? []), ...labelled] }
  }
  return { ...metric, values: summed([...(before?.values ?? []), ...values]) }
}

const summed = (values: Metric['values']): Metric['values'] => {
  const sums = new Map<string, Metric['values'][number]>()
  for (const each of values) {
    const key = JSON.stringify(Object.entries(each.labels ?? {}).sort())
    sums.set(key, { ...each, value: (sums.get(key)?.value ?? 0) + each.value })
  }
  return [...sums.values()]
}
