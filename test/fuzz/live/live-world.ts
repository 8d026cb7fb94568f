import { hash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { decodeCommit, readAccessEvent, TOPICS } from '@countersign/contracts'
import { openEventLog, type Cursor } from '@countersign/eventlog'
import { ensureSelfSigned } from '@countersign/platform'
import { Client } from 'pg'
import { LoneNode } from '../../support/lone-node.ts'
import { until } from '../../support/until.ts'
import { tap } from './tap.ts'

export interface LiveWorld {
  readonly node: LoneNode
  /** Looks at how things stand when all conversations are over: gives what is not as it must be. */
  readonly wrong: () => Promise<readonly string[]>
  readonly memory: () => string
  readonly stop: () => Promise<void>
}

/** A session that broke the protocol; and a log that a machine with too much to do has not written in time. */
const EXPECTED = /PGWIRE_|the event log cannot be written/

/** What its heap goes up and down by when it is warm; 4 KiB lost in each of 25,000 conversations are more. */
const GROWTH_MIB_MAX = 90
const WARM_MS = 20_000

/** A node with a tap behind it, and a client in front of it that wants to be served all the time. */
export const liveWorld = async (): Promise<LiveWorld> => {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-fuzz-'))
  const tls = { certificate: join(folder, 'node.crt'), key: join(folder, 'node.key') }
  await ensureSelfSigned(tls, new Date())
  const behind = tap()
  const node = await LoneNode.start({
    tls,
    sql: TABLES,
    between: behind.between,
    postgres: { max_connections: 60 },
    lockout: NEVER,
  })
  const healthy = new Healthy(node)
  const rss = [residentMiB(node)]
  const sample = setInterval(() => rss.push(residentMiB(node)), 1_000)
  /** What it was in the middle: warm by then, however slow the machine. A short run says nothing of leaks. */
  const warm = () => (rss.length > WARM_MS / 1_000 ? rss[Math.floor(rss.length / 2)] : undefined)

  const wrong = async () => {
    clearInterval(sample)
    const found = [...behind.wrong, ...(await healthy.stop())]
    if (!node.runs) return [...found, `the node has ended: ${node.said.slice(-2_000)}`]
    await until(async () => ((await node.metric('countersign_node_sessions')) === 0 ? true : undefined), 20_000).catch(
      () => found.push('sessions are left over'),
    )
    const now = residentMiB(node)
    const growth = now - (warm() ?? now)
    if (growth > GROWTH_MIB_MAX) found.push(`resident memory has grown by ${growth} MiB`)
    const mistakes = node.said.split('\n').filter((line) => /"level":"error"/.test(line) && !EXPECTED.test(line))
    const unrecorded = await notRecorded(node, behind.queries)
    return [...found, ...mistakes, ...unrecorded.map((sql) => `forwarded and not recorded: ${sql.slice(0, 200)}`)]
  }
  const stop = async () => {
    clearInterval(sample)
    await healthy.stop()
    await node.stop()
    behind.close()
    rmSync(folder, { recursive: true, force: true })
  }
  return { node, wrong, memory: () => `node: ${warm() ?? rss[0]} → ${rss.at(-1)} MiB resident`, stop }
}

/** Whoever plays a million conversations from one address fails a lot. */
const NEVER = { failuresMax: 1e9, failuresPerAddressMax: 1e9, failuresPerPrincipalMax: 1e9 }

const TABLES = `create table people (id int primary key, name text, born date, tags text[], data jsonb);
create table pgbench_accounts (aid int primary key, bid int, abalance int, filler char(84));
insert into pgbench_accounts select g, 1, 0, '' from generate_series(1, 1000) g;
create table pgbench_branches (bid int primary key, bbalance int); insert into pgbench_branches values (1, 0);
create table pgbench_tellers (tid int primary key, bid int, tbalance int);
create table pgbench_history (tid int, bid int, aid int, delta int, mtime timestamp)`

export const residentMiB = ({ pids }: LoneNode): number =>
  Math.round(pids.reduce((sum, pid) => sum + residentKiB(pid), 0) / 1_024)

const residentKiB = (pid: number): number => {
  try {
    return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0)
  } catch {
    return 0 // Gone meanwhile.
  }
}

const PATIENCE_MS = 20_000

/** A well-behaved client: whatever others do, it is answered. */
class Healthy {
  readonly #failed: string[] = []
  readonly #ended: Promise<void>
  #stopping = false
  served = 0

  constructor(node: LoneNode) {
    this.#ended = this.#ask(node).catch((error: unknown) => void this.#failed.push(`not served: ${String(error)}`))
  }

  async stop(): Promise<readonly string[]> {
    this.#stopping = true
    await this.#ended
    return this.served === 0 ? [...this.#failed, 'nobody was served'] : this.#failed
  }

  async #ask(node: LoneNode): Promise<void> {
    while (!this.#stopping) {
      const client = new Client({ connectionString: node.dsn, query_timeout: PATIENCE_MS })
      client.on('error', () => undefined)
      await client.connect()
      for (let n = 0; n < 20 && !this.#stopping; n++) {
        const { rows } = await client.query<{ n: number }>('select $1::int + 1 as n', [n]).catch(unlessRefused)
        if (rows.length > 0 && rows[0]?.n !== n + 1)
          this.#failed.push(`asked for ${n + 1}, got ${JSON.stringify(rows)}`)
        this.served += rows.length
        await sleep(200)
      }
      await client.end()
    }
  }
}

/** While the log cannot be written, or a new schema has not been read, everybody is refused. */
const unlessRefused = (error: unknown): { readonly rows: { n: number }[] } => {
  if (['ZA010', '57P03'].includes(String((error as { code?: unknown }).code))) return { rows: [] }
  throw error
}

/** Simple queries that reached the database, and that the log does not know. */
const notRecorded = async ({ log: directory }: LoneNode, queries: ReadonlySet<string>): Promise<readonly string[]> => {
  const log = await openEventLog({ kind: 'embedded', directory })
  const recorded = new Set<string>()
  const end = await log.end(TOPICS.access)
  let cursor: Record<number, number> = {}
  const isBehind = (from: Cursor) =>
    Object.entries(end).some(([partition, offset]) => (from[Number(partition)] ?? 0) < offset)
  while (isBehind(cursor)) {
    const records = await log.read(TOPICS.access, cursor, 500)
    if (records.length === 0) break
    for (const { partition, offset, value } of records) {
      cursor = { ...cursor, [partition]: offset + 1 }
      for (const event of decodeCommit(value).events.map((each) => readAccessEvent(each))) {
        if (event.type === 'statement.intended') recorded.add(event.data.digest)
      }
    }
  }
  await log.close()
  return [...queries].filter((sql) => !/^[\s;]*$/.test(sql) && !recorded.has(digestOf(sql)))
}

const digestOf = (sql: string): string => hash('sha256', Buffer.from(sql), 'hex')
