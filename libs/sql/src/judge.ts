import { nameText, type Action, type SqlObject } from './action.ts'
import type { Command, RoutineBody } from './command.ts'
import { danger, type Danger } from './danger.ts'
import { dangerOfRelation } from './dangerous-relations.ts'
import type { Facts, RelationFacts, SessionChanges, Use } from './facts.ts'
import type { Analysis } from './server/analyse.ts'
import type { Catalogue } from './server/catalogue.ts'
import { Reach, type CodeColumns } from './server/reach.ts'
import { DEFAULT_SESSION, isTemporaryName, resolve, TEMPORARY, type SessionNames } from './server/session-names.ts'
import { changesNaming } from './settings.ts'
import { StatementColumns } from './statement-columns.ts'
import { plainUse, StatementUses } from './statement-uses.ts'

/** The server would not analyse the statement: it answered with this SQLSTATE. */
export interface AnalysisFailure {
  readonly sqlstate: string
}

export interface Session extends SessionNames {
  /** What an EXECUTE of this name runs, judged when it was prepared; undefined when the session prepared none. */
  readonly prepared?: (name: string) => Facts | undefined
  readonly cursor?: (name: string) => Facts | undefined
  /** The session has changed the schema in a transaction that is still open: then nobody else sees what it sees. */
  readonly changedSchema?: boolean
  /** The server's numbers of the types that were declared for its parameters, whether it uses them or not. */
  readonly parameterTypes?: readonly number[]
  /** Where this statement was analysed, tables like those of the session were in its temporary schema. */
  readonly equipped?: boolean
}

/**
 * Puts together what the text says, what the server made of it, and what the catalogue knows of the code behind it.
 *
 * Without an analysis nothing is proven read-only, and names are resolved along the search path as far as that goes.
 */
export const judge = (
  command: Command,
  analysis: Analysis | AnalysisFailure | undefined,
  catalogue: Catalogue,
  session: Session = DEFAULT_SESSION,
): Facts => {
  const judgement = new Judgement(command, catalogue, session)
  const execution = command.executes ?? command.inner?.command.executes
  if (execution) return judgement.ofExecution(execution.name, session.prepared?.(execution.name))
  if (command.fetches) return judgement.ofFetch(session.cursor?.(command.fetches.cursor))
  const known = !session.changedSchema && (session.equipped || !mentionsTemporary(command, session))
  if (!known) return judgement.byText(undefined)
  return analysis && 'outputs' in analysis ? judgement.analysed(analysis) : judgement.byText(analysis)
}

/** Then a side connection takes its names for others, and what the server says there is not about this statement. */
export const mentionsTemporary = ({ effects, types, inner }: Command, session: SessionNames): boolean =>
  session.temporary.size > 0 &&
  (effects.some(
    ({ action, object }) => isRelation(object) && action !== 'create' && isTemporaryName(object, session),
  ) ||
    types.some((type) => isTemporaryName(type, session)) ||
    (inner !== undefined && mentionsTemporary(inner.command, session)))

/**
 * The temporary tables of the session that a statement speaks of; undefined when a side connection cannot have all of
 * them.
 */
export const temporaryTablesIn = (
  { effects, types, inner }: Command,
  session: SessionNames,
): ReadonlySet<string> | undefined => {
  const names = effects
    .filter(({ action, object }) => isRelation(object) && action !== 'create' && isTemporaryName(object, session))
    .map(({ object }) => object.name)
  const within = inner ? temporaryTablesIn(inner.command, session) : NO_NAMES
  const isKnown = names.every((name) => session.temporary.get(name) === 'table')
  if (!within || !isKnown || types.some((type) => isTemporaryName(type, session))) return undefined
  return new Set([...names, ...within])
}

const NO_NAMES: ReadonlySet<string> = new Set()

const isRelation = ({ kind }: SqlObject): boolean => kind === 'relation'

