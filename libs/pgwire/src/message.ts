import { HEADER_BYTES } from './body.ts'

/** A message with this tag over these parts of a body. */
export const message = (tag: number, ...parts: readonly Uint8Array[]): Buffer => {
  let length = HEADER_BYTES
  for (const part of parts) length += part.length
  const bytes = Buffer.allocUnsafe(length)
  bytes.writeUInt8(tag, 0)
  bytes.writeInt32BE(length - 1, 1)
  let at = HEADER_BYTES
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}

export const cstring = (text: string): Buffer => Buffer.from(`${text}\0`, 'utf8')

export const int32 = (value: number): Buffer => {
  const bytes = Buffer.allocUnsafe(4)
  bytes.writeInt32BE(value)
  return bytes
}

/** Signed or not: a count may be as high as 65,535. */
export const int16 = (value: number): Buffer => {
  const bytes = Buffer.allocUnsafe(2)
  bytes.writeUInt16BE(value & 0xffff)
  return bytes
}
