import { HEADER_BYTES } from '../body.ts'
import { ProtocolError } from '../errors.ts'

/**
 * CopyOutResponse => 'H' length format columnCount [columnFormat]
 *   format      => Int8
 *   columnCount => Int16
 */
export const readCopyColumnCount = (bytes: Buffer, start: number, end: number): number => {
  if (end - start < HEADER_BYTES + 3) throw new ProtocolError('PGWIRE_BAD_LENGTH', 'a CopyOutResponse without columns')
  return bytes.readInt16BE(start + HEADER_BYTES + 1)
}
