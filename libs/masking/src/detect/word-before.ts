import { byteAt, isLetter } from './characters.ts'

const GAP_MAX = 4
const WORD_MAX = 16

/** The word that stands just before this place, in lower case, and where it starts: `SSN: 078…` gives `ssn`. */
export const wordBefore = (bytes: Uint8Array, floor: number, at: number): { word: string; start: number } => {
  let wordEnd = at
  while (wordEnd > floor && at - wordEnd < GAP_MAX && !isLetter(byteAt(bytes, wordEnd - 1))) wordEnd--
  let start = wordEnd
  while (start > floor && wordEnd - start < WORD_MAX && isLetter(byteAt(bytes, start - 1))) start--
  return { word: String.fromCharCode(...bytes.subarray(start, wordEnd)).toLowerCase(), start }
}
