import type { Action, Effect } from './action.ts'
import type { Change, Command } from './command.ts'
import type { Use } from './facts.ts'
import type { Analysis, RelationTouch, Write } from './server/analyse.ts'
import type { Catalogue } from './server/catalogue.ts'
import { actionsOf, changeFacts, isChange, placed } from './server/reach.ts'
import { objectOf, resolve, TEMPORARY, type Resolved, type SessionNames } from './server/session-names.ts'

export const plainUse = { temporary: false, system: false, through: 'statement', deferred: false } as const

/** What a statement itself does to what: by its text, and by the server's tree. */
export class StatementUses {
  private readonly command: Command
  private readonly catalogue: Catalogue
  private readonly session: SessionNames

  constructor(command: Command, catalogue: Catalogue, session: SessionNames) {
    this.command = command
    this.catalogue = catalogue
    this.session = session
  }

  byText(isWanted: (effect: Effect) => boolean): readonly Use[] {
    const { command } = this
    if (command.tag === 'DO') return this.ofBlock() // Its statements are reached one by one.
    const effects = command.effects.filter((one) => isWanted(one) && !isChange(command, one.action, one.object))
    return [...effects.map((effect) => this.useOf(effect)), ...this.changes(isWanted)]
  }

  reads({ relation }: RelationTouch): readonly Use[] {
    const read: Use = { ...plainUse, action: 'read', ...placed(this.resolved(relation)) }
    return this.command.copy?.direction === 'out' ? [read, { ...read, action: 'copyOut' }] : [read]
  }

  /** The statement's own writes, in the order of its text; what rules add has no text to be counted by. */
  writes(writes: readonly Write[]): readonly Use[] {
    const own = writes.filter(({ from }) => from === 'statement')
    const changes = changesOf(this.command)
    const isMatched = own.length === changes.length && own.every(({ kind }, index) => kind === changes[index]?.kind)
    return writes.flatMap((write) => {
      const index = isMatched ? own.indexOf(write) : -1
      return this.copied(this.write(write, index >= 0 ? index : undefined, changes[index]))
    })
  }

  /** Changes of a view, which the server has turned into something else. */
  asked({ relations, writes }: Analysis): readonly Use[] {
    const done = new Set(writes.map(({ relation }) => relation))
    return relations
      .filter(({ relation, direct }) => direct && !done.has(relation))
      .flatMap(({ relation, asked }) => {
        const actions = new Set<Action>(asked.map((event) => (event === 'delete' ? 'delete' : 'write')))
        return [...actions].map((action): Use => ({ ...plainUse, action, ...placed(this.resolved(relation)) }))
      })
  }

  private ofBlock(): readonly Use[] {
    const own = this.command.effects.filter(({ object }) => object.name === 'DO')
    return own.map((effect) => this.useOf(effect))
  }

  private useOf({ action, object }: Effect): Use {
    if (object.kind === 'relation' && action !== 'create') {
      return { ...plainUse, action, ...this.place(resolve(object, this.catalogue, this.session)) }
    }
    return { ...plainUse, action, object, temporary: object.schema === 'pg_temp' }
  }

  /** An index is dropped or rebuilt on behalf of its table, which has the owners. */
  private place(resolved: Resolved): Pick<Use, 'object' | 'temporary' | 'system'> {
    const indexed = resolved.kind === 'relation' ? resolved.relation.indexOf : undefined
    const table = indexed === undefined ? undefined : this.catalogue.relations.get(indexed)
    return placed(table ? { kind: 'relation', relation: table } : resolved)
  }

  private changes(isWanted: (effect: Effect) => boolean): readonly Use[] {
    return this.command.changes.flatMap((change, index) =>
      actionsOf(change.kind)
        .filter((action) => isWanted({ action, object: { kind: 'relation', ...change.relation } }))
        .map((action) => this.change(change, action, index)),
    )
  }

  private change(change: Change, action: Action, index: number): Use {
    const resolved = resolve(change.relation, this.catalogue, this.session)
    return { ...plainUse, action, ...placed(resolved), change: { ...changeFacts(change, resolved, false), index } }
  }

  private write(write: Write, index: number | undefined, change: Change | undefined): readonly Use[] {
    const resolved = this.resolved(write.relation)
    const rows = [write.rowsAtMost, change?.rowsAtMost].filter((count) => count !== undefined)
    const said: Change = {
      kind: write.kind,
      relation: objectOf(resolved),
      unbounded: write.unbounded || (index !== undefined && change?.unbounded === true),
      tautological: index !== undefined && change?.tautological === true,
      ...(rows.length > 0 ? { rowsAtMost: Math.min(...rows) } : {}),
    }
    const facts = { ...changeFacts(said, resolved, false), ...(index === undefined ? {} : { index }) }
    const through = write.from === 'rule' ? 'rule' : 'statement'
    return actionsOfWrite(write).map((action) => ({ ...plainUse, action, ...placed(resolved), through, change: facts }))
  }

  /** COPY … FROM is analysed as an INSERT. */
  private copied(uses: readonly Use[]): readonly Use[] {
    const [first] = this.command.copy?.direction === 'in' ? uses : []
    return first ? [...uses, { ...first, action: 'copyIn' }] : uses
  }

  private resolved(oid: number): Resolved {
    const relation = this.catalogue.relations.get(oid)
    if (relation?.schema === TEMPORARY) return { kind: 'temporary', name: relation }
    return relation ? { kind: 'relation', relation } : { kind: 'unknown', name: { name: `relation ${oid}` } }
  }
}

/** A MERGE may do without one or the other. */
const actionsOfWrite = ({ kind, events }: Write): readonly Action[] =>
  actionsOf(kind).filter((action) => {
    if (kind !== 'merge') return true
    return action === 'delete' ? events.includes('delete') : events.some((event) => event !== 'delete')
  })

/** A PREPARE changes nothing itself; what it prepares is what the server's tree shows. */
const changesOf = ({ changes, prepares, inner }: Command): readonly Change[] =>
  prepares === undefined ? changes : (inner?.command.changes ?? [])
