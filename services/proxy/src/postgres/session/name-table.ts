/** One change of what a name stands for. It is the server's answer that makes it so. */
export interface Change<Value> {
  readonly name: string
  /** Undefined: the name is given away. */
  readonly value: Value | undefined
  /** Everything up to one Sync: when the server refuses one of it, it passes over what follows. */
  readonly domain: number
  answered: boolean
  /** What the name stood for before. */
  before: Change<Value> | undefined
}

/**
 * What the client's names stand for: as the server knows them, and as it will when it has answered everything.
 *
 * A change counts as soon as it is sent, because whatever is sent behind it up to the next Sync is passed over by the
 * server when the change is refused. What comes behind that Sync is not: there `inDoubt` says so, and whoever wants to
 * rely on the name has to wait for the answer.
 */
export class NameTable<Value> {
  readonly #changes = new Map<string, Change<Value>>()

  get size(): number {
    return this.#changes.size
  }

  get(name: string): Value | undefined {
    return this.#changes.get(name)?.value
  }

  /** What the names stand for, without the unnamed one. */
  *named(): Generator<readonly [string, Value | undefined]> {
    for (const [name, { value }] of this.#changes) if (name !== '') yield [name, value]
  }

  /** Everything that is kept: what names stand for, and what they may stand for again. */
  *values(): Generator<Value> {
    for (const last of this.#changes.values()) {
      for (let each: Change<Value> | undefined = last; each; each = each.before) if (each.value) yield each.value
    }
  }

  /** True when the name's last change was sent before that Sync and has not been answered yet. */
  inDoubt(name: string, domain: number): boolean {
    const change = this.#changes.get(name)
    return change !== undefined && !change.answered && change.domain !== domain
  }

  change(name: string, value: Value | undefined, domain: number): Change<Value> {
    const change = { name, value, domain, answered: false, before: this.#changes.get(name) }
    this.#changes.set(name, change)
    return change
  }

  /** The server has done it. Returns what it has replaced. */
  answered(change: Change<Value>): Value | undefined {
    const replaced = change.before?.value
    change.answered = true
    change.before = undefined
    if (change.value === undefined && this.#changes.get(change.name) === change) this.#changes.delete(change.name)
    return replaced
  }

  /** The server has given the name away before it failed to do the rest. */
  givenAway(change: Change<Value>): void {
    change.before = undefined
  }

  /** The server has not done it, and will not. */
  undone(change: Change<Value>): void {
    let after = this.#changes.get(change.name)
    if (after === change) {
      if (change.before) this.#changes.set(change.name, change.before)
      else this.#changes.delete(change.name)
      return
    }
    while (after && after.before !== change) after = after.before
    if (after) after.before = change.before
  }

  /** The name stands for this now; nothing that was said of it before is unanswered. */
  set(name: string, value: Value): void {
    this.#changes.set(name, { name, value, domain: 0, answered: true, before: undefined })
  }

  delete(name: string): void {
    this.#changes.delete(name)
  }

  /** Forgets names, but not the unnamed one. Returns what they stood for. */
  forgetNamed(gone: (name: string, value: Value | undefined) => boolean): readonly Value[] {
    const forgotten: Value[] = []
    for (const [name, { value }] of this.#changes) {
      if (name === '' || !gone(name, value)) continue
      this.#changes.delete(name)
      if (value !== undefined) forgotten.push(value)
    }
    return forgotten
  }

  clear(): void {
    this.#changes.clear()
  }

  /** Forgets what these names stand for, but nothing that was said of them since. Returns what they stood for. */
  forget(gone: (value: Value) => boolean): Value[] {
    const forgotten: Value[] = []
    for (const [name, last] of this.#changes) {
      if (isGone(last, gone)) this.#changes.delete(name)
      for (let each: Change<Value> | undefined = last, after = each; each; after = each, each = each.before) {
        if (!isGone(each, gone)) continue
        after.before = undefined
        forgotten.push(each.value)
      }
    }
    return forgotten
  }
}

const isGone = <Value>(
  change: Change<Value>,
  gone: (value: Value) => boolean,
): change is Change<Value> & { readonly value: Value } => change.value !== undefined && gone(change.value)