/**
 * Errors that the text itself is the reason of, whoever sends it: names that are not there or not clear, types that do
 * not fit, constants that are none of their type. Others may be the side connection's own (a right or a lock that it
 * lacks, row security that applies to it), and say nothing about the client's session.
 */
const OF_TEXT = new Set(
  `42601 42602 42622 42701 42702 42703 42704 42710 42712 42725 42803 42804 42809 42846 42883 42P01 42P02 42P08 42P09
  42P10 42P18 42P19 42P20 42P21 42P22 22P02 22003 22007 22008 22025`.split(/\s+/),
)

/** Statements that the server plans: what they do is what its tree says. */
const PLANNED = new Set<Action>(['read', 'write', 'delete', 'copyOut', 'copyIn'])

class Judgement {
  private readonly command: Command
  private readonly catalogue: Catalogue
  private readonly session: Session
  private readonly uses: StatementUses
  private readonly columns: StatementColumns
  private readonly reach: Reach
  /** What counting rows would call: the functions of the statement and of what it reads, but no triggers. */
  private readonly counting: Reach
  /** What a statement that is known by its text alone looks at. */
  private readonly seen: CodeColumns[] = []

  constructor(command: Command, catalogue: Catalogue, session: Session) {
    this.command = command
    this.catalogue = catalogue
    this.session = session
    this.uses = new StatementUses(command, catalogue, session)
    this.columns = new StatementColumns(command, catalogue)
    this.reach = new Reach(catalogue, session)
    this.counting = new Reach(catalogue, session)
  }

  analysed(analysis: Analysis): Facts {
    const { command } = this
    this.calls(analysis)
    if (command.prepares !== undefined) this.reach.types(command.types)
    for (const type of this.session.parameterTypes ?? []) this.reach.type(type)
    this.body()
    const runs = command.inner?.runs ?? 'now'
    const reads = analysis.relations.filter(
      ({ isRead, written }) => isRead || (runs === 'planned' && written.length > 0),
    )
    for (const { relation } of reads) this.readEvent(relation)
    const writes = runs === 'planned' ? [] : analysis.writes
    for (const write of writes) for (const event of write.events) this.reach.event(write.relation, event)
    const uses = [
      ...this.uses.byText(({ action, object }) => object.kind !== 'relation' || !PLANNED.has(action)),
      ...reads.flatMap((touch) => this.uses.reads(touch)),
      ...this.uses.writes(writes),
      ...(runs === 'planned' ? [] : this.uses.asked(analysis)),
    ]
    const unresolved = this.isIncomplete(analysis) || this.reach.unresolved
    const isQuiet = !unresolved && writes.length === 0 && !analysis.locks && analysis.sequences.length === 0
    return this.facts(uses, {
      readOnly: command.readOnlyByText === 'if-functions-are' && isQuiet && this.isProven,
      unresolved,
      dangers: [...this.columns.dangers(analysis), ...this.locksBehind(analysis)],
      parts: this.columns.parts([...uses, ...this.reach.uses], analysis),
      ...this.columns.of(analysis),
    })
  }

  /** A view, or a query in row security, that locks what it reads: its text says so, and this one's does not. */
  private locksBehind({ locks }: Analysis): readonly Danger[] {
    const isOwn = this.command.readOnlyByText === 'never' || this.command.inner?.runs === 'planned'
    return locks && !isOwn ? [danger('locks-every-row', 'a view')] : []
  }

  byText(failure: AnalysisFailure | undefined): Facts {
    const { command } = this
    const fails = failure && this.isBelieved(failure) ? failure.sqlstate : undefined
    const isPlanned = command.analysable !== undefined || NEEDS_ANALYSIS.has(command.node)
    this.callByName()
    this.body()
    const uses = this.uses.byText(() => true)
    const isTemporary =
      uses.length > 0 && uses.every(({ temporary, object }) => temporary || object.kind === 'statement')
    for (const use of uses) this.eventsByName(use)
    if (isPlanned) this.seenByName(uses)
    return this.facts(uses, {
      readOnly: !isPlanned && command.readOnlyByText === 'if-functions-are' && this.isProven,
      unresolved: fails === undefined && ((isPlanned && !isTemporary) || this.reach.unresolved),
      onlyTemporary: isTemporary,
      ...(fails === undefined ? {} : { fails }),
      dangers: uses
        .filter(({ action }) => action === 'read' || action === 'copyOut')
        .flatMap(({ object }) => dangerOfRelation(object) ?? []),
      ...(isPlanned ? {} : { outputs: shownBy(command) }),
      ...(command.tag === 'DO' && command.body ? this.saidByBlock(command.body) : {}),
    })
  }

