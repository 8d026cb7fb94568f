import { createHash } from 'node:crypto'
import {
  commitHeaders,
  decodeCommit,
  encodeCommit,
  readDecisionEvent,
  TOPICS,
  writeDecisionEvent,
  type DecisionEvent,
} from '@countersign/contracts'
import { acceptsCompacted, type EventLog, type Heads, type LogRecord, type Quarantined } from '@countersign/eventlog'
import { Follower } from '../follower.ts'
import { foundIn } from '../quarantine/quarantine.ts'

export interface BoardOptions {
  readonly log: EventLog
  readonly source: string
  readonly now: () => string
  readonly newId: () => string
  readonly quarantine: (found: Quarantined) => void
  readonly failed: (error: unknown) => void
  /** Told of every subject of which something was read, whether it stands or not. */
  readonly noted?: (subject: string) => void
}

/** What a subject's records amount to, for each of the two ways to read a compacted topic. */
interface Entry {
  /** Digest of what it says, by log order with voids passed over, as nodes read. */
  readonly standing: string | undefined
  /** By log order alone, as compaction keeps it. */
  readonly newest: string
}

const ATTEMPTS_MAX = 10

/**
 * cs.decisions, as it stands: what nodes obey now, one subject each.
 *
 * `put` makes a decision stand for readers of either kind, those that pass over void commits and those that know
 * only the newest record because older ones were compacted away. It writes nothing when it stands already, so a
 * decision may be put as often as there is doubt: after a crash, or by several replicas.
 */
export class DecisionBoard {
  readonly #options: BoardOptions
  readonly #follower: Follower
  readonly #entries = new Map<string, Entry>()
  readonly #heads: Heads = new Map()
  readonly #kept = new Map<string, DecisionEvent>()
  readonly #turns = new Map<string, Promise<unknown>>()
  readonly #awaited = new Map<string, () => void>()

  constructor(options: BoardOptions) {
    this.#options = options
    this.#follower = new Follower(options.log, TOPICS.decisions, (records) => this.#take(records), options.failed)
  }

  /** Resolves when all that stood when it was called has been read. */
  caughtUp(): Promise<void> {
    return this.#follower.caughtUp()
  }

  close(): Promise<void> {
    return this.#follower.close()
  }

  /** What stands, of all subjects but approvals: those are many, and control has them in their own stream. */
  decisions(): readonly DecisionEvent[] {
    return [...this.#kept.values()]
  }

  decision(subject: string): DecisionEvent | undefined {
    return this.#kept.get(subject)
  }

  /**
   * Resolves with whether something had to be written, once the decision stands. One at a time for each subject. The
   * decision is asked for anew at each attempt: what holds may have changed while another was written.
   */
  put(subject: string, decision: () => DecisionEvent | undefined): Promise<boolean> {
    const attempt = () => this.#put(subject, decision)
    const turn = (this.#turns.get(subject) ?? Promise.resolve()).then(attempt, attempt)
    this.#turns.set(subject, turn)
    const release = () => {
      if (this.#turns.get(subject) === turn) this.#turns.delete(subject)
    }
    turn.then(release, release)
    return turn
  }

  stands(event: DecisionEvent): boolean {
    const entry = this.#entries.get(subjectOf(event))
    const wanted = contentOf(event)
    return entry?.standing === wanted && entry.newest === wanted
  }

  async #put(subject: string, decision: () => DecisionEvent | undefined): Promise<boolean> {
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      const event = decision()
      if (event === undefined || this.stands(event)) return attempt > 0
      await this.#write(subject, event)
    }
    throw new BoardContentionError(subject)
  }

  /** Resolves when the record has come back: then it is known whether it stands. */
  async #write(subject: string, event: DecisionEvent): Promise<void> {
    const { log, source, now, newId } = this.#options
    const commitId = newId()
    const revision = (this.#heads.get(subject) ?? 0) + 1
    const headers = commitHeaders({ commitId, stream: subject }, source, now(), event.type)
    const value = encodeCommit({ stream: subject, revision, commitId, events: [writeDecisionEvent(event)] })
    const back = new Promise<void>((resolve) => this.#awaited.set(commitId, resolve))
    try {
      await log.append(TOPICS.decisions, { key: subject, headers, value })
      await back
    } finally {
      this.#awaited.delete(commitId)
    }
  }

  #take(records: readonly LogRecord[]): void {
    for (const record of records) {
      try {
        this.#read(record)
      } catch (error) {
        this.#options.quarantine(foundIn(record, error))
      }
    }
  }

  #read(record: LogRecord): void {
    const commit = decodeCommit(record.value)
    try {
      for (const stored of commit.events) this.#note(commit, readDecisionEvent(stored))
    } finally {
      this.#awaited.get(commit.commitId)?.()
      this.#options.noted?.(commit.stream)
    }
  }

  #note({ stream, revision }: { stream: string; revision: number }, event: DecisionEvent): void {
    const content = contentOf(event)
    const stands = acceptsCompacted(this.#heads, { stream, revision })
    this.#entries.set(stream, { standing: stands ? content : this.#entries.get(stream)?.standing, newest: content })
    if (!stands) return
    if (event.type !== 'approval.in-force') this.#kept.set(stream, event)
  }
}

/** Others keep writing something else about the same subject. */
export class BoardContentionError extends Error {
  readonly code = 'CONTROL_BOARD_CONTENTION'

  constructor(subject: string) {
    super(`${subject}: others keep writing to cs.decisions: see that all replicas read the same files`)
    this.name = 'BoardContentionError'
  }
}

/** FORMAT decisions/1: the key and the stream of a record of cs.decisions. */
export const subjectOf = ({ type, data }: DecisionEvent): string => {
  switch (type) {
    case 'policy.in-force':
      return 'policy'
    case 'catalogue.in-force':
      return `catalogue/${data.target.environment}/${data.target.database}`
    case 'credential.in-force':
      return `credential/${data.credentialId}`
    case 'approval.in-force':
      return `approval/${data.requestId}`
    case 'restriction.in-force':
      return `restriction/${data.principalId}`
  }
}

/** What it says, whenever it was said. Read back through its contract, so that the order of keys is always the same. */
const contentOf = (event: DecisionEvent): string => {
  const { data } = readDecisionEvent(writeDecisionEvent(event))
  return createHash('sha256')
    .update(JSON.stringify({ ...data, at: undefined }))
    .digest('base64')
}
