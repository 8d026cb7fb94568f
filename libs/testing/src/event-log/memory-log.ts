import { setImmediate as yielded } from 'node:timers/promises'
import type { Topic } from '@countersign/contracts'
import type { EventLog, LogRecord, NewRecord, Position, Subscription } from '@countersign/eventlog'

/** A log in memory, for specs that need nothing. One partition a topic. */
export interface MemoryLog extends EventLog {
  readonly records: readonly LogRecord[]
  /** While set, appends and checks are refused with it. */
  refuseWith(error: Error | undefined): void
}

const DELIVERY_RECORDS_MAX = 100

export const memoryLog = (): MemoryLog => {
  const records: LogRecord[] = []
  const sleepers = new Set<() => void>()
  const subscriptions = new Set<Subscription>()
  let refusal: Error | undefined

  const of = (topic: Topic) => records.filter((record) => record.topic === topic)

  const append = async (topic: Topic, record: NewRecord): Promise<Position> => {
    if (refusal) throw refusal
    const position = { partition: 0, offset: of(topic).length }
    records.push({ ...record, value: new Uint8Array(record.value), topic, ...position })
    sleepers.forEach((wake) => wake())
    return position
  }

  const subscribe: EventLog['subscribe'] = (topic, from, handler, failed) => {
    let next = from[0] ?? 0
    const stop = new AbortController()
    const run = async () => {
      while (!stop.signal.aborted) {
        const found = of(topic).slice(next, next + DELIVERY_RECORDS_MAX)
        if (found.length > 0) await handler(found)
        else await sleep(sleepers)
        next += found.length
        await yielded()
      }
    }
    const ended = run().catch(failed)
    const subscription = {
      close: () => {
        stop.abort()
        sleepers.forEach((wake) => wake())
        return ended
      },
    }
    subscriptions.add(subscription)
    return subscription
  }

  return {
    records,
    refuseWith: (error) => (refusal = error),
    append,
    read: async (topic, from, limit) => of(topic).slice(from[0] ?? 0, (from[0] ?? 0) + limit),
    end: async (topic) => ({ 0: of(topic).length }),
    subscribe,
    check: async () => {
      if (refusal) throw refusal
    },
    close: async () => {
      await Promise.all(Array.from(subscriptions, (subscription) => subscription.close()))
    },
  }
}

const sleep = (sleepers: Set<() => void>) =>
  new Promise<void>((resolve) => {
    const wake = () => {
      sleepers.delete(wake)
      resolve()
    }
    sleepers.add(wake)
  })
