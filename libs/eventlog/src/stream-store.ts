import { commitHeaders, encodeCommit, type Commit, type StoredEvent, type Topic } from '@countersign/contracts'
import { accepts, type Heads } from './accepts.ts'
import { awaited } from './awaited.ts'
import { LogUnavailableError, type EventLog, type LogRecord, type Position } from './event-log.ts'
import { progressOf } from './progress.ts'
import { commitIn, eventsIn, type Quarantined } from './read-commit.ts'

/** Everything that has happened in one stream, and the revision to name when something is added. */
export interface Past<Event> {
  readonly past: readonly Event[]
  readonly revision: number
}

/**
 * Event-sourced streams on a topic. Any number of stores, in any number of processes, work on the same streams with
 * no lock between them: each appends, reads its own commit back, and learns from the log's order whether it stood.
 */
export interface StreamStore<Event> {
  /** The stream as it stands, once all that was in the log when the store was opened has been read. */
  load(stream: string): Promise<Past<Event>>
  /**
   * Adds to a stream that is believed to stand at `revision`. `'conflict'`: someone else was first.
   *
   * Rejects with `LogUnavailableError` when it is not known what became of it. It may yet stand: load again.
   */
  append(stream: string, revision: number, events: readonly Event[]): Promise<'appended' | 'conflict'>
  /** Resolves once everything that is durable now has been read. */
  caughtUp(): Promise<void>
  close(): Promise<void>
}

/** A commit that stands, as it is read: from this process or any other. */
export interface AcceptedCommit<Event> extends Position {
  readonly commit: Commit
  /** Those of its events that today's code can read. */
  readonly events: readonly Event[]
}

export interface StreamStoreOptions<Event> {
  readonly log: EventLog
  readonly topic: Topic
  readonly read: (stored: StoredEvent) => Event
  readonly write: (event: Event) => StoredEvent
  /** Who writes: the `ce_source` of every record. */
  readonly source: string
  /** The time now: the `ce_time` of every record. */
  readonly now: () => string
  /** A new commit's id: a UUID. */
  readonly newId: () => string
  /** Told of every commit that stands, in log order, the whole past included. Not waited for. */
  readonly onCommit?: (accepted: AcceptedCommit<Event>) => void
  readonly onQuarantine?: (found: Quarantined) => void
  /** Told when the topic cannot be followed any further. Every call rejects from then on. */
  readonly onFailed?: (error: unknown) => void
}

/** How long a commit that has been acknowledged may take to come back before its writer is told that it did not. */
const READ_BACK_TIMEOUT_MS = 5_000

type Outcome = 'appended' | 'conflict'

export const openStreamStore = <Event>(options: StreamStoreOptions<Event>): StreamStore<Event> => {
  const { log, topic, read, onCommit = nothing, onQuarantine = nothing, onFailed = nothing } = options
  const streams = new Map<string, readonly Event[]>()
  const heads: Heads = new Map()
  const outcomes = awaited<Outcome>(READ_BACK_TIMEOUT_MS)
  const progress = progressOf()
  let opened: Promise<void> | undefined

  const take = (record: LogRecord) => {
    const commit = commitIn(record, onQuarantine)
    if (commit) outcomes.settle(commit.commitId, accepts(heads, commit) ? stand(commit, record) : 'conflict')
    progress.reached(record)
  }

  const stand = (commit: Commit, record: LogRecord): Outcome => {
    const events = eventsIn(commit, record, read, onQuarantine)
    streams.set(commit.stream, [...(streams.get(commit.stream) ?? []), ...events])
    onCommit({ partition: record.partition, offset: record.offset, commit, events })
    return 'appended'
  }

  const end = (error: unknown) => {
    outcomes.fail(error)
    progress.fail(error)
  }

  const fail = (error: unknown) => {
    end(error)
    onFailed(error)
  }

  const caughtUp = async () => progress.to(await log.end(topic))

  /** The first look at the past. When the log cannot be reached, whoever needs it next looks again. */
  const whenOpened = () =>
    (opened ??= caughtUp().catch((error: unknown) => {
      opened = undefined
      throw error
    }))

  const load = async (stream: string): Promise<Past<Event>> => {
    await whenOpened()
    return { past: streams.get(stream) ?? [], revision: heads.get(stream) ?? 0 }
  }

  const append = async (stream: string, revision: number, events: readonly Event[]): Promise<Outcome> => {
    await whenOpened()
    if ((heads.get(stream) ?? 0) !== revision) return 'conflict'
    if (events.length === 0) return 'appended'
    const { commitId, record } = recordOf(stream, revision, events, options)
    const outcome = outcomes.of(commitId)
    await Promise.race([log.append(topic, record), outcome])
    return outcome
  }

  const subscription = log.subscribe(topic, {}, (records) => records.forEach(take), fail)

  const close = async () => {
    await subscription.close()
    end(new LogUnavailableError('the streams have been closed'))
  }

  return { load, append, caughtUp, close }
}

const recordOf = <Event>(
  stream: string,
  revision: number,
  events: readonly Event[],
  { write, newId, source, now }: StreamStoreOptions<Event>,
) => {
  const stored = events.map(write)
  const commit: Commit = { stream, revision: revision + 1, commitId: newId(), events: stored }
  const headers = commitHeaders(commit, source, now(), stored[0]?.type ?? '')
  return { commitId: commit.commitId, record: { key: stream, headers, value: encodeCommit(commit) } }
}

const nothing = () => {}
