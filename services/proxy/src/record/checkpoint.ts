import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { accepts, after, type Cursor, type EventLog, type Heads, type LogRecord } from '@countersign/eventlog'
import { decodeCommit, readAccessEvent, TOPICS, type AccessEvent } from '@countersign/contracts'
import { indexIn, slotOf } from './slot.ts'
import { follow, isEndFoundLater, nothingUnfinished, type LifeEvent, type Unfinished } from './unfinished.ts'

/*
 * Where to begin reading when a worker starts again. The file saves time and nothing else: without any the log is
 * read from its start, to the same result. A slot has its file before its first record is written.
 */
interface Checkpoint {
  readonly cursor: Cursor
  readonly heads: readonly (readonly [string, number])[]
  readonly unfinished: { readonly [K in keyof Unfinished]: readonly (readonly [unknown, unknown])[] }
  /** The slot is not used any more, and everything in it has been closed. */
  readonly over?: boolean
}

/** From where on a slot has to be looked at, and what was open in it by then. */
export interface ResumePoint {
  readonly cursor: Cursor
  readonly heads: Heads
  readonly unfinished: Unfinished
}

/** Keeps the checkpoint file of one worker slot. */
export class CheckpointFile {
  readonly #file: string

  constructor(stateFolder: string, slot: string) {
    mkdirSync(stateFolder, { recursive: true, mode: 0o700 })
    this.#file = join(stateFolder, `checkpoint.${slot.replaceAll('/', '.')}.json`)
  }

  write(cursor: Cursor, heads: Heads, unfinished: Unfinished, over = false): void {
    const checkpoint: Checkpoint = {
      cursor,
      heads: [...heads],
      unfinished: {
        workers: [...unfinished.workers],
        sessions: [...unfinished.sessions],
        statements: [...unfinished.statements],
        holds: [...unfinished.holds],
      },
      ...(over && { over }),
    }
    writeFileSync(`${this.#file}.new`, JSON.stringify(checkpoint), { mode: 0o600 })
    renameSync(`${this.#file}.new`, this.#file)
  }

  read(): ResumePoint {
    try {
      const { cursor, heads, unfinished } = JSON.parse(readFileSync(this.#file, 'utf8')) as Checkpoint
      const maps = Object.fromEntries(Object.entries(unfinished).map(([name, entries]) => [name, new Map(entries)]))
      return { cursor, heads: new Map(heads), unfinished: maps as unknown as Unfinished }
    } catch {
      return { cursor: {}, heads: new Map(), unfinished: nothingUnfinished() }
    }
  }

  /** A slot without a file has never been used; one that is over has nothing open. Neither has to be looked through. */
  get unused(): boolean {
    if (!existsSync(this.#file)) return true
    try {
      return (JSON.parse(readFileSync(this.#file, 'utf8')) as Checkpoint).over === true
    } catch {
      return false
    }
  }
}

/**
 * Gives every slot of a node its file, before any worker starts. A slot that is used for the first time, or again,
 * begins where another one has come to. Where no slot has a file the log has to be read from its start.
 */
export const seedSlots = (stateFolder: string, node: string, workers: number): void => {
  mkdirSync(stateFolder, { recursive: true, mode: 0o700 })
  const used = slotsWithFiles(stateFolder, node).filter((index) => !fileOf(stateFolder, node, index).unused)
  const [first] = used
  const from = first === undefined ? {} : fileOf(stateFolder, node, first).read().cursor
  for (let index = 0; index < workers; index++) {
    const file = fileOf(stateFolder, node, index)
    if (file.unused) file.write(from, new Map(), nothingUnfinished())
  }
}

/** Slots that the node had when it had more workers, and in which something may be open. */
export const retiredSlots = (stateFolder: string, node: string, workers: number): readonly number[] =>
  slotsWithFiles(stateFolder, node).filter((index) => index >= workers && !fileOf(stateFolder, node, index).unused)

const fileOf = (stateFolder: string, node: string, index: number): CheckpointFile =>
  new CheckpointFile(stateFolder, slotOf(node, index))

const slotsWithFiles = (stateFolder: string, node: string): readonly number[] =>
  readdirSync(stateFolder)
    .flatMap((name) => {
      if (!name.startsWith(`checkpoint.${node}.`)) return []
      const [, index] = /^w(\d+)\.json$/.exec(name.slice(`checkpoint.${node}.`.length)) ?? []
      return index === undefined ? [] : [Number(index)]
    })
    .sort((a, b) => a - b)

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
