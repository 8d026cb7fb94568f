import { randomUUID } from 'node:crypto'
import { handlerOf, openStreamStore, type EventLog } from '@countersign/eventlog'
import type { Decider } from '@countersign/kernel'
import type { CountJob } from './jobs.ts'

export interface Counted {
  readonly by: string
  readonly total: number
}

/** A rule that is only kept if nobody decides on an old state: each total is one more than the one before. */
export const counter: Decider<number, { readonly by: string }, Counted> = {
  initial: 0,
  decide: ({ by }, total) => [{ by, total: total + 1 }],
  evolve: (_, { total }) => total,
}

export const counterStore = (log: EventLog, topic: CountJob['topic']) =>
  openStreamStore<Counted>({
    log,
    topic,
    read: ({ data }) => data as Counted,
    write: (data) => ({ type: 'test.counted', version: 1, data }),
    source: 'test',
    now: () => new Date().toISOString(),
    newId: randomUUID,
  })

export const count = async (log: EventLog, { topic, stream, name, count }: CountJob): Promise<void> => {
  const store = counterStore(log, topic)
  const handle = handlerOf(counter, store)
  for (let i = 0; i < count; i++) await handle(stream, { by: name })
  await store.close()
}
