import { decodeCommit, readAccessEvent, TOPICS, type AccessEvent } from '@countersign/contracts'
import { accepts, after, type EventLog, type Heads, type LogRecord } from '@countersign/eventlog'
import type { ResumePoint } from './checkpoint.ts'
import { indexIn } from './slot.ts'
import { follow, isEndFoundLater, type LifeEvent } from './unfinished.ts'

const READ_RECORDS = 500

/**
 * Reads what earlier starts left in these slots of a node, from the resume point to the end of the log.
 *
 * Things begin in a slot's own streams. They end there too, or in the stream of whoever found them open later: that
 * may lie in another partition and so be read before their beginning. A record that cannot be read is somebody
 * else's to quarantine.
 */
export const findUnfinished = async (
  log: EventLog,
  node: string,
  isOurs: (index: number) => boolean,
  from: ResumePoint,
): Promise<ResumePoint> => {
  const { heads, unfinished } = from
  const foundLater: LifeEvent[] = []
  let cursor = from.cursor
  for (;;) {
    const records = await log.read(TOPICS.access, cursor, READ_RECORDS)
    if (records.length === 0) break
    for (const record of records) {
      cursor = after(cursor, record)
      const index = indexIn(node, record.key)
      if (index === undefined) continue
      if (isOurs(index)) for (const event of standingEvents(record, heads)) follow(unfinished, event)
      foundLater.push(...endsFoundLater(record))
    }
  }
  for (const event of foundLater) follow(unfinished, event)
  return { cursor, heads, unfinished }
}

const standingEvents = (record: LogRecord, heads: Heads): readonly AccessEvent[] => {
  try {
    const commit = decodeCommit(record.value)
    return accepts(heads, commit) ? commit.events.map((event) => readAccessEvent(event)) : []
  } catch {
    return []
  }
}

/** Most records hold none, which is seen without reading them. A copy of a record says the same as the first. */
const endsFoundLater = (record: LogRecord): readonly AccessEvent[] => {
  const bytes = Buffer.from(record.value.buffer, record.value.byteOffset, record.value.byteLength)
  if (!ENDS.some((word) => bytes.includes(word))) return []
  try {
    return decodeCommit(record.value)
      .events.map((event) => readAccessEvent(event))
      .filter(isEndFoundLater)
  } catch {
    return []
  }
}

const ENDS = ['outcome_unknown', 'node-died', 'found-dead']
