import type { Command } from './command.ts'
import type { Danger } from './danger.ts'
import { dangerOfRelation, isSystemName } from './dangerous-relations.ts'
import type { ColumnName, Facts, Flow, OutputFacts, Use } from './facts.ts'
import type { Analysis, RelationTouch } from './server/analyse.ts'
import type { Catalogue } from './server/catalogue.ts'
import type { Origin } from './server/lineage.ts'
import { columnName, resolve, TEMPORARY, type SessionNames } from './server/session-names.ts'

/** The columns that a statement reads, gives, writes and passes on, by their names. */
export class StatementColumns {
  private readonly command: Command
  private readonly catalogue: Catalogue
  private readonly session: SessionNames

  constructor(command: Command, catalogue: Catalogue, session: SessionNames) {
    this.command = command
    this.catalogue = catalogue
    this.session = session
  }

  of(
    analysis: Analysis,
  ): Pick<Facts, 'outputs' | 'reads' | 'writes' | 'predicates' | 'ordering' | 'steering' | 'flows'> {
    return {
      outputs: this.outputs(analysis),
      reads: this.touched(analysis, ({ read }) => read),
      writes: this.touched(analysis, ({ written }) => written),
      predicates: this.named(analysis.predicates),
      ordering: this.named(analysis.ordering),
      steering: this.named(analysis.steering),
      flows: this.flows(analysis),
    }
  }

  /** Every column of the relations that code reads: which of them, its text does not say. */
  mayBeRead(uses: readonly Use[]): readonly ColumnName[] {
    const read = uses.filter(({ action, object }) => action === 'read' && object.kind === 'relation')
    return read.flatMap(({ object, temporary }) => {
      if (temporary) return [{ name: `${TEMPORARY}.${object.name}.*`, relation: 0, column: 0 }]
      const resolved = resolve(object, this.catalogue, this.session)
      return resolved.kind === 'relation' ? this.every(resolved.relation.oid) : []
    })
  }

  /** COPY leaves out generated columns, which `SELECT *` gives. */
  withoutGenerated(outputs: Facts['outputs']): Facts['outputs'] {
    return outputs?.filter(({ origins: [origin] }) => {
      const columns = origin ? this.catalogue.columns.get(origin.relation) : undefined
      return !columns?.find(({ number }) => number === origin?.column)?.generated
    })
  }

  /** The rows of a query become a relation of which nothing is known yet. */
  flowsInto(outputs: Facts['outputs']): readonly Flow[] {
    return (outputs ?? []).map(({ origins, opaque }) => ({ into: undefined, origins, opaque })).filter(holdsAnything)
  }

  /**
   * A view of the server's own shows what it should of the relations behind it; a view that somebody made may show
   * anything of them.
   */
  dangers({ relations }: Analysis): readonly Danger[] {
    const known = relations.flatMap((touch) => {
      const relation = this.catalogue.relations.get(touch.relation)
      return relation && touch.isRead ? [{ touch, relation }] : []
    })
    const isOwnView = ({ touch, relation }: (typeof known)[number]) =>
      touch.direct && relation.kind === 'v' && !isSystemName(relation)
    const hasOwnView = known.some(isOwnView)
    return known
      .filter(({ touch }) => touch.direct || hasOwnView)
      .flatMap(({ touch, relation }) => dangerOfRelation(relation, this.readNames(touch)) ?? [])
  }

  private outputs({ outputs }: Analysis): readonly OutputFacts[] {
    return outputs.map((output) => ({ ...output, origins: this.named(output.origins) }))
  }

  private touched({ relations }: Analysis, pick: (touch: RelationTouch) => readonly number[]): readonly ColumnName[] {
    return relations.flatMap((touch) => {
      const columns = pick(touch)
      // A whole row is every column; system columns hold nothing of anybody's.
      return columns.includes(0)
        ? this.every(touch.relation)
        : this.named(columns.filter((column) => column > 0).map((column) => ({ relation: touch.relation, column })))
    })
  }

  private every(relation: number): readonly ColumnName[] {
    const columns = this.catalogue.columns.get(relation) ?? []
    return this.named(columns.map(({ number }) => ({ relation, column: number })))
  }

  private named(origins: readonly Origin[]): readonly ColumnName[] {
    return origins.map((origin) => columnName(origin, this.catalogue))
  }

  private readNames({ relation, read }: RelationTouch): readonly string[] {
    const columns = this.catalogue.columns.get(relation) ?? []
    return columns.filter(({ number }) => read.includes(number) || read.includes(0)).map(({ name }) => name)
  }

  private flows(analysis: Analysis): readonly Flow[] {
    const stored = analysis.writes.flatMap(({ relation, stores }) =>
      stores.map(({ column, origins, opaque }) => ({
        into: columnName({ relation, column }, this.catalogue),
        origins: this.named(origins),
        opaque,
      })),
    )
    const parked = analysis.parked.map(({ origins }) => ({
      into: undefined,
      origins: this.named(origins),
      opaque: false,
    }))
    const { creates, inner } = this.command
    const isKept = creates.some(({ kind }) => kind === 'table') && inner?.runs !== 'planned'
    return [...stored, ...parked, ...(isKept ? this.flowsInto(this.outputs(analysis)) : [])].filter(holdsAnything)
  }
}

const holdsAnything = ({ origins, opaque }: Flow): boolean => origins.length > 0 || opaque
