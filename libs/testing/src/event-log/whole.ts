import { createHash, randomBytes } from 'node:crypto'
import type { LogRecord, NewRecord } from '@countersign/eventlog'

const DIGEST_BYTES = 32

/** A record of a given size that shows whether it came back as it was: its value begins with a digest of the rest. */
export const wholeRecord = (key: string, id: string, bytes: number): NewRecord => {
  const rest = randomBytes(bytes)
  return { key, headers: { id }, value: Buffer.concat([digestOf(key, id, rest), rest]) }
}

export const isWhole = ({ key, headers, value }: LogRecord): boolean => {
  const rest = value.subarray(DIGEST_BYTES)
  return digestOf(key, headers['id'] ?? '', rest).equals(value.subarray(0, DIGEST_BYTES))
}

const digestOf = (key: string, id: string, rest: Uint8Array) =>
  createHash('sha256').update(`${key}\n${id}\n`).update(rest).digest()
