import { decodeCommit, readAccessEvent, type AccessEvent } from '@countersign/contracts'
import type { LogRecord, Quarantined } from '@countersign/eventlog'
import { foundIn } from '../quarantine/quarantine.ts'

export interface Read {
  readonly events: readonly AccessEvent[]
  readonly unreadable: readonly Quarantined[]
}

/** Every event of a record that its contract knows, and what is to be said of the others. */
export const readAccess = (record: LogRecord): Read => {
  const events: AccessEvent[] = []
  const unreadable: Quarantined[] = []
  try {
    for (const [index, stored] of decodeCommit(record.value).events.entries()) {
      try {
        events.push(readAccessEvent(stored))
      } catch (error) {
        unreadable.push(foundIn(record, error, index))
      }
    }
  } catch (error) {
    unreadable.push(foundIn(record, error))
  }
  return { events, unreadable }
}
