import { LogUnavailableError } from '../event-log.ts'

/** SQLite's primary result codes that say something to an operator (https://sqlite.org/rescode.html). */
const BUSY = 5
const PROTOCOL = 15

const REASONS: Readonly<Record<number, string>> = {
  3: 'may not be opened; check its permissions',
  [BUSY]: 'is locked by another process; look for one that is stopped or hangs',
  8: 'is read-only; make it writable',
  10: 'had an input/output error; check the disk',
  11: 'is damaged; restore it from a backup',
  13: 'does not fit: the disk is full; free some space',
  14: 'cannot be opened; check that it is there and its permissions',
  [PROTOCOL]: 'is locked by another process; look for one that is stopped or hangs',
  26: 'is not a log file; restore it from a backup',
}

/** Someone else holds the lock just now. */
export const isBusy = (error: unknown): boolean => {
  const code = resultCode(error)
  return code === BUSY || code === PROTOCOL
}

/** What SQLite or the system could not do, as the caller of a log is told. Anything else comes back as it is. */
export const faultIn = (path: string, error: unknown): unknown => {
  const reason = reasonOf(error)
  return reason === undefined ? error : new LogUnavailableError(`${path} ${reason}`, { cause: error })
}

const reasonOf = (error: unknown): string | undefined => {
  const code = resultCode(error)
  if (code !== undefined) return REASONS[code] ?? `failed with SQLite code ${code}`
  if (error instanceof Error && 'syscall' in error && 'code' in error) return `failed with ${String(error.code)}`
  return undefined
}

/** The primary code is the low byte of the extended one. */
const resultCode = (error: unknown): number | undefined => {
  if (!(error instanceof Error) || !('errcode' in error)) return undefined
  return typeof error.errcode === 'number' ? error.errcode & 0xff : undefined
}
