import type { ColumnClass, Target } from '@countersign/contracts'
import type { DatabaseConfig } from '@countersign/platform'
import type { Database } from './protocol.ts'
import { differences } from './workers/config-changes.ts'

/** By `environment/database`: two environments may have a database of one name. */
export type DatabasesByName = ReadonlyMap<string, Database>

/** The databases behind a node: those that clients are let in to, those to come, and those that are let go of. */
export class Databases {
  readonly #make: (config: DatabaseConfig, generation: number) => Database
  #generation = 0
  #current: DatabasesByName
  /** With another configuration, which may yet not take effect. */
  #prepared: DatabasesByName | undefined
  /** No new session goes to these any more; sessions that have begun may still do. */
  readonly #retired: { readonly database: Database; readonly freeAt: number }[] = []

  constructor(configs: readonly DatabaseConfig[], make: (config: DatabaseConfig, generation: number) => Database) {
    this.#make = make
    this.#current = new Map(configs.map((config) => [keyOf(config), make(config, this.#generation)]))
  }

  /** Those that clients are let in to. */
  get current(): DatabasesByName {
    return this.#current
  }

  /** All that there are, for whatever each has to hear. */
  get all(): readonly Database[] {
    const settled = [...this.#current.values(), ...this.#retired.map(({ database }) => database)]
    return [...new Set([...settled, ...(this.#prepared?.values() ?? [])])]
  }

  of({ environment, database: name }: Target): readonly Database[] {
    return this.all.filter(({ target }) => target.environment === environment && target.database === name)
  }

  /** Those of another configuration: what is the same place stays, others are begun. `columnsOf`: what was decided of them. */
  prepare(
    configs: readonly DatabaseConfig[],
    columnsOf: (target: Target) => readonly ColumnClass[] | undefined,
  ): DatabasesByName {
    this.#generation += 1
    const prepared = new Map(configs.map((config) => [keyOf(config), this.#sameOrNew(config, columnsOf)]))
    this.#prepared = prepared
    return prepared
  }

  /** Those that were prepared are the ones now. The others are let go of, but not before this. */
  commit(freeAt: number): void {
    const prepared = this.#prepared
    if (!prepared) return
    const kept = new Set(prepared.values())
    for (const database of this.#current.values()) if (!kept.has(database)) this.#retired.push({ database, freeAt })
    this.#current = prepared
    this.#prepared = undefined
  }

  /** What was prepared will not take effect. */
  forget(): void {
    const live = new Set(this.#current.values())
    for (const database of this.#prepared?.values() ?? []) if (!live.has(database)) void database.close()
    this.#prepared = undefined
  }

  /** Lets go of those that no session goes to any more. */
  letGo(now: number, isUsed: (database: Database) => boolean): void {
    const free = this.#retired.filter(({ database, freeAt }) => freeAt < now && !isUsed(database))
    for (const each of free) {
      this.#retired.splice(this.#retired.indexOf(each), 1)
      void each.database.close()
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.all.map((database) => database.close()))
  }

  #sameOrNew(config: DatabaseConfig, columnsOf: (target: Target) => readonly ColumnClass[] | undefined): Database {
    const before = this.#current.get(keyOf(config))
    if (before && isSamePlace(before.config, config)) return before
    const database = this.#make(config, this.#generation)
    const decided = columnsOf(database.target)
    if (decided) database.columnsDecided(decided)
    database.start()
    return database
  }
}

export const databaseIn = (all: DatabasesByName, target: Target): Database => {
  const database = all.get(nameOf(target))
  if (!database) throw new Error(`no database ${nameOf(target)}`)
  return database
}

const nameOf = ({ environment, database }: Pick<Target, 'environment' | 'database'>): string =>
  `${environment}/${database}`

const keyOf = ({ environment, name }: DatabaseConfig): string => nameOf({ environment, database: name })

/** The same database, looked at in the same way. Passwords of roles are not part of that: they count at each login. */
const isSamePlace = (a: DatabaseConfig, b: DatabaseConfig): boolean =>
  differences(a, b).every((path) => path.startsWith('upstream.roles.'))
