import { hash } from 'node:crypto'
import type { Digest } from '@countersign/contracts'

/**
 * What an approval is bound to, and what an auditor can compute from the statement.
 *
 * FORMAT statement-digest/1
 *   without parameters: SHA-256(text)
 *   with parameters:    SHA-256(text, 0x00, formats and parameters as they lie in the Bind message)
 * `text` is the whole text of the client's message, in UTF-8, as it was sent. A text holds no zero byte, so the two
 * forms cannot be mistaken for each other.
 */
export const statementDigest = (text: Buffer, parameterBytes: Buffer | undefined): Digest =>
  hash('sha256', parameterBytes ? Buffer.concat([text, ZERO, parameterBytes]) : text, 'hex') as Digest

const ZERO = Buffer.alloc(1)
