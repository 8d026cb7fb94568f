/*
 * What `/readyz` answers. The whole of it is a contract (README): orchestrators look at the status code, people and
 * `countersign doctor` at the rest.
 */

export interface NodeHealth {
  /** Statements can be let through, for one database at least: 200, else 503. */
  readonly ready: boolean
  /** `degraded`: ready, but not for every database, or not every server is there. */
  readonly status: 'ok' | 'degraded' | 'not ready'
  /** What is not as it should be, one sentence each. */
  readonly reasons: readonly string[]
  readonly databases: readonly DatabaseHealth[]
}

export interface DatabaseHealth {
  /** `environment/database` */
  readonly name: string
  /** Sessions can be opened, and their statements understood. */
  readonly ok: boolean
  readonly reason?: string
  readonly servers: readonly ServerHealth[]
}

export interface ServerHealth {
  /** `host:port` */
  readonly server: string
  /** Null until it has been tried. */
  readonly ok: boolean | null
  readonly role?: 'primary' | 'standby'
  readonly reason?: string
  readonly since?: string
}

/** What is known of one server, from the last time that somebody logged in there or tried to. */
export interface ServerState {
  /** `host:port` */
  readonly server: string
  /** Undefined until it was tried. */
  readonly ok: boolean | undefined
  readonly role: 'primary' | 'standby' | undefined
  readonly reason: string | undefined
  /** Since when it is so, and when it was last seen, as instants. */
  readonly since: string | undefined
  readonly seen: number
}

/** What is asked of one database, for `/readyz` and for metrics. */
export interface DatabaseState {
  readonly name: string
  readonly schemaKnown: boolean
  /** Why the schema could not be read, the last time that it was tried. */
  readonly failure: string | undefined
  readonly usable: boolean
  readonly servers: readonly ServerState[]
  /** How often a text had been understood before, and how often it had to be now. */
  readonly found: number
  readonly understood: number
}

/** `blocked`: why no statement at all can be let through, whatever database it is for. */
export const healthOf = (blocked: readonly string[], states: readonly DatabaseState[]): NodeHealth => {
  const databases = states.map(databaseHealth)
  const starting = states.filter(({ schemaKnown, failure }) => !schemaKnown && failure === undefined)
  const reasons = [
    ...blocked,
    ...databases.flatMap(({ name, ok, reason }) => (ok ? [] : [`${name}: ${reason ?? 'cannot be used'}`])),
    ...databases.flatMap(({ name, ok, servers }) =>
      ok ? servers.filter(isDown).map(({ server, reason }) => `${name}: ${server}: ${reason ?? 'down'}`) : [],
    ),
  ]
  const ready = blocked.length === 0 && starting.length === 0 && databases.some(({ ok }) => ok)
  return { ready, status: statusOf(ready, reasons), reasons, databases }
}

/**
 * Of several workers, by name: ready while one of them is, because clients are given to those that are. A database is as
 * well off as it is with the worst of them.
 */
export const mergeHealth = (workers: ReadonlyMap<string, NodeHealth>): NodeHealth => {
  const worst = new Map<string, DatabaseHealth>()
  for (const database of [...workers.values()].flatMap(({ databases }) => databases)) {
    const known = worst.get(database.name)
    if (!known || (known.ok && !database.ok)) worst.set(database.name, database)
  }
  const ready = [...workers.values()].some((worker) => worker.ready)
  const reasons = [...workers].flatMap(([name, worker]) => reasonsOf(name, worker, workers.size))
  return {
    ready,
    status: statusOf(ready, [...new Set(reasons)]),
    reasons: [...new Set(reasons)],
    databases: [...worst.values()],
  }
}

/** A worker that cannot serve is named; what is said of a database, all of them say. */
const reasonsOf = (name: string, { ready, reasons }: NodeHealth, workers: number): readonly string[] =>
  ready || workers === 1 ? reasons : reasons.map((reason) => `${name}: ${reason}`)

export const notServing = (reason: string): NodeHealth => ({
  ready: false,
  status: 'not ready',
  reasons: [reason],
  databases: [],
})

const statusOf = (ready: boolean, reasons: readonly string[]): NodeHealth['status'] => {
  if (!ready) return 'not ready'
  return reasons.length === 0 ? 'ok' : 'degraded'
}

const databaseHealth = (state: DatabaseState): DatabaseHealth => {
  const reason = troubleOf(state)
  return {
    name: state.name,
    ok: reason === undefined,
    ...(reason !== undefined && { reason }),
    servers: state.servers.map(serverHealth),
  }
}

const troubleOf = ({ schemaKnown, failure, usable, servers }: DatabaseState): string | undefined => {
  if (!schemaKnown) return failure ?? 'the schema has not been read yet'
  if (usable) return undefined
  const told = servers.map(
    ({ server, ok, role, reason }) => `${server}: ${ok ? `it is a ${role ?? 'server'}` : (reason ?? 'not tried yet')}`,
  )
  return `no server can be used: ${told.join('; ')}`
}

const serverHealth = ({ server, ok, role, reason, since }: ServerState): ServerHealth => ({
  server,
  ok: ok ?? null,
  ...(role && { role }),
  ...(reason !== undefined && { reason }),
  ...(since !== undefined && { since }),
})

const isDown = ({ ok }: ServerHealth): boolean => ok === false
