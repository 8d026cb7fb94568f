import { openClickhouse } from '@countersign/clickhouse'
import type { AuditConfig } from '@countersign/platform'
import { originOf } from './check-service.ts'
import { fail, ok, reasonOf, warn, type Check, type Finding } from './check.ts'

export const checkClickhouse = ({ clickhouse, listen }: AuditConfig): readonly Check[] => [
  { name: 'ClickHouse', run: () => checkServer(clickhouse) },
  { name: 'projection', run: () => checkLag(originOf(listen)) },
]

const checkServer = async (server: AuditConfig['clickhouse']): Promise<Finding> => {
  const client = openClickhouse(server)
  try {
    const answer = await client.query({ query: 'select version() as version', format: 'JSONEachRow' })
    const [row] = await answer.json<{ version: string }>()
    return ok(`${server.url}, version ${row?.version ?? 'unknown'}, database ${server.database}`)
  } catch (error) {
    const remedy = 'nodes go on without it and audit catches up; see that it runs, and audit.clickhouse'
    return fail(`${server.url}: ${reasonOf(error)}`, remedy)
  } finally {
    await client.close()
  }
}

const LAG_SECONDS_MAX = 10

/** How far ClickHouse is behind the log, as audit measures it. */
const checkLag = async (origin: string): Promise<Finding> => {
  const response = await fetch(`${origin}/metrics`)
  const lags = lagsIn(await response.text())
  if (lags.length === 0) return warn('audit does not say how far it is behind', 'see that audit is of this version')
  const lag = Math.max(...lags)
  if (lag <= LAG_SECONDS_MAX) return ok(`${lag.toFixed(1)} s behind the log`)
  return warn(
    `${lag.toFixed(0)} s behind the log`,
    'see the log of audit: ClickHouse is slow or away, or audit has just started',
  )
}

/** The values of every metric whose name says that it is a lag in seconds. */
export const lagsIn = (metrics: string): readonly number[] =>
  metrics.split('\n').flatMap((line) => {
    const [, value] = /^\w*lag_seconds(?:\{[^}]*\})? ([\d.e+-]+)/.exec(line) ?? []
    return value === undefined ? [] : [Number(value)]
  })
