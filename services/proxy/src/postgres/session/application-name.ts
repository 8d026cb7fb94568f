import type { SessionId } from '@countersign/contracts'
import { dataRow, readDataRow } from '@countersign/pgwire'
import type { RowPlan } from '../../statement/judgement.ts'

/** NAMEDATALEN - 1: the server cuts off what is longer. */
const NAME_BYTES_MAX = 63

/**
 * FORMAT application-name/1: `countersign <session> <client's own name>`, at most 63 bytes of printable ASCII. So the
 * server's own views, and its log, tell which session of ours a statement belongs to, and which ones came by another way.
 */
export const markedName = (sessionId: SessionId, own: string): string =>
  `countersign ${sessionId} ${own.replaceAll(/[^\x20-\x7e]/g, '?')}`.slice(0, NAME_BYTES_MAX).trimEnd()

/** A mark may have cut a name off: so many are remembered whole, for when the server comes back to one. */
const REMEMBERED_MAX = 16

/** The name that a client goes by: to itself the one it has given, to the server a marked one. */
export class ApplicationName {
  readonly #sessionId: SessionId
  readonly #whole = new Map<string, string>()
  #own: string
  /** Given since, and not marked yet. */
  #unmarked = false

  constructor(sessionId: SessionId, own: string) {
    this.#sessionId = sessionId
    this.#own = own
    this.#whole.set(markedName(sessionId, own), own)
  }

  /** What the server is to be told, when it has another name. */
  get mark(): string | undefined {
    return this.#unmarked ? markedName(this.#sessionId, this.#own) : undefined
  }

  /** The server says that this is the name now. Returns the name that the client knows, when that is another one. */
  said(name: string): string | undefined {
    const before = this.#own
    const prefix = markedName(this.#sessionId, '')
    this.#unmarked = name !== prefix && !name.startsWith(`${prefix} `)
    if (this.#unmarked) this.#give(name)
    else this.#own = this.#whole.get(name) ?? name.slice(prefix.length + 1)
    return this.#own === before ? undefined : this.#own
  }

  #give(name: string): void {
    this.#own = name
    if (this.#whole.size >= REMEMBERED_MAX) this.#whole.clear()
    this.#whole.set(markedName(this.#sessionId, name), name)
  }

  /** What SHOW answers. */
  shown(): RowPlan {
    return {
      apply: (bytes, start, end) => {
        const [value] = readDataRow(bytes, start, end)
        return value === null || value === undefined ? undefined : dataRow([this.#own])
      },
      masked: () => [],
    }
  }
}
