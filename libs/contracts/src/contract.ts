import { z } from 'zod'

/** One version of one kind of event, as it lies in the log for ever. */
export interface Contract<
  Type extends string = string,
  Version extends number = number,
  Schema extends z.ZodType = z.ZodType,
> {
  readonly type: Type
  readonly version: Version
  readonly schema: Schema
}

export type DataOf<C extends Contract> = z.output<C['schema']>

/** An event as today's code sees it: no version, because every reader lifts old ones first. */
export type EventOf<C extends Contract> = C extends Contract
  ? { readonly type: C['type']; readonly data: DataOf<C> }
  : never

/** An event as it lies in a record: with the version that it was written in. */
export const StoredEvent = z.object({ type: z.string().min(1), version: z.int().positive(), data: z.unknown() })
export type StoredEvent = z.output<typeof StoredEvent>

/** How an older version is read today. Old bytes are never rewritten. */
export interface Upcaster {
  readonly from: Contract
  readonly to: Contract
  readonly lift: (data: never) => unknown
}

export const contract = <Type extends string, const Version extends number, Schema extends z.ZodType>(
  type: Type,
  version: Version,
  schema: Schema,
): Contract<Type, Version, Schema> => ({ type, version, schema })

export const upcast = <From extends Contract, To extends Contract>(
  from: From,
  to: To,
  lift: (data: DataOf<From>) => DataOf<To>,
): Upcaster => ({ from, to, lift })

/** The events of one subject: what is written today, and how each older version is lifted to it. */
export interface Family<Current extends Contract> {
  readonly current: readonly Current[]
  readonly history: readonly Upcaster[]
}

/** Every contract of a family, those of long ago included: what its reader knows. */
export const contractsOf = ({ current, history }: Family<Contract>): readonly Contract[] => [
  ...new Map([...history.flatMap((u) => [u.from, u.to]), ...current].map((c) => [keyOf(c), c])).values(),
]

/** Reads stored events into today's shapes, or says exactly which one it cannot read. */
export const reader = <Current extends Contract>(family: Family<Current>) => {
  const { history } = family
  const known = new Map(contractsOf(family).map((c) => [keyOf(c), c]))
  const lifts = new Map(history.map((u) => [keyOf(u.from), u]))

  return (stored: StoredEvent): EventOf<Current> => {
    const written = known.get(keyOf(stored))
    if (!written) throw new UnknownEventError(stored)

    const parsed = written.schema.safeParse(stored.data)
    if (!parsed.success) throw new MalformedEventError(stored, parsed.error)

    let data: unknown = parsed.data
    for (let step = lifts.get(keyOf(stored)); step; step = lifts.get(keyOf(step.to))) {
      data = step.lift(data as never)
    }
    return { type: stored.type, data } as EventOf<Current>
  }
}

/** Stamps an event with the version that its kind is written in today. */
export const writer = <Current extends Contract>({ current }: Family<Current>) => {
  const versions = new Map<string, number>(current.map((c) => [c.type, c.version]))

  return (event: EventOf<Current>): StoredEvent => {
    const version = versions.get(event.type)
    if (version === undefined) throw new UnknownEventError({ ...event, version: 0 })
    return { type: event.type, version, data: event.data }
  }
}

/** There is no contract for this type and version: the record is kept and quarantined, never guessed at. */
export class UnknownEventError extends Error {
  readonly code = 'CONTRACT_UNKNOWN_EVENT'
  readonly stored: StoredEvent

  constructor(stored: StoredEvent) {
    super(`no contract for ${keyOf(stored)}`)
    this.name = 'UnknownEventError'
    this.stored = stored
  }
}

/** The data does not have the shape that its own version promises. Names the fields, never their values. */
export class MalformedEventError extends Error {
  readonly code = 'CONTRACT_MALFORMED_EVENT'
  readonly stored: StoredEvent

  constructor(stored: StoredEvent, cause: z.ZodError) {
    super(`${keyOf(stored)} does not fit its contract: ${fieldsOf(cause)}`)
    this.name = 'MalformedEventError'
    this.stored = stored
  }
}

const keyOf = ({ type, version }: { type: string; version: number }) => `${type}@${version}`

const fieldsOf = (error: z.ZodError) =>
  [...new Set(error.issues.map((issue) => `${issue.path.join('.') || 'data'} (${issue.code})`))].join(', ')
