import { ByteWriter } from '../byte-writer.ts'
import { labelOf, type DataClass } from '../data-class.ts'
import { byteAt, isDigit } from '../detect/characters.ts'
import type { Depth } from '../detect/scan.ts'
import { REPLACED, type CellMask, type Outcome } from './cell-mask.ts'
import { jsonStringEnd, literalEnd, plainStringEnd, unescapeJson, writeJsonString } from './json-text.ts'
import { KeyClasses, type KeyVerdict } from './key-classes.ts'
import { foundNumberCell, LeafCells, type LeafOptions } from './leaf-cells.ts'
import { Patch } from './patch.ts'
import { scanCell, textOrJsonCell, type TryMask } from './scan-cell.ts'

export interface JsonOptions extends LeafOptions {
  readonly depth: Depth
  /** All leaves are of this class, unless their key says another. Absent: only what keys and values say. */
  readonly class?: DataClass
}

/** JSON in JSON in JSON: so deep it is read, then it is text. */
const NESTING_MAX = 4

const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d
const OPEN_ARRAY = 0x5b
const CLOSE_ARRAY = 0x5d
const QUOTE = 0x22
const LETTER_N = 0x6e

/** One object or array that is open. */
interface Level {
  isObject: boolean
  class: DataClass | undefined
  isPerson: boolean
}

/**
 * Masks the leaves of a JSON text and leaves the rest as it is, byte for byte, so that it stays valid JSON. A key that
 * names something sensitive masks everything below it, numbers too; what stands under other keys is looked through for
 * values, after its escapes have been read.
 */
export class JsonMask implements TryMask {
  private readonly patch = new Patch()
  private readonly keys = new KeyClasses()
  private readonly cells: LeafCells
  private readonly scanned: CellMask
  private readonly scannedNumber: CellMask
  private readonly levels: Level[] = []
  private readonly key = new ByteWriter(64)
  private depth = 0

  private bytes: Buffer = Buffer.alloc(0)
  private at = 0
  private end = 0
  /** What the latest key said. */
  private keyClass: DataClass | undefined
  private keyIsPerson = false
  /** Whether the latest string holds escapes. */
  private isEscaped = false

  private readonly options: JsonOptions

  constructor(options: JsonOptions, nesting = 1) {
    this.options = options
    this.cells = new LeafCells(options)
    this.scannedNumber = foundNumberCell('certain', this.cells)
    const plain = scanCell(options.depth, { kind: options.kind, limited: false, key: options.key })
    this.scanned =
      nesting < NESTING_MAX
        ? textOrJsonCell(
            plain,
            lazily(() => new JsonMask(options, nesting + 1)),
          )
        : plain
  }

  /** Undefined when it is no JSON; nothing has been appended then. */
  tryApply(bytes: Buffer, start: number, end: number, out: ByteWriter): Outcome | undefined {
    this.bytes = bytes
    this.at = start
    this.end = end
    this.depth = 0
    this.keyClass = this.options.class
    this.keyIsPerson = false
    this.patch.begin(bytes, start, out)
    if (this.document()) return this.patch.finish(end)
    this.patch.abandon()
    return undefined
  }

  private document(): boolean {
    do {
      if (!this.value()) return false
      // After a value: close what ends here, until something goes on.
      for (;;) {
        this.skipSpace()
        if (this.depth === 0) return this.at === this.end
        if (!this.take(this.level().isObject ? CLOSE_OBJECT : CLOSE_ARRAY)) break
        this.depth -= 1
      }
      if (!this.take(0x2c)) return false
    } while (this.enterMember())
    return false
  }

  /** Reads a value; of an object or array that is not empty only its beginning, up to its first leaf. */
  private value(): boolean {
    for (;;) {
      this.skipSpace()
      const byte = byteAt(this.bytes, this.at)
      if (this.at >= this.end) return false
      if (byte !== OPEN_OBJECT && byte !== OPEN_ARRAY) return this.leaf(byte)
      this.at += 1
      this.open(byte === OPEN_OBJECT)
      this.skipSpace()
      if (this.take(byte === OPEN_OBJECT ? CLOSE_OBJECT : CLOSE_ARRAY)) {
        this.depth -= 1
        return true
      }
      if (!this.enterMember()) return false
    }
  }

  private open(isObject: boolean): void {
    const level = this.levels[this.depth]
    if (level) {
      level.isObject = isObject
      level.class = this.keyClass
      level.isPerson = this.keyIsPerson
    } else this.levels.push({ isObject, class: this.keyClass, isPerson: this.keyIsPerson })
    this.depth += 1
  }

  private level(): Level {
    return this.levels[this.depth - 1] ?? { isObject: false, class: undefined, isPerson: false }
  }

