import { CLASS_TRAITS, type DataClass, type MaskKind } from '../data-class.ts'
import { scan, type Depth } from '../detect/scan.ts'
import { Hits } from '../detect/hits.ts'
import type { PseudonymKey } from '../values/pseudonym.ts'
import { typeOf } from '../values/types.ts'
import { constantCell, KEPT, nullCell, type CellMask } from './cell-mask.ts'
import { textCell } from './text-cells.ts'
import { typedCell } from './typed-cells.ts'

/** How the parts of a value with parts (JSON, XML, an array) are masked. */
export interface LeafOptions {
  readonly kind: MaskKind
  readonly key?: PseudonymKey | undefined
}

const INT8 = 20

/** `partial` stands for what is usual for each class; every other kind is meant for all of them. */
export const kindFor = (dataClass: DataClass, kind: MaskKind): MaskKind =>
  kind === 'partial' || kind === 'year' ? CLASS_TRAITS[dataClass].defaultMask : kind

/** One cell for each class, made when it is first needed. */
export class LeafCells {
  private readonly texts = new Map<DataClass, CellMask>()
  private readonly numbers = new Map<DataClass, CellMask>()
  private readonly options: LeafOptions

  constructor(options: LeafOptions) {
    this.options = options
  }

  text(dataClass: DataClass): CellMask {
    return remembered(this.texts, dataClass, () =>
      textCell({
        class: dataClass,
        kind: kindFor(dataClass, this.options.kind),
        whole: false,
        limit: Number.POSITIVE_INFINITY,
        padded: false,
        key: this.options.key,
      }),
    )
  }

  /** For a number as it is written in JSON. */
  number(dataClass: DataClass): CellMask {
    return remembered(this.numbers, dataClass, () => numberCell(dataClass, this.options))
  }

  /** `true` and `false` tell what there is to tell, so nothing can be kept of them. */
  boolean(dataClass: DataClass): CellMask {
    const kind = kindFor(dataClass, this.options.kind)
    return kind === 'partial' || kind === 'year' ? falseCell : nullCell
  }
}

const falseCell = constantCell(Buffer.from('false'))

const remembered = (cells: Map<DataClass, CellMask>, dataClass: DataClass, make: () => CellMask): CellMask => {
  const known = cells.get(dataClass)
  if (known) return known
  const made = make()
  cells.set(dataClass, made)
  return made
}

const numberCell = (dataClass: DataClass, { kind, key }: LeafOptions): CellMask => {
  const type = typeOf(INT8)
  if (!type) return nullCell
  return typedCell({
    class: dataClass,
    kind: kindFor(dataClass, kind),
    whole: false,
    oid: INT8,
    type,
    format: 'text',
    key,
  })
}

/** A number that nobody classified: a payment card's is known by its check digit. */
export const foundNumberCell = (depth: Depth, cells: LeafCells): CellMask => {
  const hits = new Hits()
  return {
    apply: (bytes, start, end, out) => {
      scan(bytes, start, end, depth, hits)
      return hits.count === 0 ? KEPT : cells.number(hits.class(0)).apply(bytes, start, end, out)
    },
  }
}