  /**
   * A view is stored without being rewritten. `'t'::regclass` and `nextval('t')` may name a temporary relation, which
   * the side connection does not have.
   */
  private isBelieved({ sqlstate }: AnalysisFailure): boolean {
    const { types, functions, node } = this.command
    const mayNameRelations = functions.length > 0 || types.some(({ name }) => name.startsWith('reg'))
    const isAboutNames = sqlstate === '42P01' || sqlstate === '42704'
    const isDoubtful = (this.session.temporary.size > 0 && isAboutNames && mayNameRelations) || this.namesTemporary()
    return OF_TEXT.has(sqlstate) && node !== 'ViewStmt' && !isDoubtful
  }

  /** Functions, operators and types of the session's own: a side connection has none, or others. */
  private namesTemporary(): boolean {
    const { functions, operators, types, inner } = this.command
    return [...functions, ...operators, ...types, ...(inner?.command.functions ?? [])].some(
      ({ schema }) => schema?.startsWith(TEMPORARY) === true,
    )
  }

  /** An EXECUTE does what was prepared. Its arguments are expressions, and may call functions. */
  ofExecution(name: string, prepared: Facts | undefined): Facts {
    this.callByName()
    const own = this.uses.byText(() => true)
    if (!prepared) {
      const unknown: Use = { ...plainUse, action: 'unknown', object: { kind: 'prepared', name } }
      return this.facts([...own, unknown], { dangers: [danger('unknown-prepared', 'EXECUTE')], unresolved: true })
    }
    const { tag: _, actions: __, relations: ___, uses, readOnly, ...rest } = prepared.later ?? prepared
    const isPlanned = this.command.inner?.runs === 'planned'
    const done = isPlanned ? uses.filter(({ action }) => action === 'read') : uses
    const behind = this.behind()
    return this.facts([...own, ...done.map((use) => ({ ...use, deferred: false }))], {
      ...rest,
      behind: { names: behind.names || rest.behind.names, handles: behind.handles || rest.behind.handles },
      readOnly: (readOnly || isPlanned) && this.isProven && this.command.readOnlyByText !== 'never',
      ...(this.command.creates.length > 0 ? { flows: this.columns.flowsInto(rest.outputs) } : {}),
    })
  }

  /** Rows of a cursor that is not known may be rows of anything. */
  ofFetch(cursor: Facts | undefined): Facts {
    const source = cursor?.later ?? cursor
    const uses = [...this.uses.byText(() => true), ...(source?.uses ?? [])]
    if (!source) return this.facts(uses, { behind: ANYTHING })
    const { outputs, reads, mayRead, predicates, ordering, parts, readOnly, behind } = source
    return this.facts(uses, {
      behind,
      outputs: this.command.fetches?.moves ? [] : outputs,
      reads,
      mayRead,
      predicates,
      ordering,
      parts,
      readOnly,
    })
  }

