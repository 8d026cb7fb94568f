import { ByteWriter } from '../byte-writer.ts'
import { EDITED, KEPT, NULLED, REPLACED, type CellMask } from '../cells/cell-mask.ts'
import { MaskingError } from '../masking-error.ts'
import type { CopyColumns } from './copy-columns.ts'

const SIGNATURE = Buffer.from('PGCOPY\n\u00ff\r\n\0', 'latin1')
const HEADER = SIGNATURE.length + 8
const HAS_OIDS = 0x10000
const TRAILER = -1

/** What comes next in the stream. */
type Next = 'header' | 'extension' | 'count' | 'value' | 'passing' | 'nothing'

/**
 * Masks COPY's binary format, in whatever pieces it comes.
 *
 *   stream => signature flags extensionLength extension {count {length value}} -1
 *     flags, extensionLength, length => Int32   (length -1: NULL)
 *     count => Int16
 */
export class CopyBinary {
  private readonly columns: CopyColumns
  private next: Next = 'header'
  /** Bytes of the extension, or of a value that passes, which have not come yet. */
  private passing = 0
  private fieldsLeft = 0
  /** The beginning of something that has to be read as a whole and has not come whole yet. */
  private readonly held = new ByteWriter()
  private bytes: Buffer = Buffer.alloc(0)
  private at = 0
  private kept = 0
  private out: ByteWriter | undefined

  constructor(columns: CopyColumns) {
    this.columns = columns
  }

  push(bytes: Buffer): Buffer {
    this.bytes = bytes
    this.at = 0
    this.kept = 0
    this.out = undefined
    while (this.step());
    return this.finish()
  }

  end(): Buffer {
    if (this.next !== 'nothing') throw malformed('a binary COPY ends before its trailer')
    return Buffer.alloc(0)
  }

  /** One part of the stream; false when more bytes are needed. */
  private step(): boolean {
    switch (this.next) {
      case 'header':
        return this.header()
      case 'extension':
      case 'passing':
        return this.pass()
      case 'count':
        return this.count()
      case 'value':
        return this.value()
      case 'nothing':
        if (this.at < this.bytes.length) throw malformed('a binary COPY goes on after its trailer')
        return false
    }
  }

  private header(): boolean {
    const part = this.whole(HEADER)
    if (!part) return false
    if (SIGNATURE.compare(part.bytes, part.start, part.start + SIGNATURE.length) !== 0)
      throw malformed('a binary COPY has no signature')
    const flags = part.bytes.readInt32BE(part.start + SIGNATURE.length)
    if ((flags & HAS_OIDS) !== 0) throw malformed('a binary COPY carries row identifiers, which no server in use sends')
    this.passing = part.bytes.readInt32BE(part.start + SIGNATURE.length + 4)
    if (this.passing < 0) throw malformed('a binary COPY has a header of negative length')
    this.next = 'extension'
    return this.keep(HEADER)
  }

  private pass(): boolean {
    const count = Math.min(this.passing, this.bytes.length - this.at)
    this.at += count
    this.passing -= count
    if (this.passing > 0) return false
    if (this.next === 'extension') this.next = 'count'
    else this.leaveField()
    return true
  }

  private count(): boolean {
    const part = this.whole(2)
    if (!part) return false
    const count = part.bytes.readInt16BE(part.start)
    this.keep(2)
    if (count === TRAILER) {
      this.next = 'nothing'
      return true
    }
    if (count !== this.columns.count) {
      const message = `a row of COPY has ${count} columns where ${this.columns.count} were planned: it is stopped`
      throw new MaskingError('MASKING_PLAN_MISMATCH', message)
    }
    this.fieldsLeft = count
    this.next = count === 0 ? 'count' : 'value'
    return true
  }

  private value(): boolean {
    const head = this.whole(4)
    if (!head) return false
    const length = head.bytes.readInt32BE(head.start)
    if (length < -1) throw malformed('a value of a binary COPY has a negative length')
    const { cell } = this.columns
    if (length > 0 && !cell) {
      this.passing = length
      this.next = 'passing'
      return this.keep(4)
    }
    return this.maskValue(cell, length)
  }

  private maskValue(cell: CellMask | undefined, length: number): boolean {
    const size = 4 + Math.max(length, 0)
    if (cell) this.columns.bound(length)
    const part = this.whole(size)
    if (!part) return false
    const from = part.start + 4
    const outcome = cell && length >= 0 ? this.columns.mask(cell, part.bytes, from, part.start + size) : KEPT
    if (outcome === KEPT || outcome === EDITED) this.keep(size)
    else this.replace(size, outcome)
    this.leaveField()
    return true
  }

  private leaveField(): void {
    this.fieldsLeft -= 1
    this.next = this.fieldsLeft > 0 ? 'value' : 'count'
    if (this.fieldsLeft > 0) this.columns.nextColumn()
    else this.columns.nextRow(false)
  }

  /**
   * The next `count` bytes in one piece, which are not used up yet; undefined, and held back, while they are not all
   * here.
   */
  private whole(count: number): { readonly bytes: Buffer; readonly start: number } | undefined {
    if (this.held.length === 0) {
      if (this.at + count <= this.bytes.length) return { bytes: this.bytes, start: this.at }
      // All before is decided and is sent first.
      if (this.out) this.out.range(this.bytes, this.kept, this.at)
      else if (this.at > this.kept) this.writer().range(this.bytes, this.kept, this.at)
      this.kept = this.bytes.length
    }
    const taken = Math.min(Math.max(count - this.held.length, 0), this.bytes.length - this.at)
    this.held.range(this.bytes, this.at, this.at + taken)
    this.at += taken
    this.kept = Math.max(this.kept, this.at)
    return this.held.length >= count ? { bytes: this.held.bytes, start: 0 } : undefined
  }

  /** Uses up `count` bytes and sends them as they are. */
  private keep(count: number): true {
    if (this.held.length === 0) this.at += count
    else {
      this.writer().range(this.held.bytes, 0, count)
      this.held.clear()
      this.kept = this.at
    }
    return true
  }

  private replace(count: number, outcome: typeof REPLACED | typeof NULLED): void {
    const out = this.writer()
    if (this.held.length === 0) {
      out.range(this.bytes, this.kept, this.at)
      this.at += count
    } else this.held.clear()
    this.kept = this.at
    const { value } = this.columns
    out.int32(outcome === NULLED ? -1 : value.length)
    if (outcome === REPLACED) out.range(value.bytes, 0, value.length)
  }

  private writer(): ByteWriter {
    this.out ??= new ByteWriter(this.bytes.length + this.held.length + 64)
    return this.out
  }

  private finish(): Buffer {
    if (!this.out) return this.kept === 0 ? this.bytes.subarray(0, this.at) : Buffer.alloc(0)
    this.out.range(this.bytes, this.kept, this.at)
    return this.out.bytes.subarray(0, this.out.length)
  }
}

const malformed = (what: string): MaskingError => new MaskingError('MASKING_MALFORMED', `${what}: it is stopped`)
