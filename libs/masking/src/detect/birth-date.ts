import { byteAt, isAlnum, isDigit } from './characters.ts'
import type { Hits } from './hits.ts'
import { wordBefore } from './word-before.ts'

/** `born 1986-09-23`, `date of birth: 23.09.1986`, `DOB 9/23/1986`: the end of the date that begins at `at`, or -1. */
export const birthDateAt = (bytes: Uint8Array, floor: number, at: number, end: number, hits: Hits): number => {
  const dateEnd = dateAt(bytes, at, end)
  return dateEnd > 0 && speaksOfBirth(bytes, floor, at) ? hits.add(at, dateEnd, 'birth-date') : -1
}

/** Three numbers with one sign between them, of which the first or the last is a year. */
const dateAt = (bytes: Uint8Array, at: number, end: number): number => {
  const first = digitsFrom(bytes, at, end)
  const sign = byteAt(bytes, at + first)
  if (first === 3 || first > 4 || !isSign(sign)) return -1
  const second = digitsFrom(bytes, at + first + 1, end)
  const next = at + first + 1 + second
  if (second < 1 || second > 2 || next >= end || byteAt(bytes, next) !== sign) return -1
  const third = digitsFrom(bytes, next + 1, end)
  const isDate = first === 4 ? third === 1 || third === 2 : third === 4 || third === 2
  const dateEnd = next + 1 + third
  return isDate && (dateEnd >= end || !isAlnum(byteAt(bytes, dateEnd))) ? dateEnd : -1
}

const digitsFrom = (bytes: Uint8Array, at: number, end: number): number => {
  let i = at
  while (i < end && i - at < 5 && isDigit(byteAt(bytes, i))) i++
  return i - at
}

const isSign = (byte: number): boolean => byte === 0x2d || byte === 0x2e || byte === 0x2f

/** The word before it says so, or the one before `on`, `the` and their like. */
const speaksOfBirth = (bytes: Uint8Array, floor: number, at: number): boolean => {
  let before = at
  for (let words = 0; words < 3; words++) {
    const { word, start } = wordBefore(bytes, floor, before)
    if (BIRTH_WORDS.has(word)) return true
    if (!FILLERS.has(word)) return false
    before = start
  }
  return false
}

const BIRTH_WORDS: ReadonlySet<string> = new Set(
  `born birth birthday birthdate dob bday geboren geb geburtsdatum geburtstag nacido nacida nacimiento nato nata nascita
  naissance nascido nascida nascimento geboortedatum`.split(/\s+/),
)
const FILLERS: ReadonlySet<string> = new Set('on the is was am el le il em op at in date of day'.split(' '))
