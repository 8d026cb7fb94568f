import type { ByteWriter } from '../byte-writer.ts'
import { labelOf, type DataClass } from '../data-class.ts'
import { byteAt, isSpace } from '../detect/characters.ts'
import { REPLACED, type CellMask } from './cell-mask.ts'
import { KeyClasses } from './key-classes.ts'
import type { LeafCells } from './leaf-cells.ts'
import { Patch } from './patch.ts'

const LESS = 0x3c
const GREATER = 0x3e
const AMPERSAND = 0x26
const SLASH = 0x2f
const EQUALS = 0x3d

/**
 * Masks the texts and attributes of an XML value, by the name of the element or attribute and by what they are. The
 * inside of comments, CDATA sections and instructions is scanned as text. A value that cannot be read is replaced.
 */
export class XmlMask implements CellMask {
  private readonly patch = new Patch()
  private readonly names = new KeyClasses()
  private readonly cells: LeafCells
  private readonly otherwise: CellMask
  private readonly base: DataClass | undefined
  private element: DataClass | undefined

  constructor(cells: LeafCells, otherwise: CellMask, base?: DataClass) {
    this.cells = cells
    this.otherwise = otherwise
    this.base = base
  }

  apply(bytes: Buffer, start: number, end: number, out: ByteWriter) {
    this.element = this.base
    this.patch.begin(bytes, start, out)
    if (this.content(bytes, start, end)) return this.patch.finish(end)
    this.patch.abandon()
    out.ascii(labelOf('unknown'))
    return REPLACED
  }

  private content(bytes: Buffer, start: number, end: number): boolean {
    let at = start
    while (at < end) {
      if (byteAt(bytes, at) === LESS) at = this.markup(bytes, at, end)
      else {
        const textEnd = indexOf(bytes, LESS, at, end)
        this.text(bytes, at, textEnd)
        at = textEnd
      }
      if (at < 0) return false
    }
    return true
  }

  /** An element's tag, or what is not to be read as text. Answers its end, or -1. */
  private markup(bytes: Buffer, at: number, end: number): number {
    const second = byteAt(bytes, at + 1)
    if (second === 0x21 || second === 0x3f) return this.section(bytes, at, end)
    const isClosing = second === SLASH
    let i = nameEnd(bytes, at + 1 + (isClosing ? 1 : 0), end)
    this.element = isClosing ? this.base : this.classOf(bytes, at + 1, i)
    while (i < end && byteAt(bytes, i) !== GREATER) {
      i = isSpace(byteAt(bytes, i)) || byteAt(bytes, i) === SLASH ? i + 1 : this.attribute(bytes, i, end)
      if (i < 0) return -1
    }
    return i < end ? i + 1 : -1
  }

  private attribute(bytes: Buffer, at: number, end: number): number {
    const name = nameEnd(bytes, at, end)
    const quote = byteAt(bytes, name + 1)
    if (name === at || byteAt(bytes, name) !== EQUALS || (quote !== 0x22 && quote !== 0x27)) return -1
    const valueEnd = indexOf(bytes, quote, name + 2, end)
    if (valueEnd === end) return -1
    this.leaf(bytes, this.classOf(bytes, at, name), name + 2, valueEnd)
    return valueEnd + 1
  }

  /** `<!-- … -->`, `<![CDATA[ … ]]>`, `<? … ?>`, `<!DOCTYPE … >`. */
  private section(bytes: Buffer, at: number, end: number): number {
    const opening = SECTIONS.find(([from]) => bytes.toString('latin1', at, Math.min(end, at + from.length)) === from)
    if (!opening) return -1
    const [from, to] = opening
    const close = bytes.subarray(0, end).indexOf(to, at + from.length, 'latin1')
    if (close < 0) return -1
    const cell = this.element ? this.cells.text(this.element) : this.otherwise
    this.patch.mask(cell, at + from.length, close, writeWithoutMarkup, '')
    return close + to.length
  }

  private text(bytes: Buffer, start: number, end: number): void {
    let from = start
    while (from < end && isSpace(byteAt(bytes, from))) from++
    if (from < end) this.leaf(bytes, this.element, from, end)
  }

  private leaf(bytes: Buffer, dataClass: DataClass | undefined, start: number, end: number): void {
    const cell = dataClass ? this.cells.text(dataClass) : this.otherwise
    const hasEntity = indexOf(bytes, AMPERSAND, start, end) < end
    this.patch.mask(cell, start, end, writeEscaped, '', hasEntity ? unescapeXml : undefined)
  }

  private classOf(bytes: Buffer, start: number, end: number): DataClass | undefined {
    return this.names.verdictOf(bytes, start, end).class ?? this.base
  }
}

const SECTIONS: readonly (readonly [string, string])[] = [
  ['<!--', '-->'],
  ['<![CDATA[', ']]>'],
  ['<?', '?>'],
  ['<!', '>'],
]

const indexOf = (bytes: Uint8Array, byte: number, from: number, end: number): number => {
  let i = from
  while (i < end && byteAt(bytes, i) !== byte) i++
  return i
}

const nameEnd = (bytes: Uint8Array, at: number, end: number): number => {
  let i = at
  while (
    i < end &&
    !isSpace(byteAt(bytes, i)) &&
    byteAt(bytes, i) !== GREATER &&
    byteAt(bytes, i) !== SLASH &&
    byteAt(bytes, i) !== EQUALS
  )
    i++
  return i
}

const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" }
const ENTITY_LENGTH_MAX = 12

const unescapeXml = (bytes: Uint8Array, start: number, end: number, out: ByteWriter): void => {
  let i = start
  while (i < end) {
    const semicolon =
      byteAt(bytes, i) === AMPERSAND ? indexOf(bytes, 0x3b, i, Math.min(end, i + ENTITY_LENGTH_MAX)) : end
    const character =
      semicolon < end ? characterOf(String.fromCharCode(...bytes.subarray(i + 1, semicolon))) : undefined
    if (character === undefined) out.byte(byteAt(bytes, i++))
    else {
      out.text(character)
      i = semicolon + 1
    }
  }
}

const characterOf = (entity: string): string | undefined => {
  const code = /^#(?:x([0-9a-f]+)|(\d+))$/i.exec(entity)
  if (!code) return Object.hasOwn(ENTITIES, entity) ? ENTITIES[entity] : undefined
  const point = Number.parseInt(code[1] ?? code[2] ?? '', code[1] ? 16 : 10)
  return point <= 0x10ffff ? String.fromCodePoint(point) : undefined
}

const writeEscaped = (bytes: Uint8Array, start: number, end: number, out: ByteWriter): void => {
  for (let i = start; i < end; i++) {
    const byte = byteAt(bytes, i)
    if (byte === LESS) out.ascii('&lt;')
    else if (byte === AMPERSAND) out.ascii('&amp;')
    else if (byte === 0x22) out.ascii('&quot;')
    else if (byte === 0x27) out.ascii('&apos;')
    else out.byte(byte)
  }
}

/** Nothing that could end a comment or a CDATA section early. */
const writeWithoutMarkup = (bytes: Uint8Array, start: number, end: number, out: ByteWriter): void => {
  for (let i = start; i < end; i++) {
    const byte = byteAt(bytes, i)
    out.byte(byte === GREATER || byte === LESS ? 0x20 : byte)
  }
}
