import { openClickhouse } from '@countersign/clickhouse'
import type { Config } from '@countersign/platform'
import { queryAs } from './check-database.ts'
import { originOf } from './check-service.ts'
import { ok, warn, type Check } from './check.ts'

const SKEW_MAX_MS = 1_000
/** An HTTP date has whole seconds: what it says is anywhere in the second after it. */
const HTTP_RESOLUTION_MS = 999

/** Events are ordered by the log, but expiry and reports go by clocks: they should agree. */
export const checkClocks = (config: Config): Check => ({
  name: 'clocks',
  run: async () => {
    const skews = await Promise.all(readersOf(config).map(skewOf))
    const known = skews.filter((skew) => skew !== undefined)
    const wrong = known.filter(({ ms }) => ms > SKEW_MAX_MS)
    if (wrong.length > 0)
      return warn(wrong.map(describe).join(', '), 'let NTP or chrony set the clocks of all machines')
    return known.length === 0
      ? warn('no other clock could be read', 'see the other lines')
      : ok(known.map(describe).join(', '))
  },
})

interface ClockReader {
  readonly name: string
  readonly resolutionMs: number
  readonly read: () => Promise<number>
}

const readersOf = (config: Config): readonly ClockReader[] => [
  ...config.databases.map((database) => ({
    name: database.name,
    resolutionMs: 0,
    read: async () => {
      const { role, password } = database.upstream.guard
      const { now } = await queryAs(
        database,
        role,
        password,
        'select extract(epoch from clock_timestamp())::float8 * 1000 as now',
      )
      return Number(now)
    },
  })),
  { name: 'ClickHouse', resolutionMs: 0, read: () => clickhouseClock(config) },
  { name: 'control', resolutionMs: HTTP_RESOLUTION_MS, read: () => httpClock(originOf(config.control.listen)) },
]

const clickhouseClock = async ({ audit: { clickhouse } }: Config): Promise<number> => {
  const client = openClickhouse(clickhouse)
  try {
    const query = 'select toFloat64(toUnixTimestamp64Milli(now64(3))) as now'
    const [row] = await (await client.query({ query, format: 'JSONEachRow' })).json<{ now: number }>()
    return Number(row?.now)
  } finally {
    await client.close()
  }
}

const httpClock = async (origin: string): Promise<number> => {
  const { headers } = await fetch(`${origin}/healthz`)
  return Date.parse(headers.get('date') ?? '')
}

interface Skew {
  readonly name: string
  readonly ms: number
}

/** How far apart, at least: the other clock was read somewhere between our two. */
const skewOf = async ({ name, resolutionMs, read }: ClockReader): Promise<Skew | undefined> => {
  const before = Date.now()
  const theirs = await read().catch(() => Number.NaN)
  if (Number.isNaN(theirs)) return undefined
  return { name, ms: Math.max(0, before - (theirs + resolutionMs), theirs - Date.now()) }
}

const describe = ({ name, ms }: Skew): string => `${name} ${ms < 1 ? 'agrees' : `differs by ${Math.round(ms)} ms`}`
