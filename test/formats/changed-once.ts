/** What may stand in the place of anything, and mostly must not. */
const OTHERS: readonly unknown[] = [null, true, 0, -1, 1, 1.5, 2 ** 53, '', 'x', 'x y', 'é'.repeat(301), [], ['x'], {}]

/** The value again and again, each time with one thing changed, at any depth: missing, replaced, added. */
export function* changedOnce(value: unknown): Generator<unknown> {
  yield* OTHERS
  if (Array.isArray(value)) yield* changedLists(value)
  else if (typeof value === 'object' && value !== null) yield* changedObjects({ ...value })
  else if (typeof value === 'string') yield* [`${value} `, ` ${value}`, value.toUpperCase(), value.slice(1)]
}

function* changedLists(list: readonly unknown[]): Generator<unknown> {
  yield [...list, ...list]
  for (const [index, item] of list.entries()) {
    yield list.toSpliced(index, 1)
    for (const changed of changedOnce(item)) yield list.with(index, changed)
  }
}

function* changedObjects(object: Readonly<Record<string, unknown>>): Generator<unknown> {
  yield { ...object, unheard: 'of' }
  for (const [key, part] of Object.entries(object)) {
    const { [key]: _, ...rest } = object
    yield rest
    for (const changed of changedOnce(part)) yield { ...object, [key]: changed }
  }
}
