import { decodeCommit, readAccessEvent, TOPICS, type AccessEvent } from '@countersign/contracts'
import { accepts, after, openEventLog, type Cursor, type Heads } from '@countersign/eventlog'
import type { Product } from './product.ts'
import { until } from './until.ts'

/** Everything that nodes have written to an embedded log, as any outsider would read it. */
export const accessEvents = async ({ home }: Product): Promise<readonly AccessEvent[]> => {
  const log = await openEventLog({ kind: 'embedded', directory: `${home}/log` })
  const heads: Heads = new Map()
  const events: AccessEvent[] = []
  let cursor: Cursor = {}
  try {
    for (;;) {
      const records = await log.read(TOPICS.access, cursor, 1_000)
      if (records.length === 0) return events
      for (const record of records) {
        cursor = after(cursor, record)
        const commit = decodeCommit(record.value)
        if (accepts(heads, commit)) events.push(...commit.events.map((event) => readAccessEvent(event)))
      }
    }
  } finally {
    await log.close()
  }
}

type DataOf<Type extends AccessEvent['type']> = Extract<AccessEvent, { type: Type }>['data']

export const ofType = <Type extends AccessEvent['type']>(
  events: readonly AccessEvent[],
  type: Type,
): readonly DataOf<Type>[] => events.filter((event) => event.type === type).map(({ data }) => data as DataOf<Type>)

/** Statements that are intended and have not exactly one settlement. */
const notSettledOnce = (events: readonly AccessEvent[]): readonly string[] => {
  const settlements = new Map(ofType(events, 'statement.intended').map(({ statementId }) => [statementId as string, 0]))
  for (const { statementId } of ofType(events, 'statement.settled')) {
    settlements.set(statementId, (settlements.get(statementId) ?? Number.NaN) + 1)
  }
  return [...settlements].filter(([, count]) => count !== 1).map(([statementId]) => statementId)
}

/** The same once every statement has its one settlement, which may be written a moment after its client was answered. */
export const settledEvents = (product: Product): Promise<readonly AccessEvent[]> =>
  until(async () => {
    const events = await accessEvents(product)
    return notSettledOnce(events).length === 0 ? events : undefined
  })
