import { randomBytes, randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { TOPICS } from '@countersign/contracts'
import { after, CursorOutOfRangeError, type Cursor, type EventLog, type LogRecord } from '@countersign/eventlog'
import { describe, expect, it } from 'vitest'
import { collect } from '../collect.ts'
import type { Bench } from '../event-log-contract.ts'
import { runJob } from '../run-job.ts'

const topic = TOPICS.access

export const subscriptionsPart = ({ log, made }: Bench): void => {
  describe('delivers to a subscription', () => {
    it('what there is and then what comes, each record once and in order', async () => {
      const key = randomUUID()
      const from = await log().end(topic)
      await appendNumbered(log(), key, 0, 30)
      const collected = collect(log(), topic, from, key)
      await collected.until((records) => records.length === 30)
      await appendNumbered(log(), key, 30, 60)
      await collected.until((records) => records.length >= 60)
      await collected.close()
      expect(idsOf(collected.records)).toEqual(numbers(0, 60))
    })

    it('what follows a cursor, after a stop in the middle', async () => {
      const key = randomUUID()
      const from = await log().end(topic)
      await appendNumbered(log(), key, 0, 50)
      const { seen, cursor } = await readSome(log(), from, key, 20)
      const rest = collect(log(), topic, cursor, key)
      await rest.until((records) => records.length >= 50 - seen.length)
      await rest.close()
      expect(idsOf([...seen, ...rest.records])).toEqual(numbers(0, 50))
    })

    it('everything from the start when the cursor is empty', async () => {
      const key = randomUUID()
      await appendNumbered(log(), key, 0, 3)
      const end = await log().end(topic)
      const all = collect(log(), topic, {})
      const total = Object.values(end).reduce((sum, offset) => sum + offset, 0)
      await all.until((records) => records.length >= total)
      await all.close()
      expect(all.records.filter((record) => record.key === key)).toHaveLength(3)
    })

    it('what several processes write at the same time, each record once and in order', async () => {
      const from = await log().end(topic)
      const collected = collect(log(), topic, from)
      const jobs = ['a', 'b', 'c'].map((prefix) =>
        runJob({
          kind: 'append',
          options: made().options,
          topic,
          key: `writer-${prefix}`,
          prefix,
          inFlight: 4,
          count: 200,
          bytesMax: 3_000,
        }),
      )
      await Promise.all(jobs.map(({ ended }) => ended))
      const end = await log().end(topic)
      const expected = Object.entries(end).reduce((sum, [p, offset]) => sum + offset - (from[Number(p)] ?? 0), 0)
      await collected.until((records) => records.length >= expected)
      await collected.close()
      expect(collected.records).toHaveLength(expected)
      expect(collected.records.map(placeOf).toSorted()).toEqual(
        jobs.flatMap(({ said }) => said.flatMap(acked)).toSorted(),
      )
      expect(inOrder(collected.records)).toBe(true)
    })

    it('in small portions, one at a time, and waits for each', async () => {
      const key = randomUUID()
      const from = await log().end(topic)
      await Promise.all(
        Array.from({ length: 2_000 }, () => log().append(topic, { key, headers: {}, value: randomBytes(10) })),
      )
      let handling = 0
      let most = 0
      const portions: number[] = []
      await new Promise<void>((resolve, reject) => {
        const handler = async (records: readonly LogRecord[]) => {
          most = Math.max(most, ++handling)
          portions.push(records.length)
          await sleep(2)
          handling--
          if (portions.reduce((sum, portion) => sum + portion, 0) >= 2_000) void subscription.close().then(resolve)
        }
        const subscription = log().subscribe(topic, from, handler, reject)
      })
      expect(most).toBe(1)
      expect(Math.max(...portions)).toBeLessThan(1_000)
    })

    it('nothing more once its handler has failed, and tells of it', async () => {
      const from = await log().end(topic)
      let calls = 0
      const failed = new Promise((resolve) => {
        const handler = () => {
          calls++
          throw new Error('cannot read this')
        }
        log().subscribe(topic, from, handler, resolve)
      })
      await appendNumbered(log(), randomUUID(), 0, 1)
      await expect(failed).resolves.toMatchObject({ message: 'cannot read this' })
      await appendNumbered(log(), randomUUID(), 0, 5)
      const other = collect(log(), topic, from)
      await other.until((records) => records.length >= 6)
      await other.close()
      expect(calls).toBe(1)
    })

    it('nothing after it has been closed', async () => {
      const key = randomUUID()
      const collected = collect(log(), topic, await log().end(topic), key)
      await appendNumbered(log(), key, 0, 1)
      await collected.until((records) => records.length === 1)
      await collected.close()
      await appendNumbered(log(), key, 1, 5)
      await sleep(50)
      expect(collected.records).toHaveLength(1)
    })

    it('an error when the log does not reach as far as the cursor', async () => {
      const { partition, offset } = await log().append(topic, { key: 'k', headers: {}, value: randomBytes(1) })
      const beyond = { ...(await log().end(topic)), [partition]: offset + 1_000 }
      await expect(collect(log(), topic, beyond).until(() => false)).rejects.toBeInstanceOf(CursorOutOfRangeError)
    })

    it('what another process writes, about when it is written', async () => {
      const other = await made().open()
      const key = randomUUID()
      const collected = collect(log(), topic, await log().end(topic), key)
      await log().append(topic, { key, headers: {}, value: randomBytes(10) })
      await collected.until((records) => records.length === 1)
      const delays: number[] = []
      for (let n = 2; n <= 41; n++) {
        await other.append(topic, { key, headers: {}, value: randomBytes(500) })
        const acknowledgedAt = performance.now()
        await collected.until((records) => records.length === n)
        delays.push(performance.now() - acknowledgedAt)
        await sleep(5)
      }
      await collected.close()
      await other.close()
      // The median, because the machine may have other things to do; without a wake-up it would be a hundred or more.
      expect(delays.toSorted((a, b) => a - b)[20]).toBeLessThan(50)
    })
  })
}

const appendNumbered = async (log: EventLog, key: string, from: number, to: number): Promise<void> => {
  for (const id of numbers(from, to)) await log.append(topic, { key, headers: { id }, value: Buffer.from(id) })
}

const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => String(from + i))

const idsOf = (records: readonly LogRecord[]) => records.map(({ headers }) => headers['id'])

/** Reads until so many records of the key have come, and stops between two deliveries. */
const readSome = (log: EventLog, from: Cursor, key: string, count: number) =>
  new Promise<{ readonly seen: readonly LogRecord[]; readonly cursor: Cursor }>((resolve, reject) => {
    const seen: LogRecord[] = []
    let cursor = from
    const handler = (records: readonly LogRecord[]) => {
      for (const record of records) {
        if (seen.length === count) break
        cursor = after(cursor, record)
        if (record.key === key) seen.push(record)
      }
      if (seen.length === count) void subscription.close().then(() => resolve({ seen, cursor }))
    }
    const subscription = log.subscribe(topic, from, handler, reject)
  })

const placeOf = ({ headers, partition, offset }: LogRecord) => `${headers['id']} at ${partition}/${offset}`

const acked = (said: { readonly said: string }) =>
  'id' in said && 'partition' in said && 'offset' in said ? [`${said.id} at ${said.partition}/${said.offset}`] : []

const inOrder = (records: readonly LogRecord[]): boolean => {
  const next = new Map<number, number>()
  return records.every(({ partition, offset }) => {
    const rises = offset >= (next.get(partition) ?? 0)
    next.set(partition, offset + 1)
    return rises
  })
}
