import { Body, HEADER_BYTES } from '../body.ts'

/*
 * CopyFail => 'f' length because
 *   because => String
 */

/** Why the client gives up, in its own words. */
export const readCopyFail = (bytes: Buffer, start: number, end: number): string => {
  const body = new Body(bytes, start + HEADER_BYTES, end)
  const because = body.cstring()
  body.end()
  return because
}
