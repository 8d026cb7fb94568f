import type { Commit, StoredEvent } from '@countersign/contracts'
import { accepts, type LogRecord } from '@countersign/eventlog'
import type { Memory } from './memory.ts'
import type { Place } from './place.ts'
import { readEvent, type ProjectedEvent, type Reading } from './read-record.ts'
import { eventRow, quarantineRow, unreadableRow, type EventRow, type QuarantineRow } from './rows/event-row.ts'

/** An event that stands and is understood, and where it lies. */
export interface Placed<Event = ProjectedEvent> {
  readonly event: Event
  readonly place: Place
}

export interface ReadBatch {
  readonly events: readonly EventRow[]
  readonly quarantine: readonly QuarantineRow[]
  readonly placed: readonly Placed[]
}

/**
 * Reads records in log order: what stands, what is void, what nobody understands. `heads` must hold the head, before
 * this batch, of every stream in it.
 */
export const readBatch = (readings: readonly Reading[], heads: Memory['heads']): ReadBatch => {
  const batch = { events: [] as EventRow[], quarantine: [] as QuarantineRow[], placed: [] as Placed[] }
  for (const reading of readings) {
    if ('commit' in reading)
      readCommit(batch, reading.record, reading.commit, accepts(heads[reading.record.topic], reading.commit))
    else {
      batch.events.push(unreadableRow(reading.record))
      batch.quarantine.push(quarantineRow(reading.record, { ...nothing, index: -1, because: reading.because }))
    }
  }
  return batch
}

const nothing = { stream: '', type: '', version: 0 }

interface Batch extends ReadBatch {
  readonly events: EventRow[]
  readonly quarantine: QuarantineRow[]
  readonly placed: Placed[]
}

const readCommit = (batch: Batch, record: LogRecord, commit: Commit, stands: boolean): void => {
  for (const [index, stored] of commit.events.entries()) {
    const read = stands ? readEvent(record.topic, stored) : undefined
    const quarantined = read !== undefined && 'because' in read
    batch.events.push(eventRow(record, commit, index, stored, { void: !stands, quarantined }))
    if (quarantined)
      batch.quarantine.push(quarantineRow(record, { index, ...claimsOf(commit, stored), because: read.because }))
    else if (read) batch.placed.push({ event: read, place: placeOf(record, index) })
  }
}

const claimsOf = ({ stream }: Commit, { type, version }: StoredEvent) => ({ stream, type, version })

const placeOf = ({ topic, partition, offset }: LogRecord, index: number): Place => ({ topic, partition, offset, index })
