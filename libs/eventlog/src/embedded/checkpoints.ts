import type { DatabaseSync } from 'node:sqlite'
import type { Batch } from './batch.ts'

/** Moves what is committed from the write-ahead log into the file itself, before the former grows long. */
export interface Checkpoints {
  committed(batch: Batch): void
}

/** What goes into the write-ahead log between two checkpoints: more makes longer pauses, less makes more of them. */
const INTERVAL_BYTES = 512 * 1024
/** Roughly: a record's key and headers, and the page that each commit begins in. */
const RECORD_OVERHEAD_BYTES = 512
const COMMIT_OVERHEAD_BYTES = 4_096
/** When the write-ahead log has grown to this many pages of 4 KiB, it must begin anew. */
const PAGES_MAX = 1_024
/** How long writers of other processes may be held up for that. */
const RESTART_TIMEOUT_MS = 5

/**
 * SQLite's own checkpoints never finish while several processes write without a pause: whatever one of them moves,
 * another has added to by then, so that the log grows and every commit tries again. Here most is moved beside the
 * other writers, and now and then they are held up for the little that is left.
 */
export const checkpointsOf = (database: DatabaseSync): Checkpoints => {
  database.exec('PRAGMA wal_autocheckpoint = 0')
  const move = database.prepare('PRAGMA wal_checkpoint(PASSIVE)')
  let bytes = 0
  return {
    committed: (batch) => {
      bytes += COMMIT_OVERHEAD_BYTES
      for (const { value } of batch) bytes += value.byteLength + RECORD_OVERHEAD_BYTES
      if (bytes < INTERVAL_BYTES) return
      bytes = 0
      if (Number(move.get()?.['log']) > PAGES_MAX) restart(database)
    },
  }
}

const restart = (database: DatabaseSync): void =>
  database.exec(`
    PRAGMA busy_timeout = ${RESTART_TIMEOUT_MS};
    PRAGMA wal_checkpoint(RESTART);
    PRAGMA busy_timeout = 0;
  `)
