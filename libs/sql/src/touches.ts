import { nameText, type Action } from './action.ts'
import type { ColumnName, Facts, Use } from './facts.ts'

/** What a statement has to do with a relation as a whole, or with one of its columns. */
export interface StatementTouch {
  readonly relation: string
  /** Undefined: rows of the relation, whichever columns they have. */
  readonly column?: string
  readonly how: 'read' | 'written' | 'predicate' | 'returned'
}

/**
 * What a statement touches, down to the columns in which the values are stored.
 *
 * `read`: the server would ask for the right to read it, of whoever runs the statement or owns the view or the
 * function on the way; of code that only its text tells about, every column that the text can mean. `predicate`: it
 * decides which rows count. `returned`: values of it, or made of it, may be in the result. `written`: a value is
 * stored in it, or rows come and go. A statement that waits for its EXECUTE touches nothing yet.
 */
export const touchesOf = (facts: Facts): readonly StatementTouch[] => {
  const uses = facts.uses.filter(({ deferred, object }) => !deferred && object.kind === 'relation')
  if (facts.later && facts.uses.some(({ deferred }) => deferred)) return []
  const touches = new Touches(facts)
  touches.columns(returnedBy(facts), 'returned')
  touches.columns([...facts.reads, ...facts.mayRead], 'read')
  touches.columns(facts.predicates, 'predicate')
  const writes = uses.filter(({ action }) => WRITES.has(action))
  // An EXPLAIN names what would be written, and writes nothing.
  if (writes.length > 0) touches.columns([...facts.writes, ...facts.mayWrite], 'written')
  for (const use of uses) if (READS.has(use.action)) touches.rows(use, 'read')
  for (const use of writes) touches.rows(use, 'written')
  return touches.all()
}

/** What cannot be seen through may hold a value of anything that is read. */
const returnedBy = ({ outputs, reads, mayRead }: Facts): readonly ColumnName[] => {
  const known = (outputs ?? []).flatMap(({ origins }) => origins)
  const isOpaque = outputs?.some(({ opaque }) => opaque) ?? true
  return isOpaque ? [...known, ...reads, ...mayRead] : known
}

const READS: ReadonlySet<Action> = new Set<Action>(['read', 'copyOut'])
const WRITES: ReadonlySet<Action> = new Set<Action>(['write', 'delete', 'truncate', 'drop', 'copyIn'])
/** Rows go whichever columns they have. */
const REMOVES: ReadonlySet<Action> = new Set<Action>(['delete', 'truncate', 'drop'])

class Touches {
  private readonly found = new Map<string, StatementTouch>()
  private readonly relations: ReadonlySet<string>
  private readonly parts: ReadonlyMap<string, readonly string[]>

  constructor({ uses, parts }: Facts) {
    this.relations = new Set(uses.map(({ object }) => nameText(object)))
    this.parts = new Map(parts.map(({ relation, heldIn }) => [relation, heldIn]))
  }

  /** First what the statement speaks of, then the partitions and heirs in which the rows lie. */
  all(): readonly StatementTouch[] {
    const own = [...this.found.values()]
    for (const { relation, ...touch } of own)
      for (const part of this.parts.get(relation) ?? []) this.add({ relation: part, ...touch })
    return [...this.found.values()]
  }

  columns(names: readonly ColumnName[], how: StatementTouch['how']): void {
    for (const { name } of names) {
      const dot = this.endOfRelation(name)
      this.add({ relation: name.slice(0, dot), column: name.slice(dot + 1), how })
    }
  }

  /** Said of a relation of which nothing more is known, and of rows that go. */
  rows({ action, object }: Use, how: 'read' | 'written'): void {
    const relation = nameText(object)
    const isSaid = [...this.found.values()].some((touch) => touch.relation === relation && touch.how === how)
    if (!isSaid || REMOVES.has(action)) this.add({ relation, how })
  }

  private add(touch: StatementTouch): void {
    const key = JSON.stringify([touch.relation, touch.column, touch.how])
    if (!this.found.has(key)) this.found.set(key, touch)
  }

  /** The names of columns may have dots of their own. */
  private endOfRelation(name: string): number {
    const last = name.lastIndexOf('.')
    for (let dot = last; dot > 0; dot = name.lastIndexOf('.', dot - 1))
      if (this.relations.has(name.slice(0, dot))) return dot
    return last
  }
}
