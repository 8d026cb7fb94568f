import type { AccessEvent } from '@countersign/contracts'
import { clickhouseTime, type Place } from '../place.ts'
import { nodeOf } from './session-row.ts'

export type CoverageEvent = Extract<
  AccessEvent,
  { type: 'node.started' | 'node.heartbeat' | 'node.stopped' | 'node.reloaded' | 'audit.degraded' | 'audit.recovered' }
>

export type CoverageRow = Readonly<ReturnType<typeof coverageRow>>

/** One entry of the coverage ledger. */
export const coverageRow = (event: CoverageEvent, place: Place) => ({
  worker: event.data.worker as string,
  node: nodeOf(event.data.worker),
  ...nothing,
  ...told(event),
  log_topic: place.topic as string,
  log_partition: place.partition,
  log_offset: place.offset,
  event_index: place.index,
})

interface Entry {
  readonly because: string
  readonly version: string
  readonly host: string
  readonly process_id: number
  readonly sessions: number | null
  readonly statements: number | null
  readonly policy_version: string
  readonly degraded_at: string | null
  readonly refused: number | null
}

const nothing: Entry = {
  because: '',
  version: '',
  host: '',
  process_id: 0,
  sessions: null,
  statements: null,
  policy_version: '',
  degraded_at: null,
  refused: null,
}

const told = ({ type, data }: CoverageEvent): Partial<Entry> & { time: string; what: string } => {
  switch (type) {
    case 'node.started': {
      const { version, host, processId } = data
      return { time: clickhouseTime(data.at), what: 'started', version, host, process_id: processId }
    }
    case 'node.heartbeat': {
      const { sessions, statements, policyVersion = '' } = data
      return { time: clickhouseTime(data.at), what: 'heartbeat', sessions, statements, policy_version: policyVersion }
    }
    case 'node.stopped':
      return { time: clickhouseTime(data.at), what: 'stopped', because: data.because }
    case 'node.reloaded':
      return { time: clickhouseTime(data.at), what: 'reloaded', because: data.changed.join(', ') }
    case 'audit.degraded':
      return { time: clickhouseTime(data.at), what: 'degraded', because: data.reason }
    case 'audit.recovered': {
      const { degradedAt, refused } = data
      const degraded_at = clickhouseTime(degradedAt)
      return { time: clickhouseTime(data.recoveredAt), what: 'recovered', degraded_at, refused }
    }
  }
}
