import { byteAt } from '../detect/characters.ts'

/** No control characters but white space. Whether it is good UTF-8 matters to nobody here. */
export const looksLikeText = (bytes: Uint8Array, start: number, end: number): boolean => {
  for (let i = start; i < end; i++) {
    const byte = byteAt(bytes, i)
    if (byte < 0x20 && byte !== 0x09 && byte !== 0x0a && byte !== 0x0d) return false
  }
  return true
}
