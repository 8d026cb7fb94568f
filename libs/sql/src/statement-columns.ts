import { nameText } from './action.ts'
import type { Command } from './command.ts'
import type { Danger } from './danger.ts'
import { dangerOfRelation, isSystemName } from './dangerous-relations.ts'
import type { ColumnName, Facts, Flow, OutputFacts, Parts, Use } from './facts.ts'
import type { Analysis, RelationTouch } from './server/analyse.ts'
import type { Catalogue } from './server/catalogue.ts'
import type { Origin } from './server/lineage.ts'
import type { CodeColumns } from './server/reach.ts'
import { columnName, TEMPORARY } from './server/session-names.ts'

const PARTS_MAX = 100

/** The columns that a statement reads, gives, writes and passes on, by their names. */
export class StatementColumns {
  private readonly command: Command
  private readonly catalogue: Catalogue

  constructor(command: Command, catalogue: Catalogue) {
    this.command = command
    this.catalogue = catalogue
  }

  of(
    analysis: Analysis,
  ): Pick<Facts, 'outputs' | 'reads' | 'writes' | 'predicates' | 'ordering' | 'steering' | 'flows'> {
    return {
      outputs: this.outputs(analysis),
      reads: this.givenByCopy(this.touched(analysis, ({ read }) => read)),
      writes: [...this.touched(analysis, ({ written }) => written), ...this.copiedInto(analysis)],
      predicates: this.named(analysis.predicates),
      ordering: this.named(analysis.ordering),
      steering: this.named(analysis.steering),
      flows: this.flows(analysis),
    }
  }

  /** Of the relations that code looks at, the columns that its text can mean. */
  spokenOf(code: readonly CodeColumns[]): readonly ColumnName[] {
    const found = code.flatMap(({ resolved, columns }) => {
      if (resolved.kind === 'temporary')
        return [{ name: `${TEMPORARY}.${resolved.name.name}.*`, relation: 0, column: 0 }]
      if (resolved.kind !== 'relation') return []
      return this.every(resolved.relation.oid, columns && new Set(columns))
    })
    return [...new Map(found.map((column) => [column.name, column])).values()]
  }

  /** Of what is named without ONLY; where a relation has very many parts, none of them is named. */
  parts(uses: readonly Use[], analysis?: Analysis): readonly Parts[] {
    const only = new Set((analysis?.relations ?? []).filter((touch) => !touch.inherits).map(({ relation }) => relation))
    const spoken = new Map(uses.map(({ object }) => [nameText(object), object]))
    return [...spoken].flatMap(([relation, { kind, schema, name }]) => {
      const oid = kind === 'relation' ? this.oidOf(schema, name) : undefined
      const heldIn = oid === undefined || only.has(oid) ? [] : this.descendants(oid)
      return heldIn.length > 0 && heldIn.length <= PARTS_MAX ? [{ relation, heldIn }] : []
    })
  }

  private oidOf(schema: string | undefined, name: string): number | undefined {
    const { relations, relationsByName } = this.catalogue
    return relationsByName.get(name)?.find((oid) => relations.get(oid)?.schema === schema)
  }

  private descendants(oid: number): readonly string[] {
    const found = new Set<number>()
    const waiting = [oid]
    for (let next = waiting.pop(); next !== undefined && found.size <= PARTS_MAX; next = waiting.pop()) {
      const children = (this.catalogue.children.get(next) ?? []).filter((child) => !found.has(child))
      for (const child of children) found.add(child)
      waiting.push(...children)
    }
    return [...found].flatMap((child) => {
      const relation = this.catalogue.relations.get(child)
      return relation ? [nameText(relation)] : []
    })
  }

  /** COPY … FROM is analysed as an INSERT of nothing. */
  private copiedInto({ writes: [write] }: Analysis): readonly ColumnName[] {
    const { copy } = this.command
    if (copy?.direction !== 'in' || !write) return []
    const listed = copy.columns && new Set(copy.columns)
    const columns = this.catalogue.columns.get(write.relation) ?? []
    const written = columns.filter(({ name, generated }) => listed?.has(name) ?? !generated)
    return this.named(written.map(({ number }) => ({ relation: write.relation, column: number })))
  }

  private givenByCopy(reads: readonly ColumnName[]): readonly ColumnName[] {
    const { copy } = this.command
    if (copy?.direction !== 'out' || !copy.relation || copy.columns) return reads
    return reads.filter((column) => !this.isGenerated(column))
  }

  private isGenerated({ relation, column }: Origin): boolean {
    return this.catalogue.columns.get(relation)?.find(({ number }) => number === column)?.generated ?? false
  }

  /** COPY leaves out generated columns, which `SELECT *` gives. */
  withoutGenerated(outputs: Facts['outputs']): Facts['outputs'] {
    return outputs?.filter(({ origins: [origin] }) => !origin || !this.isGenerated(origin))
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

  private every(relation: number, among?: ReadonlySet<string>): readonly ColumnName[] {
    const columns = (this.catalogue.columns.get(relation) ?? []).filter(({ name }) => among?.has(name) ?? true)
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