  private facts(own: readonly Use[], known: Partial<Facts>): Facts {
    const { command, reach } = this
    this.structure(own)
    const uses = distinctUses([...own, ...reach.uses])
    const { dangers = [], ...rest } = known
    const facts: Facts = {
      tag: command.tag,
      actions: [...new Set(uses.map(({ action }) => action))],
      uses,
      relations: relationFacts(uses),
      readOnly: false,
      unresolved: false,
      onlyTemporary: false,
      outputs: undefined,
      reads: [],
      mayRead: this.columns.spokenOf([...this.seen, ...reach.reads]),
      mayWrite: this.columns.spokenOf(reach.writes),
      writes: [],
      predicates: [],
      ordering: [],
      flows: [],
      steering: [],
      parts: this.columns.parts(uses),
      countable: this.counting.harmless,
      behind: this.behind(),
      ...rest,
      dangers: distinctDangers([...command.dangers, ...reach.dangers, ...dangers]),
    }
    const whole = facts.unresolved ? { ...facts, behind: ANYTHING } : facts
    return uses.some(opensTemporary) ? changing(this.wrapped(changing(whole))) : this.wrapped(whole)
  }

  /** What a statement carries has a text of its own. */
  private behind(): SessionChanges {
    const { names, handles } = this.reach.behind
    const { inner } = this.command
    return { names: names || (inner?.command.settings.some(changesNaming) ?? false), handles }
  }

  /** What a statement carries gives its rows later, or not at all. */
  private wrapped(facts: Facts): Facts {
    const { explain, prepares, declares, creates, copy } = this.command
    if (explain) return { ...facts, outputs: [PLAN], flows: explain.analyze ? facts.flows : [] }
    if (prepares !== undefined) return prepared(facts, this.command.inner?.command.dangers ?? [])
    if (declares !== undefined) return { ...facts, outputs: [], later: facts }
    if (copy?.direction === 'in' || creates.length > 0) return { ...facts, outputs: [] }
    const isWhole = copy?.relation !== undefined && !copy.columns
    return isWhole ? { ...facts, outputs: this.columns.withoutGenerated(facts.outputs) } : facts
  }

  // Functions

  private calls(analysis: Analysis): void {
    const { inner, settings: said } = this.command
    for (const reach of [this.reach, this.counting]) {
      reach.calls(analysis, said.length + (inner?.command.settings.length ?? 0))
    }
  }

  private get isProven(): boolean {
    return this.reach.harmless && this.reach.proven
  }

  /** Event triggers fire also where what is made or dropped is the session's own. */
  private structure(own: readonly Use[]): void {
    if (own.some(({ action, deferred }) => STRUCTURAL.has(action) && !deferred)) this.reach.structure(this.command.tag)
    if (this.reach.uses.some(({ action }) => STRUCTURAL.has(action))) this.reach.structure(undefined)
  }

  private callByName(): void {
    const asCommand = { ...this.command, dangers: [], effects: [], changes: [] }
    this.reach.command(asCommand, 'function', false)
    this.counting.command(asCommand, 'function', false)
  }

  /** The statements of a DO block run now. */
  private body(): void {
    const { body, tag } = this.command
    if (tag !== 'DO' || !body) return
    this.reach.block(body)
  }

  /**
   * Where the variables of a block of code go nobody follows: what it writes, keeps or says in a message may be of
   * anything that it reads. And that it fails, or does not, answers whatever it asks of a value.
   */
  private saidByBlock({ raises }: RoutineBody): Pick<Facts, 'flows' | 'steering'> {
    return {
      flows: raises || !this.reach.harmless ? [{ into: undefined, origins: [], opaque: true }] : [],
      steering: this.columns.spokenOf(this.reach.reads),
    }
  }

  private readEvent(relation: number): void {
    this.reach.event(relation, 'read')
    this.counting.event(relation, 'read')
  }

  private eventsByName({ action, object }: Use): void {
    if (action === 'maintain' && object.kind !== 'relation') return this.maintainedAll()
    if (object.kind !== 'relation') return
    const resolved = resolve(object, this.catalogue, this.session)
    if (resolved.kind !== 'relation') return
    if (action === 'truncate') this.reach.event(resolved.relation.oid, 'truncate')
    if (action === 'maintain') this.maintained(resolved.relation.oid)
    if (action === 'read' || action === 'copyOut' || action === 'truncate') this.readEvent(resolved.relation.oid)
  }

