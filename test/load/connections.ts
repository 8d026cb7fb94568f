import { setTimeout as sleep } from 'node:timers/promises'
import type { LoneNode } from '../support/lone-node.ts'
import { LoadClient } from './load-client.ts'
import { proportionalMiB, residentMiB } from './memory.ts'

export interface ConnectionLoad {
  readonly idle: number
  readonly active: number
  readonly seconds: number
  /** Between two statements of one active client. */
  readonly thinkMs: number
  readonly progress?: (line: string) => void
}

export interface Connected {
  readonly idle: number
  readonly active: number
  readonly setUpSeconds: number
  readonly statements: number
  /** Because the log could not be written in time: on a machine that has more to do than it can. */
  readonly refused: number
  readonly slowestMs: number
  readonly medianMs: number
  /**
   * Of the node: before the first client, with all of them, then the least of each half of the time. What lies above
   * the least is garbage that nobody has looked for yet.
   */
  readonly mib: readonly [before: number, connected: number, firstHalf: number, secondHalf: number]
  readonly peakMiB: number
  readonly kibPerConnection: number
  /** Of PostgreSQL, its shared memory counted once. */
  readonly serverMibPerConnection: number
}

/** Logins at once; PostgreSQL starts a process for each. */
const LOGINS = 8
const PROGRESS_MS = 15_000
const SAMPLE_MS = 500

/** So many that wait, and so many that ask, for so long. Rejects when one of them is not served or is cut off. */
export const connections = async (node: LoneNode, load: ConnectionLoad): Promise<Connected> => {
  const { idle, active, seconds, thinkMs, progress } = load
  await warmUp(node)
  const before = residentMiB(node)
  const started = performance.now()
  const waiting = await openAll(node, idle, progress)
  const asking = await openAll(node, active, progress)
  const setUpSeconds = (performance.now() - started) / 1_000
  await sleep(1_000)
  const connected = residentMiB(node)

  const deadline = performance.now() + seconds * 1_000
  const latencies: number[] = []
  let refused = 0
  const samples: number[] = []
  const sample = setInterval(() => samples.push(residentMiB(node)), SAMPLE_MS)
  const tell = () => progress?.(`${latencies.length} statements, ${Math.round(residentMiB(node))} MiB`)
  const watch = setInterval(tell, PROGRESS_MS)
  await Promise.all(
    asking.map((client) => ask(client, { deadline, thinkMs, latencies, refused: () => (refused += 1) })),
  )
  for (const timer of [sample, watch]) clearInterval(timer)
  samples.push(residentMiB(node))

  const cut = waiting.filter(({ closed }) => closed).length
  if (cut > 0) throw new Error(`${cut} of ${idle} idle connections were cut off`)
  const serverMibPerConnection = await serverMib(node)
  const clients = [...waiting, ...asking]
  for (const client of clients) client.close()
  latencies.sort((a, b) => a - b)
  return {
    idle,
    active,
    setUpSeconds,
    statements: latencies.length,
    refused,
    slowestMs: latencies.at(-1) ?? 0,
    medianMs: latencies[latencies.length >> 1] ?? 0,
    mib: [before, connected, ...leastOfHalves(samples)],
    peakMiB: Math.max(connected, ...samples),
    kibPerConnection: ((connected - before) * 1_024) / clients.length,
    serverMibPerConnection,
  }
}

const leastOfHalves = (samples: readonly number[]): [number, number] => {
  const half = Math.ceil(samples.length / 2)
  return [Math.min(...samples.slice(0, half)), Math.min(...samples.slice(-half))]
}

/** What the first clients of a node cost it, it pays once. */
const warmUp = async (node: LoneNode): Promise<void> => {
  for (let n = 0; n < 20; n++) {
    const client = await LoadClient.open(node)
    await client.query(statement(n))
    client.close()
  }
  await sleep(1_000)
}

const openAll = async (
  node: LoneNode,
  count: number,
  progress: ConnectionLoad['progress'],
): Promise<readonly LoadClient[]> => {
  const clients: LoadClient[] = []
  let begun = 0
  const open = async () => {
    while (begun < count) {
      begun += 1
      clients.push(await LoadClient.open(node))
      if (clients.length % 500 === 0) progress?.(`${clients.length} connected, ${Math.round(residentMiB(node))} MiB`)
    }
  }
  await Promise.all(Array.from({ length: LOGINS }, open))
  return clients
}

const statement = (n: number) => `select line from lines where id = ${1 + (n % 1_000)}`

export const CONNECTION_TABLES =
  "create table lines (id int primary key, line text); insert into lines select g, 'line ' || g from generate_series(1, 1000) g"

interface Asking {
  readonly deadline: number
  readonly thinkMs: number
  readonly latencies: number[]
  readonly refused: () => void
}

const ask = async (client: LoadClient, { deadline, thinkMs, latencies, refused }: Asking): Promise<void> => {
  await sleep(Math.random() * thinkMs)
  for (let n = 0; performance.now() < deadline; n++) {
    const asked = performance.now()
    try {
      await client.query(statement(n))
      latencies.push(performance.now() - asked)
    } catch (error) {
      if (!String(error).includes('CZA010')) throw error
      refused()
    }
    await sleep(thinkMs)
  }
}

/** Of a sample of its processes: to look at all of them would take longer than everything else. */
const serverMib = async (node: LoneNode): Promise<number> => {
  const admin = await node.postgres.connect('shop')
  const { rows } = await admin.query<{ pid: number }>(
    "select pid from pg_stat_activity where application_name like 'countersign %' order by random() limit 20",
  )
  await admin.end()
  return rows.reduce((sum, { pid }) => sum + proportionalMiB(pid), 0) / Math.max(1, rows.length)
}
