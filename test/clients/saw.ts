/** What a section of a client's program came to. */
export type Outcome = { readonly saw: unknown } | { readonly failed: string }

/** What a client's program prints: the same sections on each side, so that they can be compared. */
export interface Saw {
  /** Driver and versions. */
  readonly about: string
  readonly direct: Readonly<Record<string, Outcome>>
  readonly node: Readonly<Record<string, Outcome>>
  /** Through the node without TLS. */
  readonly clear: Readonly<Record<string, Outcome>>
  /** What has nothing to be compared with: refused logins, held statements. */
  readonly only: Readonly<Record<string, Outcome>>
}

/** A value, with the name of the type that the driver gave it. */
export type Cell = null | readonly [type: string, value: string | readonly Cell[] | { readonly [key: string]: Cell }]

export interface Table {
  readonly columns: readonly string[]
  readonly rows: readonly (readonly Cell[])[]
}

/** What the section saw; a section that failed is an error with what the program said. */
export const sawOf = (outcomes: Readonly<Record<string, Outcome>>, section: string): unknown => {
  const outcome = outcomes[section]
  if (!outcome) throw new Error(`the program has no section ${section}`)
  if ('failed' in outcome) throw new Error(outcome.failed)
  return outcome.saw
}
