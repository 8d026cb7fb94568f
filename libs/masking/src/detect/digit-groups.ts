import { byteAt, isDigit } from './characters.ts'

const GROUPS_MAX = 8
const DIGITS_MAX = 24

/**
 * Digits in groups, as people write numbers: `(415) 555-1234`, `4111 1111 1111 1111`. One object is used again and
 * again, because one is filled for every number in every text.
 */
export class DigitGroups {
  count = 0
  /** All digits of all groups, as numbers. */
  total = 0
  readonly digits = new Uint8Array(DIGITS_MAX)
  private readonly lengths = new Int32Array(GROUPS_MAX)
  private readonly ends = new Int32Array(GROUPS_MAX)
  /** The first byte of what stands behind each group. */
  private readonly separators = new Uint8Array(GROUPS_MAX)

  length(group: number): number {
    return this.lengths[group] ?? 0
  }

  end(group: number): number {
    return this.ends[group] ?? 0
  }

  digit(index: number): number {
    return this.digits[index] ?? 0
  }

  /** The byte between two groups: brackets and spaces count as the same. */
  separator(group: number): number {
    return this.separators[group] ?? 0
  }

  /** The digits of the first `groups` groups. */
  digitsIn(groups: number): number {
    let sum = 0
    for (let i = 0; i < groups; i++) sum += this.length(i)
    return sum
  }

  /** `length` digits from the `from`-th on, as a number. */
  value(from: number, length: number): number {
    let value = 0
    for (let i = from; i < from + length; i++) value = value * 10 + this.digit(i)
    return value
  }

  /** Reads the groups that begin at `at`, as many as there is room for. False: there are fewer than `min` digits. */
  read(bytes: Uint8Array, at: number, end: number, min: number): boolean {
    this.count = 0
    this.total = 0
    let i = at
    while (this.count < GROUPS_MAX) {
      i = this.readGroup(bytes, i, end)
      const next = i + separatorLength(bytes, i, end)
      if (next === i || next >= end || !isDigit(byteAt(bytes, next)) || this.total >= DIGITS_MAX) break
      this.separators[this.count - 1] = plainSeparator(byteAt(bytes, i))
      i = next
    }
    return this.total >= min
  }

  private readGroup(bytes: Uint8Array, at: number, end: number): number {
    let i = at
    for (; i < end; i++) {
      const digit = byteAt(bytes, i) - 0x30
      if (digit < 0 || digit > 9) break
      if (this.total < DIGITS_MAX) this.digits[this.total] = digit
      this.total += 1
    }
    this.lengths[this.count] = i - at
    this.ends[this.count] = i
    this.separators[this.count] = 0
    this.count += 1
    return i
  }
}

const SPACE = 0x20

/** How many bytes separate two groups: a sign, a bracket with a space, or a space or dash beyond ASCII. */
const separatorLength = (bytes: Uint8Array, at: number, end: number): number => {
  if (at >= end) return 0
  switch (byteAt(bytes, at)) {
    case 0x2d: // -
    case 0x2e: // .
    case 0x2f: // /
      return 1
    case SPACE:
      return byteAt(bytes, at + 1) === 0x28 ? 2 : 1 // " ("
    case 0x28: // (
      return 1
    case 0x29: {
      // ")", ") ", ")-"
      const next = byteAt(bytes, at + 1)
      return next === SPACE || next === 0x2d ? 2 : 1
    }
    case 0xc2: // no-break space
      return byteAt(bytes, at + 1) === 0xa0 ? 2 : 0
    case 0xe2: // thin and narrow spaces, hyphens and dashes
      return byteAt(bytes, at + 1) === 0x80 && isSpaceOrDash(byteAt(bytes, at + 2)) ? 3 : 0
    default:
      return 0
  }
}

const isSpaceOrDash = (last: number): boolean =>
  (last >= 0x80 && last <= 0x8a) || (last >= 0x90 && last <= 0x95) || last === 0xaf

const plainSeparator = (byte: number): number => (byte === 0x2d || byte === 0x2e || byte === 0x2f ? byte : SPACE)
