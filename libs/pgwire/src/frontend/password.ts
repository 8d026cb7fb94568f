import { Body, HEADER_BYTES } from '../body.ts'

/*
 * PasswordMessage => 'p' length password
 *   password => String
 */

/** The password's bytes, which share memory with the message: hash them, then forget them. */
export const readPassword = (bytes: Buffer, start: number, end: number): Buffer => {
  const body = new Body(bytes, start + HEADER_BYTES, end)
  const password = body.cbytes()
  body.end()
  return password
}
