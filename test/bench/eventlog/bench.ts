import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { TOPICS } from '@countersign/contracts'
import { openEventLog, type EventLog, type LogOptions, type NewRecord } from '@countersign/eventlog'
import { runWriter, startKafka } from '@countersign/testing'

/*
 * What an append costs, and how soon it is read.
 *
 *   node --conditions=source test/bench/eventlog/bench.ts [embedded] [kafka]
 */

const topic = TOPICS.access
const SECONDS = 4

interface Row {
  readonly what: string
  readonly perSecond?: number
  readonly mainCpuUs?: number
  readonly cpuUs?: number
  readonly p50Ms?: number
  readonly p99Ms?: number
}

const record = (bytes: number): NewRecord => ({
  key: 'node-1/1/0192f0a0',
  headers: {
    ce_specversion: '1.0',
    ce_id: '0192f0a0-0000-7000-8000-000000000000',
    ce_source: '/countersign/node-1',
    ce_type: 'statement.intended',
    ce_time: '2026-11-22T00:00:00.000Z',
    ce_subject: 'node-1/1/0192f0a0',
    'content-type': 'application/json',
  },
  value: randomBytes(bytes),
})

/** So many appends under way at any time, for a few seconds. */
const appends = async (what: string, log: EventLog, bytes: number, inFlight: number): Promise<Row> => {
  const one = record(bytes)
  const delays: number[] = []
  const line = async (endAt: number) => {
    while (performance.now() < endAt) {
      const begunAt = performance.now()
      await log.append(topic, one)
      delays.push(performance.now() - begunAt)
    }
  }
  const run = (ms: number) => {
    const endAt = performance.now() + ms
    return Promise.all(Array.from({ length: inFlight }, () => line(endAt)))
  }
  await run(500)
  delays.length = 0
  const [main, all, begunAt] = [process.threadCpuUsage(), process.cpuUsage(), performance.now()]
  await run(SECONDS * 1_000)
  const seconds = (performance.now() - begunAt) / 1_000
  return {
    what,
    perSecond: delays.length / seconds,
    mainCpuUs: total(process.threadCpuUsage(main)) / delays.length,
    cpuUs: total(process.cpuUsage(all)) / delays.length,
    ...percentiles(delays),
  }
}

const total = ({ user, system }: { readonly user: number; readonly system: number }) => user + system

const percentiles = (delays: readonly number[]) => {
  const sorted = delays.toSorted((a, b) => a - b)
  return { p50Ms: sorted[Math.floor(sorted.length * 0.5)] ?? 0, p99Ms: sorted[Math.floor(sorted.length * 0.99)] ?? 0 }
}

/** One process appends as the only one, while others write as much as they can. */
const besideOthers = async (log: EventLog, options: LogOptions): Promise<Row> => {
  const writer = runWriter(options, 'other')
  await writer.begun
  const row = await appends('one at a time, beside another process with 8 in flight', log, 4_096, 1)
  writer.kill()
  await writer.ended
  return row
}

/** From an acknowledgement to the handler of another handle on the log, which is told as another process would be. */
const wakeUps = async (log: EventLog, options: LogOptions): Promise<Row> => {
  const reader = await openEventLog(options)
  const delays: number[] = []
  let acknowledgedAt = 0
  const subscription = reader.subscribe(
    topic,
    await log.end(topic),
    () => void delays.push(performance.now() - acknowledgedAt),
    (error) => {
      throw error
    },
  )
  for (let i = 0; i < 300; i++) {
    await log.append(topic, record(500))
    acknowledgedAt = performance.now()
    await sleep(8)
  }
  await subscription.close()
  await reader.close()
  return { what: 'acknowledged to handled elsewhere', ...percentiles(delays.slice(1)) }
}

/** CPU of one subscription to which nothing comes, as if each microsecond were one of a second's. */
const idle = async (options: LogOptions): Promise<Row> => {
  const reader = await openEventLog(options)
  const subscription = reader.subscribe(
    topic,
    await reader.end(topic),
    () => {},
    () => {},
  )
  await sleep(1_000)
  const before = process.cpuUsage()
  await sleep(SECONDS * 1_000)
  const cpuUs = total(process.cpuUsage(before)) / SECONDS
  await subscription.close()
  await reader.close()
  return { what: 'an idle subscription, per second', cpuUs }
}

/** A backlog, read from the start. */
const backlog = async (log: EventLog): Promise<Row> => {
  const end = await log.end(topic)
  const records = Object.values(end).reduce((sum, offset) => sum + offset, 0)
  const [all, begunAt] = [process.cpuUsage(), performance.now()]
  let seen = 0
  await new Promise<void>((resolve, reject) => {
    const subscription = log.subscribe(
      topic,
      {},
      (delivered) => {
        seen += delivered.length
        if (seen >= records) void subscription.close().then(resolve)
      },
      reject,
    )
  })
  const perSecond = records / ((performance.now() - begunAt) / 1_000)
  return { what: 'records of a backlog', perSecond, cpuUs: total(process.cpuUsage(all)) / records }
}

const measure = async (name: string, options: LogOptions): Promise<void> => {
  const log = await openEventLog(options)
  const rows = [
    await appends('one at a time, 4 kB', log, 4_096, 1),
    await appends('8 in flight, 4 kB', log, 4_096, 8),
    await appends('500 in flight, 500 B', log, 500, 500),
    await besideOthers(log, options),
    await wakeUps(log, options),
    await backlog(log),
  ]
  await log.close()
  print(name, [...rows, await idle(options)])
}

const print = (name: string, rows: readonly Row[]): void => {
  console.log(`\n${name} (load ${loadavg()[0]?.toFixed(1)})\n`)
  console.log('| | per second | µs of CPU, main thread | µs of CPU, all | p50 ms | p99 ms |')
  console.log('| --- | ---: | ---: | ---: | ---: | ---: |')
  for (const { what, perSecond, mainCpuUs, cpuUs, p50Ms, p99Ms } of rows) {
    const cells = [
      perSecond?.toFixed(0),
      mainCpuUs?.toFixed(0),
      cpuUs?.toFixed(0),
      p50Ms?.toFixed(2),
      p99Ms?.toFixed(2),
    ]
    console.log(`| ${[what, ...cells.map((cell) => cell ?? '')].join(' | ')} |`)
  }
}

const benches: Readonly<Record<string, () => Promise<void>>> = {
  embedded: async () => {
    const directory = await mkdtemp(join(tmpdir(), 'countersign-bench-'))
    await measure('embedded', { kind: 'embedded', directory })
    await rm(directory, { recursive: true })
  },
  kafka: async () => {
    const kafka = await startKafka()
    const options = { clientId: 'bench', replicationFactor: 1, accessPartitions: 1 } as const
    await measure('kafka', { kind: 'kafka', brokers: kafka.brokers, ...options }).finally(kafka.stop)
  },
}

const asked = process.argv.slice(2)
for (const [name, bench] of Object.entries(benches)) if (asked.length === 0 || asked.includes(name)) await bench()
