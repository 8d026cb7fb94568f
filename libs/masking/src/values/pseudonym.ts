import { createHmac } from 'node:crypto'
import type { DataClass } from '../data-class.ts'
import { MaskingError } from '../masking-error.ts'

/**
 * The key of one tenant. Without it a pseudonym cannot be checked against guesses, which an unkeyed hash of a
 * nine-digit number invites: all of them take a quarter of an hour.
 */
export type PseudonymKey = Uint8Array

const KEY_LENGTH_MIN = 16

export const checkedKey = (key: PseudonymKey | undefined): PseudonymKey => {
  if (key && key.length >= KEY_LENGTH_MIN) return key
  throw new MaskingError(
    'MASKING_NO_KEY',
    `pseudonyms need a key of at least ${KEY_LENGTH_MIN} bytes: configure one or use another mask`,
  )
}

/** HMAC-SHA-256 over the class and the value, so that equal values of one class, and only of one, stay equal. */
export const pseudonymDigest = (key: PseudonymKey, dataClass: DataClass, value: Uint8Array): Buffer =>
  createHmac('sha256', key).update(`${dataClass}\0`).update(value).digest()

const CROCKFORD = '0123456789abcdefghjkmnpqrstvwxyz'
const CHARACTERS = 16

/** 80 bits as text that cannot be taken for a real value: `~7k2m…`, for addresses `7k2m…@masked.invalid`. */
export const pseudonymText = (digest: Uint8Array, dataClass: DataClass, limit: number): string => {
  const word = Array.from({ length: CHARACTERS }, (_, i) => CROCKFORD[(digest[i] ?? 0) & 31]).join('')
  const full = dataClass === 'email' ? `${word}@masked.invalid` : `~${word}`
  return full.length <= limit ? full : word.slice(0, limit)
}

/** Below 2^31, 2^15 or 2^53 (which every client's number can hold), for integers of 4, 2 and 8 bytes. */
export const pseudonymNumber = (digest: Buffer, size: number): number => {
  if (size === 2) return digest.readUInt16BE(0) & 0x7fff
  return size === 4 ? digest.readUInt32BE(0) & 0x7fffffff : Number(digest.readBigUInt64BE(0) >> 11n)
}

/** SPEC: RFC 9562, version 8 (vendor-specific), so that nobody takes it for a random one. */
export const pseudonymUuid = (digest: Uint8Array): Buffer => {
  const uuid = Buffer.from(digest.subarray(0, 16))
  uuid[6] = ((uuid[6] ?? 0) & 0x0f) | 0x80
  uuid[8] = ((uuid[8] ?? 0) & 0x3f) | 0x80
  return uuid
}
