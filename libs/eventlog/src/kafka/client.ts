import type { Topic } from '@countersign/contracts'
import type { Cursor, LogRecord, NewRecord, Position } from '../event-log.ts'
import type { TopicPlan } from './topics.ts'

/** What the adapter needs of a Kafka client. `kafkajs.ts` is the one file that knows which client it is. */
export interface KafkaClient {
  /** Makes the topics that are not there yet, and waits until each partition has a leader. */
  ensureTopics(plans: readonly TopicPlan[]): Promise<void>
  openSink(): Promise<Sink>
  openSource(): Promise<Source>
}

/** A record and the topic that it is for. */
export interface Addressed extends NewRecord {
  readonly topic: Topic
}

/** Writes. Whoever has seen it fail closes it and opens another. */
export interface Sink {
  /** Resolves when all replicas that count have every record; where each lies, in the order given. */
  send(records: readonly Addressed[]): Promise<readonly Position[]>
  /** Ends at once: what is under way fails, though it may still be written. */
  close(): void
}

/** Reads, with no consumer group: where a reader is, only the reader knows. Closed and opened anew like a sink. */
export interface Source {
  /** The partitions of a topic by the broker that serves them now. */
  leaders(topic: Topic): Promise<ReadonlyMap<string, readonly number[]>>
  /** The first offset that is kept, or the one behind the last that is durable, of each partition. */
  offsets(topic: Topic, at: 'start' | 'end'): Promise<Cursor>
  /** Waits a little when there is nothing to be had from any of the partitions. */
  fetch(leader: string, topic: Topic, from: Cursor): Promise<readonly Fetched[]>
  close(): void
}

export interface Fetched {
  readonly partition: number
  /** Nothing lies where the cursor points: not any more, or not yet by far. */
  readonly outOfRange: boolean
  readonly records: readonly LogRecord[]
  /** Where to read on. Not always behind the last record: of a compacted topic records are missing. */
  readonly next: number
}

export interface ClientSettings {
  readonly brokers: readonly string[]
  readonly clientId: string
  readonly onLog?: LogListener
}

/** Told what the client has to say about connections and retries. Names brokers and topics, never records. */
export type LogListener = (level: 'warn' | 'error', message: string) => void
