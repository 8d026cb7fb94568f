import { DatabaseSync, type SQLOutputValue, type StatementSync } from 'node:sqlite'
import { CursorOutOfRangeError, LogUnavailableError, type LogRecord } from '../event-log.ts'
import { sameInode, statOf, type Inode } from './place.ts'
import { faultIn } from './sqlite-fault.ts'
import { endOf, identityOf, type TopicFile } from './topic-file.ts'

/** Reads one topic in the caller's thread. A read is short, and never stands in the way of a writer. */
export interface TopicReader {
  /** Records from an offset on, as many as the limits allow. Throws `LogUnavailableError`, `CursorOutOfRangeError`. */
  read(from: number, limit: number, bytesMax: number): readonly LogRecord[]
  end(): number
  close(): void
}

export const openTopicReader = (file: TopicFile): TopicReader => {
  let open: OpenFile | undefined
  /** How far the log has been seen to reach. A file that does not reach as far is not all of it. */
  let reach = 0

  const close = () => {
    open?.database.close()
    open = undefined
  }

  const opened = (): OpenFile => {
    const inode = statOf(file.path)
    // A log that was moved away is still the log: what it holds may be read until another takes its place.
    if (open && (!inode || sameInode(inode, open.inode))) return open
    if (!inode) throw new LogUnavailableError(`${file.path} is gone; put it back`)
    close()
    open = openFile(file, inode)
    return open
  }

  const orFault = <T>(act: () => T): T => {
    try {
      return act()
    } catch (error) {
      const fault = faultIn(file.path, error)
      if (fault !== error) close()
      throw fault
    }
  }

  const read = (from: number, limit: number, bytesMax: number): readonly LogRecord[] => {
    const now = opened()
    const found = portion(file, now.records.iterate(from, limit), bytesMax)
    const last = found.at(-1)
    if (last) reach = Math.max(reach, last.offset + 1)
    else if (from > reach || !now.checked) reach = rangeEnd(file, now.database, from, reach)
    now.checked = true
    return found
  }

  return {
    read: (from, limit, bytesMax) => orFault(() => read(from, limit, bytesMax)),
    end: () => orFault(() => endOf(opened().database)),
    close,
  }
}

interface OpenFile {
  readonly database: DatabaseSync
  readonly inode: Inode
  readonly records: StatementSync
  /** Whether this file is known to reach as far as it must. */
  checked: boolean
}

const openFile = (file: TopicFile, inode: Inode): OpenFile => {
  const database = new DatabaseSync(file.path, { readOnly: true, timeout: 100 })
  try {
    if (identityOf(database, file) !== file.id) throw new LogUnavailableError(`${file.path} is a different log now`)
    const records = database.prepare(
      'SELECT "offset", key, headers, value FROM records WHERE "offset" >= ? ORDER BY "offset" LIMIT ?',
    )
    return { database, inode, records, checked: false }
  } catch (error) {
    database.close()
    throw error
  }
}

const portion = (
  file: TopicFile,
  rows: Iterable<Record<string, SQLOutputValue>>,
  bytesMax: number,
): readonly LogRecord[] => {
  const found: LogRecord[] = []
  let bytes = 0
  for (const row of rows) {
    const record = recordOf(file, row)
    found.push(record)
    bytes += record.value.byteLength
    if (bytes >= bytesMax) break
  }
  return found
}

/**
 * Where the log ends. A cursor beyond it was not made by this log, and waiting there would skip what comes until
 * then; but one that has already been reached here is right, and the file is not.
 */
const rangeEnd = (file: TopicFile, database: DatabaseSync, from: number, reach: number): number => {
  const end = endOf(database)
  if (end < reach) throw new LogUnavailableError(`${file.path} ends at ${end}, and ended at ${reach}; restore the rest`)
  if (from > end) throw new CursorOutOfRangeError(file.topic, { partition: 0, offset: from }, { start: 0, end })
  return end
}

const recordOf = ({ topic }: TopicFile, row: Record<string, SQLOutputValue>): LogRecord => {
  const { offset, key, headers, value } = row
  if (typeof offset !== 'number' || typeof key !== 'string' || typeof headers !== 'string' || !isBytes(value)) {
    throw new LogUnavailableError(`a record of ${topic} has not the form that it was written in`)
  }
  return { topic, partition: 0, offset, key, headers: headersOf(headers), value }
}

const isBytes = (value: SQLOutputValue | undefined): value is Uint8Array<ArrayBuffer> => value instanceof Uint8Array

const headersOf = (json: string) => JSON.parse(json) as Readonly<Record<string, string>>
