/** A part of sqlparser-ts's tree. What of it is not read by name is refused: see `done`. */
export class JsonNode {
  readonly #fields: Readonly<Record<string, unknown>>
  readonly #read = new Set<string>()
  readonly #where: string

  constructor(value: unknown, where: string) {
    if (!isRecord(value)) throw new UnreadError(where)
    this.#fields = value
    this.#where = where
  }

  value(name: string): unknown {
    this.#read.add(name)
    return this.#fields[name]
  }

  has(name: string): boolean {
    return !isEmpty(this.value(name))
  }

  node(name: string): JsonNode {
    return new JsonNode(this.value(name), `${this.#where}.${name}`)
  }

  list(name: string): readonly unknown[] {
    const value = this.value(name)
    if (value === null || value === undefined) return []
    if (!Array.isArray(value)) throw new UnreadError(`${this.#where}.${name}`)
    return value
  }

  text(name: string): string {
    const value = this.value(name)
    if (typeof value !== 'string') throw new UnreadError(`${this.#where}.${name}`)
    return value
  }

  /** These may be anything: where something stands, how it is spelt. */
  ignore(...names: readonly string[]): this {
    for (const name of names) this.#read.add(name)
    return this
  }

  /** Refuses a part that says something which nobody has read. */
  done(): void {
    const left = Object.entries(this.#fields).find(([name, value]) => !this.#read.has(name) && !isEmpty(value))
    if (left) throw new UnreadError(`${this.#where}.${left[0]}`)
  }
}

/** `{ "Name": content }`, or `"Name"` alone. */
export const variantOf = (value: unknown, where: string): readonly [name: string, content: unknown] => {
  if (typeof value === 'string') return [value, undefined]
  const entries = isRecord(value) ? Object.entries(value) : []
  const [entry, second] = entries
  if (!entry || second) throw new UnreadError(where)
  return entry
}

/** A part of a statement that a parser knows and this library does not. */
export class UnreadError extends Error {
  readonly code = 'SQL_UNREAD'

  constructor(what: string) {
    super(`not understood: ${what}`)
    this.name = 'UnreadError'
  }
}

export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const isEmpty = (value: unknown): boolean =>
  value === null ||
  value === undefined ||
  value === false ||
  value === 'None' ||
  value === 'Standard' ||
  (Array.isArray(value) && value.length === 0)
