import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { accepts, after, type Cursor, type EventLog, type Heads, type LogRecord } from '@countersign/eventlog'
import { decodeCommit, readAccessEvent, TOPICS, type AccessEvent } from '@countersign/contracts'
import { follow, nothingUnfinished, type Unfinished } from './unfinished.ts'

/*
 * Where to begin reading when a worker starts again. The file saves time and nothing else: without it the log is
 * read from its start, to the same result.
 */
interface Checkpoint {
  readonly cursor: Cursor
  readonly heads: readonly (readonly [string, number])[]
  readonly unfinished: { readonly [K in keyof Unfinished]: readonly (readonly [unknown, unknown])[] }
}

/** Keeps the checkpoint file of one worker slot (`<node>/<worker>`). */
export class CheckpointFile {
  readonly #file: string

  constructor(stateFolder: string, slot: string) {
    mkdirSync(stateFolder, { recursive: true, mode: 0o700 })
    this.#file = join(stateFolder, `checkpoint.${slot.replaceAll('/', '.')}.json`)
  }

  write(cursor: Cursor, heads: Heads, unfinished: Unfinished): void {
    const checkpoint: Checkpoint = {
      cursor,
      heads: [...heads],
      unfinished: {
        workers: [...unfinished.workers],
        sessions: [...unfinished.sessions],
        statements: [...unfinished.statements],
        holds: [...unfinished.holds],
      },
    }
    writeFileSync(`${this.#file}.new`, JSON.stringify(checkpoint), { mode: 0o600 })
    renameSync(`${this.#file}.new`, this.#file)
  }

  read(): { cursor: Cursor; heads: Heads; unfinished: Unfinished } {
    try {
      const { cursor, heads, unfinished } = JSON.parse(readFileSync(this.#file, 'utf8')) as Checkpoint
      const maps = Object.fromEntries(Object.entries(unfinished).map(([name, entries]) => [name, new Map(entries)]))
      return { cursor, heads: new Map(heads), unfinished: maps as unknown as Unfinished }
    } catch {
      return { cursor: {}, heads: new Map(), unfinished: nothingUnfinished() }
    }
  }
}

const READ_RECORDS = 500

/**
 * Reads what earlier starts of this worker slot left in the log, from the checkpoint to the end.
 *
 * Only this slot's own streams are looked at; a record that cannot be read is somebody else's to quarantine.
 */
export const findUnfinished = async (log: EventLog, slot: string, from: ReturnType<CheckpointFile['read']>) => {
  const { heads, unfinished } = from
  let cursor = from.cursor
  for (;;) {
    const records = await log.read(TOPICS.access, cursor, READ_RECORDS)
    if (records.length === 0) return { cursor, heads, unfinished }
    for (const record of records) {
      cursor = after(cursor, record)
      if (record.key.startsWith(`${slot}/`)) for (const event of eventsOf(record, heads)) follow(unfinished, event)
    }
  }
}

const eventsOf = (record: LogRecord, heads: Heads): readonly AccessEvent[] => {
  try {
    const commit = decodeCommit(record.value)
    return accepts(heads, commit) ? commit.events.map((event) => readAccessEvent(event)) : []
  } catch {
    return []
  }
}