  /** Reads the key of the next member, if this is an object, and takes over what it says. */
  private enterMember(): boolean {
    const { isObject, class: inherited, isPerson } = this.level()
    this.keyClass = inherited
    this.keyIsPerson = isPerson
    if (!isObject) return true
    this.skipSpace()
    if (!this.take(QUOTE)) return false
    const start = this.at
    if (!this.toStringEnd()) return false
    this.obey(this.readKey(start, this.at), inherited, isPerson)
    this.at += 1
    this.skipSpace()
    return this.take(0x3a)
  }

  private readKey(start: number, end: number): KeyVerdict {
    const verdict = this.keyVerdict(start, end)
    if (verdict.holdsValue) this.string(this.scanned, start, end)
    return verdict
  }

  private keyVerdict(start: number, end: number): KeyVerdict {
    if (!this.isEscaped) return this.keys.verdictOf(this.bytes, start, end)
    unescapeJson(this.bytes, start, end, this.key.clear())
    return this.keys.verdictOf(this.key.bytes, 0, this.key.length)
  }

  private obey(verdict: KeyVerdict, inherited: DataClass | undefined, inPerson: boolean): void {
    this.keyClass = (inPerson ? verdict.classInPerson : verdict.class) ?? inherited
    this.keyIsPerson = verdict.isPerson
  }

  private leaf(byte: number): boolean {
    if (byte === QUOTE) return this.stringLeaf()
    const start = this.at
    this.at = literalEnd(this.bytes, start, this.end)
    if (this.at < 0) return false
    const isNumber = byte === 0x2d || isDigit(byte)
    if (isNumber) this.literal(this.keyClass ? this.cells.number(this.keyClass) : this.scannedNumber, start)
    else if (this.keyClass && byte !== LETTER_N) this.literal(this.cells.boolean(this.keyClass), start)
    return true
  }

  private literal(cell: CellMask, start: number): void {
    this.patch.mask(cell, start, this.at, asItIs, 'null')
  }

  private stringLeaf(): boolean {
    this.at += 1
    const start = this.at
    if (!this.toStringEnd()) return false
    this.string(this.keyClass ? this.cells.text(this.keyClass) : this.scanned, start, this.at)
    this.at += 1
    return true
  }

  /** Goes to the quote that ends the string, and notes whether it holds escapes. */
  private toStringEnd(): boolean {
    this.at = plainStringEnd(this.bytes, this.at, this.end)
    this.isEscaped = this.at < this.end && this.bytes[this.at] !== QUOTE
    if (this.isEscaped) this.at = jsonStringEnd(this.bytes, this.at, this.end)
    return this.at >= 0 && this.at < this.end
  }

  /**
   * The quotes belong to the part: it may become `null`, and what is read without escapes is written with them. A leaf
   * without escapes is masked where it lies, quotes and all staying outside of it.
   */
  private string(cell: CellMask, start: number, end: number): void {
    if (this.isEscaped) {
      this.patch.mask(cell, start - 1, end + 1, writeJsonString, 'null', unescapeQuoted)
    } else this.patch.maskInside(cell, start, end, 1, writeJsonString, 'null')
  }

  private skipSpace(): void {
    while (this.at < this.end && isJsonSpace(byteAt(this.bytes, this.at))) this.at += 1
  }

  private take(byte: number): boolean {
    if (this.at >= this.end || this.bytes[this.at] !== byte) return false
    this.at += 1
    return true
  }
}

const unescapeQuoted = (bytes: Uint8Array, start: number, end: number, out: ByteWriter): void =>
  unescapeJson(bytes, start + 1, end - 1, out)

const asItIs = (bytes: Uint8Array, start: number, end: number, out: ByteWriter): void => out.range(bytes, start, end)

const isJsonSpace = (byte: number): boolean => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09

/** Most texts hold no JSON, so that its mask is made when one does. */
export const lazily = (make: () => TryMask): TryMask => {
  let made: TryMask | undefined
  return {
    tryApply: (bytes, start, end, out) => {
      made ??= make()
      return made.tryApply(bytes, start, end, out)
    },
  }
}

/** A value of type json or jsonb. One that cannot be read is replaced as a whole. */
export const jsonCell = (options: JsonOptions): CellMask => {
  const mask = new JsonMask(options)
  return {
    apply: (bytes, start, end, out) => {
      const outcome = mask.tryApply(bytes, start, end, out)
      if (outcome !== undefined) return outcome
      out.ascii(`"${labelOf('unknown')}"`)
      return REPLACED
    },
  }
}

/** jsonb and jsonpath in the binary format: the byte 1 (the version), and then the text. */
export const versionedCell = (cell: CellMask): CellMask => ({
  apply: (bytes, start, end, out) => {
    const from = out.length
    out.byte(1)
    const outcome = cell.apply(bytes, start + 1, end, out)
    if (outcome !== REPLACED) out.length = from
    return outcome
  },
})
