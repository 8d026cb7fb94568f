import { randomBytes, randomUUID } from 'node:crypto'
import { ALL_TOPICS, TOPICS } from '@countersign/contracts'
import {
  CursorOutOfRangeError,
  LogUnavailableError,
  RECORD_BYTES_MAX,
  RecordTooLargeError,
  type EventLog,
  type LogRecord,
  type NewRecord,
  type Position,
} from '@countersign/eventlog'
import { describe, expect, it } from 'vitest'
import type { Bench } from '../event-log-contract.ts'

const topic = TOPICS.access

export const recordsPart = ({ log, made }: Bench): void => {
  describe('takes a record', () => {
    it('and gives it back byte for byte, whatever is in it', async () => {
      for (const record of samples()) {
        const position = await log().append(topic, record)
        const found = await readAt(log(), position)
        expect(found).toEqual({ ...record, topic, ...position, value: expect.any(Uint8Array) })
        expect(Buffer.from(found?.value ?? []).equals(record.value)).toBe(true)
      }
    })

    it('and another process sees it as soon as it has been acknowledged', async () => {
      const other = await made().open()
      const record = sampleOf(randomBytes(2_000))
      const position = await log().append(topic, record)
      expect((await readAt(other, position))?.key).toBe(record.key)
      await other.close()
    })

    it('for every topic', async () => {
      for (const topic of ALL_TOPICS) {
        const before = await log().end(topic)
        const { partition, offset } = await log().append(topic, sampleOf(Buffer.from('x')))
        expect(offset).toBe(before[partition])
        expect(await log().end(topic)).toEqual({ ...before, [partition]: offset + 1 })
      }
    })

    it('that was changed by its owner after it was acknowledged, as it was before', async () => {
      const value = Buffer.from('before')
      const position = await log().append(topic, { ...sampleOf(value), value })
      value.write('after!')
      expect(Buffer.from((await readAt(log(), position))?.value ?? []).toString()).toBe('before')
    })

    it('unless it is too large for some adapter, whatever this one could do', async () => {
      const value = new Uint8Array(RECORD_BYTES_MAX + 1)
      await expect(log().append(topic, sampleOf(value))).rejects.toBeInstanceOf(RecordTooLargeError)
    })

    it('unless it has been closed, and ends first what was under way', async () => {
      const other = await made().open()
      const underWay = Array.from({ length: 20 }, () => other.append(topic, sampleOf(randomBytes(100))))
      await other.close()
      expect(await Promise.all(underWay)).toHaveLength(20)
      await expect(other.append(topic, sampleOf(randomBytes(1)))).rejects.toBeInstanceOf(LogUnavailableError)
    })
  })

  describe('reads', () => {
    it('what was appended at once by many in the order of each key', async () => {
      const from = await log().end(topic)
      const keys = Array.from({ length: 5 }, () => randomUUID())
      const appends = Array.from({ length: 300 }, (_, i) => ({ key: keys[i % keys.length] ?? '', id: String(i) }))
      const positions = await Promise.all(
        appends.map(({ key, id }) => log().append(topic, { key, headers: { id }, value: randomBytes(50) })),
      )
      const found = await log().read(topic, from, 1_000)
      for (const key of keys) {
        const expected = appends.flatMap((a, i) => (a.key === key ? [{ id: a.id, ...positions[i] }] : []))
        const actual = found.flatMap((r) => (r.key === key ? [{ id: r.headers['id'], ...positionOf(r) }] : []))
        expect(actual).toEqual(expected)
      }
    })

    it('no more than it is asked for, and goes on from there', async () => {
      const from = await log().end(topic)
      const key = randomUUID()
      for (let i = 0; i < 10; i++)
        await log().append(topic, { key, headers: { id: String(i) }, value: randomBytes(10) })
      const first = await log().read(topic, from, 4)
      const last = first.at(-1)
      const rest = await log().read(topic, { ...from, ...(last && { [last.partition]: last.offset + 1 }) }, 100)
      expect([...first, ...rest].map(({ headers }) => headers['id'])).toEqual(
        Array.from({ length: 10 }, (_, i) => `${i}`),
      )
    })

    it('nothing at the end', async () => {
      expect(await log().read(topic, await log().end(topic), 10)).toEqual([])
    })

    it('nothing from a place that it has not reached, and says so', async () => {
      const { partition, offset } = await log().append(topic, sampleOf(randomBytes(1)))
      const beyond = { ...(await log().end(topic)), [partition]: offset + 1_000 }
      await expect(log().read(topic, beyond, 10)).rejects.toBeInstanceOf(CursorOutOfRangeError)
    })
  })
}

const sampleOf = (value: Uint8Array): NewRecord => ({ key: randomUUID(), headers: { id: randomUUID() }, value })

const samples = (): readonly NewRecord[] => [
  ...[0, 1, 100, 4_095, 4_096, 65_536, 900_000].map((size) => sampleOf(randomBytes(size))),
  sampleOf(Buffer.from('{"name":"Zoë","emoji":"🧾","cjk":"記録"}')),
  sampleOf(Buffer.from([0, 0xff, 0xfe, 0x80, 0, 0x0a, 0x0d])),
  sampleOf(randomBytes(500).subarray(100, 200)),
  {
    key: 'Schlüssel/ключ/🔑',
    headers: { ce_type: 'a.b', empty: '', 'content-type': 'text/plain', ü: '記' },
    value: randomBytes(3),
  },
  { key: 'nul\0in\0it', headers: { nul: 'a\0b', quote: `'";--` }, value: randomBytes(3) },
  { key: '', headers: {}, value: randomBytes(3) },
]

const readAt = async (log: EventLog, { partition, offset }: Position): Promise<LogRecord | undefined> => {
  const [record] = await log.read(topic, { ...(await log.end(topic)), [partition]: offset }, 1)
  return record
}

const positionOf = ({ partition, offset }: LogRecord): Position => ({ partition, offset })
