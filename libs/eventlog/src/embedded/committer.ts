import { DatabaseSync } from 'node:sqlite'
import { LogUnavailableError } from '../event-log.ts'
import type { Batch } from './batch.ts'
import { openBell } from './bell.ts'
import { checkpointsOf } from './checkpoints.ts'
import { placeOf, sameInode, samePlace, statOf, writable, type Place } from './place.ts'
import { lockBy } from './lock.ts'
import { faultIn, isBusy } from './sqlite-fault.ts'
import { identityOf, type TopicFile } from './topic-file.ts'

/** Commits batches to one topic's file. Blocks while it does: it lives in a thread of its own. */
export interface Committer {
  /** The offset of the batch's first record, once all of them are durable. Throws `LogUnavailableError`. */
  commit(batch: Batch): number
  /** What can wait until the batch has been acknowledged: telling others of it, and keeping the file in shape. */
  afterwards(batch: Batch): void
  close(): void
}

/** After a read that lasted long, the write-ahead log is cut back to this. */
const WAL_BYTES_KEPT = 64 * 1024 * 1024

/** What was seen this long ago still holds: under load the look after one commit is the look before the next. */
const LOOK_HOLDS_MS = 1

export const openCommitter = (file: TopicFile): Committer => {
  let open: OpenFile | undefined
  /** The log may never be found shorter than this process has seen it. */
  let next = 0
  let lookedAt = 0

  const close = () => {
    open?.close()
    open = undefined
  }

  const find = (): OpenFile => {
    if (open && performance.now() - lookedAt < LOOK_HOLDS_MS) return open
    const place = placeOf(file)
    if (open && samePlace(open.place, place)) return open
    close()
    open = openFile(file, place)
    return open
  }

  const commit = (batch: Batch): number => {
    const found = find()
    const first = found.append(batch, next)
    next = first + batch.length
    found.verify()
    lookedAt = performance.now()
    return first
  }

  return {
    commit: (batch) => {
      try {
        return commit(batch)
      } catch (error) {
        lookedAt = 0
        if (!isBusy(error)) close()
        throw faultIn(file.path, error)
      }
    },
    afterwards: (batch) => {
      try {
        open?.afterwards(batch)
      } catch {
        close() // Nothing is lost by it, and if it happens again the next commit says so.
      }
    },
    close,
  }
}

interface OpenFile {
  readonly place: Place
  /** Refuses to write anywhere before `least`. */
  append(batch: Batch, least: number): number
  /** Throws unless what has been written lies where the path leads to. */
  verify(): void
  afterwards(batch: Batch): void
  close(): void
}

const openFile = (file: TopicFile, place: Place): OpenFile => {
  const database = new DatabaseSync(file.path)
  try {
    database.exec(`PRAGMA synchronous = FULL; PRAGMA journal_size_limit = ${WAL_BYTES_KEPT}`)
    if (identityOf(database, file) !== file.id) {
      throw new LogUnavailableError(`${file.path} is a different log than before; put that one back, or restart`)
    }
    return opened(file, place, database)
  } catch (error) {
    database.close()
    throw error
  }
}

const opened = (file: TopicFile, place: Place, database: DatabaseSync): OpenFile => {
  const bell = openBell(file.bell)
  const checkpoints = checkpointsOf(database)
  return {
    place,
    append: appenderOf(file, database),
    verify: verifierOf(file, place),
    afterwards: (batch) => {
      bell.ring()
      checkpoints.committed(batch)
    },
    close: () => {
      bell.close()
      database.close()
    },
  }
}

/**
 * Looks at the directory after each commit, and closer only when something in it was made, renamed or removed. The
 * write-ahead log is not looked at each time: Linux gives a file a fresh timestamp for every write that follows a
 * look, and flushing that costs more than the whole check.
 */
const verifierOf = (file: TopicFile, place: Place): (() => void) => {
  const wal = `${file.path}-wal`
  const walPlace = statOf(wal)
  let changedAt: number | undefined
  return () => {
    const directory = writable(file.directory)
    if (!sameInode(directory, place.directory)) throw vanished(file.directory)
    if (directory.mtimeMs === changedAt) return
    if (!sameInode(statOf(file.path), place.file)) throw vanished(file.path)
    if (!sameInode(statOf(wal), walPlace)) throw vanished(wal)
    changedAt = directory.mtimeMs
  }
}

const vanished = (path: string) => new LogUnavailableError(`${path} is gone; put it back`)

/** Appends batches, each in one transaction: one write, one flush, all of it or none. */
const appenderOf = ({ path }: TopicFile, database: DatabaseSync): OpenFile['append'] => {
  const lock = lockBy(database.prepare('BEGIN IMMEDIATE'))
  const newest = database.prepare('SELECT max("offset") AS last FROM records')
  const insert = database.prepare('INSERT INTO records ("offset", key, headers, value) VALUES (?, ?, ?, ?)')
  const commit = database.prepare('COMMIT')

  const append = (batch: Batch, least: number): number => {
    const last = newest.get()?.['last']
    const first = typeof last === 'number' ? last + 1 : 0
    // INVARIANT one-history: whatever came in the place of the log, it is the log only if nothing is missing.
    if (first < least)
      throw new LogUnavailableError(`${path} ends at ${first}, and ended at ${least}; restore the rest`)
    batch.forEach(({ key, headers, value }, i) => insert.run(first + i, key, headers, value))
    commit.run()
    lock.committed(first > least)
    return first
  }

  return (batch, least) => {
    lock.take()
    try {
      return append(batch, least)
    } catch (error) {
      if (database.isTransaction) database.exec('ROLLBACK')
      throw error
    }
  }
}
