import { createHash, randomInt, randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { decodeCommit, readAccessEvent, TOPICS, type AccessEvent } from '@countersign/contracts'
import { accepts, after, openEventLog, type Cursor, type Heads } from '@countersign/eventlog'
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Product } from '../support/product.ts'
import { until } from '../support/until.ts'

/**
 * How often a process is killed in all; the long run is `FAULT_KILLS=200 npm test -- test/faults`. The bound of what a
 * run without a failure shows is three in so many.
 */
const KILLS = Number(process.env['FAULT_KILLS'] ?? 80)
/** `proxy` is the supervisor of the node, with whose end its workers end; the others are those workers. */
const VICTIMS = ['proxy', 'proxy/w0', 'proxy/w1', 'proxy/w1', 'control', 'audit', 'clickhouse', 'postgres'] as const
const WRITERS = 4

/**
 * CONTROL record-before-effect, tried: every service is killed at random times under load, and a table that the
 * statements themselves fill says what has really happened.
 */
describe(`services killed ${KILLS} times under load`, () => {
  let product: Product
  /** Identifiers whose INSERT was tried, by the digest that the record has of it, and those told to be in. */
  const tried = new Map<string, string>()
  const told = new Set<string>()
  const stopped = new AbortController()

  beforeAll(async () => {
    product = await Product.start([], { env: { COUNTERSIGN_NODE_WORKERS: '2' } })
    await direct('create table truth (id uuid)')
  })
  afterAll(() => product.dispose())

  const direct = async (sql: string): Promise<unknown[][]> => {
    const client = new Client(product.ready.upstream)
    client.on('error', () => {})
    await client.connect()
    try {
      return (await client.query({ text: sql, rowMode: 'array' })).rows as unknown[][]
    } finally {
      await client.end()
    }
  }

  /** Inserts one identifier after the other, never one twice, whatever happens to its connection. */
  const write = async (prepared: boolean): Promise<void> => {
    while (!stopped.signal.aborted) {
      const client = new Client(product.dsn('etl', { sslmode: 'disable' }))
      client.on('error', () => {})
      try {
        await client.connect()
        while (!stopped.signal.aborted) {
          const id = randomUUID()
          tried.set(prepared ? preparedDigest(id) : digestOf(Buffer.from(simpleText(id))), id)
          if (prepared) await client.query(PREPARED_TEXT, [id])
          else await client.query(simpleText(id))
          told.add(id)
        }
      } catch {
        await sleep(20)
      } finally {
        await client.end().catch(() => {})
      }
    }
  }

  const kill = async (name: string): Promise<void> => {
    const pid = product.pid(name)
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      return // It is between two lives already.
    }
    await until(() => (alive(product, name, pid) ? true : undefined), 60_000)
  }

  it(
    'lose nothing, invent nothing, repeat nothing, and leave nothing open',
    async () => {
      const writers = Array.from({ length: WRITERS }, (_, index) => write(index % 2 === 0))
      for (let kills = 0; kills < KILLS; kills++) {
        await sleep(randomInt(20, 400))
        await kill(VICTIMS[randomInt(VICTIMS.length)] ?? 'proxy')
      }
      await sleep(500)
      stopped.abort()
      await Promise.all(writers)
      await until(async () => ((await product.psql('etl', '-c', 'select 1')).status === 0 ? true : undefined), 60_000)

      const truth = (await direct('select id::text from truth')).map(([id]) => String(id))
      // A worker that was killed last may still be at what the one before it has left.
      const record = await until(async () => {
        const read = await readRecord(product, tried)
        return [...read.values()].every(({ settlements }) => settlements > 0) ? read : undefined
      }, 60_000)
      const statements = [...record.values()].filter(({ id }) => id !== undefined)
      const recorded = new Map(statements.map((statement) => [statement.id, statement]))
      const inTruth = new Set(truth)

      const found = {
        lost: truth.filter((id) => !mayHaveHappened(recorded.get(id)?.outcome)),
        phantom: statements.filter(({ id, outcome }) => outcome === 'completed' && !inTruth.has(id ?? '')),
        duplicate: [truth.length - inTruth.size, statements.length - recorded.size],
        orphan: [...record.values()].filter(({ settlements }) => settlements !== 1),
        broken: [...told].filter((id) => !inTruth.has(id)),
      }
      expect(found).toEqual({ lost: [], phantom: [], duplicate: [0, 0], orphan: [], broken: [] })
      expect(told.size).toBeGreaterThan(KILLS)
      console.info(
        `${KILLS} kills: ${tried.size} statements tried, ${truth.length} rows, ${statements.length} on record, ` +
          `${statements.filter(({ outcome }) => outcome === 'outcome_unknown').length} of unknown outcome; ` +
          'lost 0, phantom 0, duplicate 0, orphan 0',
      )

      const [row] = await until(async () => {
        const rows = await product.clickhouse<{ n: number; distinct: number; open: number }>(
          `select count() as n, uniqExact(statement_id) as distinct, countIf(outcome = 'running') as open
           from statements where position(db_query_text, 'insert into truth') > 0`,
        )
        return rows[0]?.n === statements.length ? rows : undefined
      }, 60_000)
      expect(row).toEqual({ n: statements.length, distinct: statements.length, open: 0 })
    },
    30 * 60_000,
  )
})

const alive = (product: Product, name: string, formerPid: number): boolean => {
  try {
    return product.pid(name) !== formerPid
  } catch {
    return false
  }
}

const mayHaveHappened = (outcome: string | undefined) => outcome === 'completed' || outcome === 'outcome_unknown'

const PREPARED_TEXT = 'insert into truth values ($1)'
const simpleText = (id: string) => `insert into truth values ('${id}')`

const digestOf = (...parts: readonly Buffer[]): string => {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest('hex')
}

/** FORMAT statement-digest/1, with the one parameter as node-postgres binds it: in text format. */
const preparedDigest = (id: string): string =>
  digestOf(Buffer.from(`${PREPARED_TEXT}\0`), Buffer.from('00010000000100000024', 'hex'), Buffer.from(id))

interface OnRecord {
  readonly id: string | undefined
  outcome: string | undefined
  settlements: number
}

/** Every statement in the log, read as any outsider would: of several commits of one revision the first counts. */
const readRecord = async (product: Product, ids: ReadonlyMap<string, string>): Promise<Map<string, OnRecord>> => {
  const log = await openEventLog({ kind: 'embedded', directory: `${product.home}/log` })
  const heads: Heads = new Map()
  const statements = new Map<string, OnRecord>()
  let cursor: Cursor = {}
  try {
    for (;;) {
      const records = await log.read(TOPICS.access, cursor, 1_000)
      if (records.length === 0) return statements
      for (const record of records) {
        cursor = after(cursor, record)
        const commit = decodeCommit(record.value)
        if (accepts(heads, commit)) for (const event of commit.events) note(statements, ids, readAccessEvent(event))
      }
    }
  } finally {
    await log.close()
  }
}

const note = (
  statements: Map<string, OnRecord>,
  ids: ReadonlyMap<string, string>,
  { type, data }: AccessEvent,
): void => {
  if (type === 'statement.intended') {
    statements.set(data.statementId, { id: ids.get(data.digest), outcome: undefined, settlements: 0 })
  } else if (type === 'statement.settled') {
    const statement = statements.get(data.statementId)
    if (!statement) throw new Error(`${data.statementId} was settled and never intended`)
    statement.outcome = data.outcome
    statement.settlements += 1
  }
}
