/*
 * What masking usually is: each cell is decoded, goes through one regular expression after the other, and is encoded
 * again. It knows four kinds of values, JSON only as text, and takes any sixteen digits that pass Luhn for a card.
 */
const EMAIL = /[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}/g
const SOCIAL = /\b\d{3}-\d{2}-\d{4}\b/g
const CARD = /\b\d(?:[ -]?\d){12,18}\b/g
const PHONE = /(?:\+?1[-. ])?(?:\(\d{3}\) ?|\b\d{3}[-. ])\d{3}[-. ]\d{4}\b/g

const stars = (text: string): string => text.replaceAll(/\d(?=(?:\D*\d){4})/g, '*')

const hasLuhn = (text: string): boolean => {
  const digits = text.replaceAll(/\D/g, '')
  let sum = 0
  for (let i = 0; i < digits.length; i++) {
    const digit = Number(digits[digits.length - 1 - i]) * (i % 2 === 1 ? 2 : 1)
    sum += digit > 9 ? digit - 9 : digit
  }
  return sum % 10 === 0
}

const naiveText = (text: string): string =>
  text
    .replaceAll(EMAIL, (found) => `${found[0]}***@***`)
    .replaceAll(SOCIAL, stars)
    .replaceAll(CARD, (found) => (hasLuhn(found) ? stars(found) : found))
    .replaceAll(PHONE, stars)

let sink = 0

/** Builds the masked row anew; answers where the next one begins. */
export const naiveRow = (bytes: Buffer, start: number): number => {
  const count = bytes.readInt16BE(start + 5)
  const cells: Buffer[] = []
  let at = start + 7
  for (let i = 0; i < count; i++) {
    const length = bytes.readInt32BE(at)
    cells.push(Buffer.from(naiveText(bytes.toString('utf8', at + 4, at + 4 + length))))
    at += 4 + length
  }
  const row = Buffer.allocUnsafe(7 + cells.reduce((sum, cell) => sum + 4 + cell.length, 0))
  row[0] = 0x44
  row.writeInt32BE(row.length - 1, 1)
  row.writeInt16BE(count, 5)
  let to = 7
  for (const cell of cells) {
    to = row.writeInt32BE(cell.length, to)
    to += cell.copy(row, to)
  }
  sink += row.length
  return at
}

/** Keeps the work from being optimised away. */
export const sunk = (): number => sink
