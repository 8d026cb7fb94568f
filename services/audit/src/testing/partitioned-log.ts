import { createHash } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { openEventLog, type Cursor, type EventLog, type LogRecord } from '@countersign/eventlog'

/**
 * A log with several partitions and no broker: an embedded log for each. Records of one key lie in one of them, and
 * what is read from several comes in no order, as with Kafka.
 */
export const openPartitionedLog = async (directory: string, partitions: number): Promise<EventLog> => {
  mkdirSync(directory, { recursive: true })
  const logs = await Promise.all(
    Array.from({ length: partitions }, (_, i) =>
      openEventLog({ kind: 'embedded', directory: join(directory, `${i}`) }),
    ),
  )
  const partitionOf = (key: string): number => createHash('sha256').update(key).digest().readUInt32BE() % partitions
  const only = (cursor: Cursor, partition: number): Cursor => ({ 0: cursor[partition] ?? 0 })
  const moved = (records: readonly LogRecord[], partition: number) => records.map((r) => ({ ...r, partition }))

  return {
    append: async (topic, record) => {
      const partition = partitionOf(record.key)
      const { offset } = await logAt(logs, partition).append(topic, record)
      return { partition, offset }
    },
    read: async (topic, from, limit) => {
      const read = logs.map(async (log, p) => moved(await log.read(topic, only(from, p), limit), p))
      return (await Promise.all(read)).flat().slice(0, limit)
    },
    end: async (topic) =>
      Object.fromEntries(await Promise.all(logs.map(async (log, p) => [p, (await log.end(topic))[0] ?? 0] as const))),
    subscribe: (topic, from, handler, failed) => {
      let turn: Promise<void> = Promise.resolve()
      const inTurn = (records: readonly LogRecord[]) => (turn = turn.then(() => handler(records)))
      const all = logs.map((log, p) =>
        log.subscribe(topic, only(from, p), (records) => inTurn(moved(records, p)), failed),
      )
      return {
        close: async () => {
          await Promise.all(all.map((subscription) => subscription.close()))
        },
      }
    },
    check: async () => {
      await Promise.all(logs.map((log) => log.check()))
    },
    close: async () => {
      await Promise.all(logs.map((log) => log.close()))
    },
  }
}

const logAt = (logs: readonly EventLog[], partition: number): EventLog => {
  const log = logs[partition]
  if (!log) throw new RangeError(`there is no partition ${partition}`)
  return log
}
