import { cstring, message } from '../message.ts'
import { Body, HEADER_BYTES } from '../body.ts'
import { FRONTEND } from '../tags.ts'

/*
 * Query => 'Q' length sql
 *   sql => String
 */

/** The text's bytes, which share memory with the message. */
export const readQuery = (bytes: Buffer, start: number, end: number): Buffer => {
  const body = new Body(bytes, start + HEADER_BYTES, end)
  const sql = body.cbytes()
  body.end()
  return sql
}

export const query = (sql: string): Buffer => message(FRONTEND.query, cstring(sql))
