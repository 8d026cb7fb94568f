import type { Action, ColumnName, Danger, Flow, SqlObject, Through, UseChange } from '@countersign/sql'

/** One thing that a statement does, as it is found. */
export interface FoundUse {
  readonly action: Action
  readonly object: SqlObject
  readonly temporary: boolean
  readonly system: boolean
  readonly through: Through
  readonly change?: UseChange
}

/** Everything that is found on the way through a statement. */
export class Findings {
  readonly uses: FoundUse[] = []
  readonly dangers: Danger[] = []
  readonly reads = new Columns()
  readonly mayRead = new Columns()
  readonly writes = new Columns()
  readonly predicates = new Columns()
  readonly ordering = new Columns()
  readonly steering = new Columns()
  readonly flows: Flow[] = []
  /** Something in it changes something. */
  changes = false
  unresolved = false
  /** What it calls may change something, or is not known. */
  countable = true
  names = false
}

/** Columns, each once. */
export class Columns {
  readonly #byName = new Map<string, ColumnName>()

  add(columns: Iterable<ColumnName>): void {
    for (const column of columns) this.#byName.set(column.name, column)
  }

  get list(): readonly ColumnName[] {
    return [...this.#byName.values()]
  }

  /** Takes back what `read` adds: that happens where it is used. */
  without<T>(read: () => T): T {
    const before = new Map(this.#byName)
    const result = read()
    this.#byName.clear()
    for (const [name, column] of before) this.#byName.set(name, column)
    return result
  }

  get size(): number {
    return this.#byName.size
  }
}
