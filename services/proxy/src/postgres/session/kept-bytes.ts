import type { Meaning } from './meaning.ts'

/** About what an entry costs beside its texts. */
const ENTRY_BYTES = 2_048

/**
 * What a session makes the node keep: the texts of prepared statements and cursors, the parameters of portals.
 *
 * Counted roughly as messages come, and exactly when that comes to the limit, so that an ordinary message costs an
 * addition.
 */
export class KeptBytes {
  readonly #meaning: Meaning
  readonly #bytesMax: number
  #atMost = 0

  constructor(meaning: Meaning, bytesMax: number) {
    this.#meaning = meaning
    this.#bytesMax = bytesMax
  }

  /** False when there is no room for a message of this length. */
  hasRoomFor(length: number): boolean {
    this.#atMost += ENTRY_BYTES + 2 * length
    if (this.#atMost <= this.#bytesMax) return true
    const before = keptBy(this.#meaning)
    this.#atMost = before + ENTRY_BYTES + 2 * length
    if (this.#atMost <= this.#bytesMax) return true
    this.#atMost = before
    return false
  }
}

const keptBy = ({ prepared, portals, cursors }: Meaning): number => {
  let bytes = 0
  for (const { textBytes } of prepared.values()) bytes += ENTRY_BYTES + 2 * textBytes.length
  for (const { parameterBytes } of portals.values()) bytes += ENTRY_BYTES + (parameterBytes?.length ?? 0)
  for (const { text } of cursors.values()) bytes += ENTRY_BYTES + 2 * text.length
  return bytes
}