  private seenByName(uses: readonly Use[]): void {
    const { columns } = this.command
    for (const { object, temporary, change } of uses) {
      if (temporary || object.kind !== 'relation' || ['truncate', 'drop'].includes(change?.kind ?? '')) continue
      this.seen.push({ resolved: resolve(object, this.catalogue, this.session), columns })
    }
  }

  /** ANALYZE and its like without a name. */
  private maintainedAll(): void {
    for (const relation of this.catalogue.attached.keys()) this.reach.event(relation, 'maintain')
  }

  /** ANALYZE evaluates expressions of indexes; refreshing a materialized view runs its query. */
  private maintained(relation: number): void {
    this.reach.event(relation, 'maintain')
    this.reach.refreshed(relation)
  }

  /** A relation that came after the catalogue was read. */
  private isIncomplete({ relations, routines, writes }: Analysis): boolean {
    const { catalogue } = this
    return (
      relations.some(({ relation }) => !catalogue.relations.has(relation)) ||
      writes.some(({ relation }) => !catalogue.relations.has(relation)) ||
      routines.some((oid) => !catalogue.functions.has(oid))
    )
  }
}

/** Actions of commands for which event triggers fire. */
const STRUCTURAL = new Set<Action>(['create', 'alter', 'drop', 'grant', 'maintain', 'administer'])

/**
 * Where the session has a table whose rows go with each transaction (ON COMMIT DELETE ROWS), the server empties it
 * after whatever has opened a temporary relation, even to plan; and nothing tells which sessions have one.
 */
const opensTemporary = ({ temporary, object }: Use): boolean => temporary && object.kind === 'relation'

const changing = (facts: Facts): Facts => ({ ...facts, readOnly: false })

/** Nobody knows what is behind it. */
const ANYTHING: SessionChanges = { names: true, handles: true }

const PLAN = { name: 'QUERY PLAN', origins: [], derived: false, opaque: false }

/** Nothing runs yet, so nothing is changed yet; each use waits for EXECUTE. */
const prepared = (facts: Facts, dangers: readonly Danger[]): Facts => ({
  ...facts,
  uses: facts.uses.map((use) => ({ ...use, deferred: true })),
  outputs: [],
  // What only its text tells is as dangerous when it runs.
  later: { ...facts, dangers: distinctDangers([...facts.dangers, ...dangers]) },
  flows: [],
  readOnly: !facts.unresolved && facts.fails === undefined,
})

/** SHOW gives settings; other statements that are not planned give nothing, but a procedure may. */
const shownBy = ({ node, effects }: Command): Facts['outputs'] => {
  if (node === 'CallStmt') return undefined
  if (node !== 'VariableShowStmt') return []
  const name = effects[0]?.object.name ?? ''
  const columns = name === 'all' ? ['name', 'setting', 'description'] : [name]
  return columns.map((column) => ({ name: column, origins: [], derived: false, opaque: false }))
}

/** Plans to be made, and code to be called by name: without the server's word it is not known what they mean. */
const NEEDS_ANALYSIS = new Set([
  'SelectStmt',
  'InsertStmt',
  'UpdateStmt',
  'DeleteStmt',
  'MergeStmt',
  'ExplainStmt',
  'CopyStmt',
  'PrepareStmt',
  'DeclareCursorStmt',
  'CreateTableAsStmt',
])

const distinctUses = (uses: readonly Use[]): readonly Use[] => [
  ...new Map(uses.map((use) => [JSON.stringify(use), use])).values(),
]

const distinctDangers = (dangers: readonly Danger[]): readonly Danger[] => [
  ...new Map(dangers.map((one) => [`${one.code} ${one.text}`, one])).values(),
]

const relationFacts = (uses: readonly Use[]): readonly RelationFacts[] => {
  const relations = new Map<string, Action[]>()
  for (const { action, object } of uses) {
    if (object.kind !== 'relation') continue
    const actions = relations.get(nameText(object)) ?? []
    if (!actions.includes(action)) relations.set(nameText(object), [...actions, action])
  }
  return [...relations].map(([name, actions]) => ({ name, actions }))
}
