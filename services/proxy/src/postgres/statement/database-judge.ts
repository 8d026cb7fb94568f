import { hash } from 'node:crypto'
import { setImmediate as turn } from 'node:timers/promises'
import { Blast, type Digest, type Principal, type RequestId, type Touch } from '@countersign/contracts'
import type { CopyFormat, DataClass } from '@countersign/masking'
import {
  decide,
  EVERY_FACT,
  maskDecision,
  recordedFacts,
  requestFrom,
  seesEverything,
  wallClock,
  type ClockFacts,
  type Count,
  type Decision,
  type MaskContext,
  type MaskDecision,
  type PolicySet,
} from '@countersign/policy'
import {
  countQueries,
  displayText,
  mentionsTemporary,
  nameText,
  shapeOf,
  TEMPORARY,
  temporaryTablesIn,
  unknownBlast,
  type Action,
  type Command,
  type Copy,
  type Facts,
} from '@countersign/sql'
import { BoundedCache } from '../../bounded-cache.ts'
import { UNKEPT, type Guard } from '../../statement/guard.ts'
import type { KnownColumn } from '../../statement/masked-column.ts'
import { StatementRefusedError } from '../../statement/refusal.ts'
import type { Knowledge } from '../catalogue/knowledge.ts'
import { rowsIn, type Image } from '../undo/image.ts'
import { restoreQuery } from '../undo/restore-query.ts'
import { relationsOf } from '../undo/undos.ts'
import type { ServerTree, SessionView } from '../understanding/parser-jobs.ts'
import type { Parser } from '../understanding/parser.ts'
import { temporaryKinds } from '../understanding/words.ts'
import type { BlastRadius, HeldCommand } from './blast-radius.ts'
import { calledFunction, type CalledFunction } from './called-function.ts'
import { effectsOf, NO_EFFECTS } from './effects.ts'
import { explainedAnswer, explainedIn } from './explain-policy.ts'
import { guardOf } from './guard-of.ts'
import type { Asking, BoundParameters, Circumstances, Judge } from './judge.ts'
import type { PostgresJudgement, ResultPlanner } from './postgres-judgement.ts'
import { isMisread } from './reading.ts'
import { classWithParts, recordedTouches } from './recorded-touches.ts'
import { resultPlanner, type CopyColumn } from './result-plans.ts'
import { undoneIn, undoRequest } from './undo-request.ts'
import { countRows } from './row-counts.ts'

/** The policies in force. */
interface InForce {
  readonly set: PolicySet
  readonly version: string
}

export interface DatabaseJudgeOptions {
  readonly knowledge: Knowledge
  readonly parser: Parser
  /** Undefined until there are any. */
  readonly policy: () => InForce | undefined
  readonly now: () => Date
  /** Finds out what a held statement would reach; without it nobody is told. */
  readonly blast?: BlastRadius
  /** In which policies' weekdays and minutes count. */
  readonly timeZone?: string | undefined
  /** What is kept for a request, to be undone. Rejects with `StatementRefusedError` when nothing is. */
  readonly imageOf?: (requestId: RequestId) => Promise<Image>
}

/** A text, or all texts of one shape, as understood under one meaning of names. */
interface Understood {
  readonly commands: readonly Command[]
  readonly facts: readonly Facts[]
  /** Of the parameters of each command. */
  readonly types: readonly (readonly number[])[]
  readonly shape: Digest
  readonly hidden: string | undefined
  /** Rows have to be counted before it may run. */
  readonly counts: boolean
  /** Of something that it speaks of the server could not tell, because it is locked. */
  readonly locked: boolean
  /** A setting after which this node could not read what its client says. */
  readonly misread: string | undefined
  readonly judgements: Map<string, readonly PostgresJudgement[]>
}

const ENTRIES_MAX = 5_000
const BYTES_MAX = 32 * 1024 * 1024
const DECISIONS_MAX = 64
/** So many commands of one text are decided before other sessions have their turn. */
const AT_ONCE_MAX = 16
/** So long a statement that was never understood before waits for what it speaks of to be unlocked. */
const LOCKED_MS = 60_000
/** Rows are counted up to here; more is "at least so many". */
const COUNT_LIMIT = 1_000_000

/**
 * Judges statements for one database: understood by the parser and the server, decided by policy. What has been
 * understood once is kept, by shape where constants cannot matter and by text otherwise, for as long as neither the
 * schema nor the policy changes.
 */
export class DatabaseJudge implements Judge {
  readonly #options: DatabaseJudgeOptions
  readonly #clock: (at: Date) => ClockFacts
  readonly #texts = new BoundedCache<Understood>(ENTRIES_MAX, BYTES_MAX)
  readonly #shapes = new BoundedCache<Understood>(ENTRIES_MAX, BYTES_MAX)
  readonly #masks = new BoundedCache<MaskDecision>(ENTRIES_MAX, BYTES_MAX)
  readonly #seeing = new BoundedCache<boolean>(ENTRIES_MAX, BYTES_MAX)

  /** How often a text, or its shape, had been understood before, and how often it had to be now. */
  found = 0
  understood = 0

  constructor(options: DatabaseJudgeOptions) {
    this.#options = options
    this.#clock = wallClock(options.timeZone)
  }

  get restsOnTransaction(): boolean {
    const factsUsed = this.#options.policy()?.set.factsUsed
    return factsUsed !== undefined && (factsUsed.has('transaction') || factsUsed.has(EVERY_FACT))
  }

  /** The schema, the classes of columns or the policy have changed: nothing that was judged before holds. */
  forget(): void {
    this.#texts.clear()
    this.#shapes.clear()
    this.#masks.clear()
    this.#seeing.clear()
  }

  /** Policy keeps nothing in this database from this principal, who need not say why. */
  seesEverything(principal: Principal): boolean {
    const policy = this.#options.policy()
    return policy !== undefined && this.#seesEverything(policy.set, principal, this.#time())
  }

  known(sql: string, circumstances: Circumstances): readonly PostgresJudgement[] | undefined {
    if (!this.#options.knowledge.current) return undefined
    const understood = this.#find(sql, circumstances)
    const policy = this.#options.policy()
    if (!understood || !policy || understood.misread !== undefined || mustCount(understood, policy.set))
      return undefined
    if (understood.facts.length > AT_ONCE_MAX && !this.#hasDecided(understood, circumstances, policy)) return undefined
    return this.#decided(understood, sql, circumstances, policy, undefined)
  }

  async ask(sql: string, circumstances: Circumstances, more: Asking = {}): Promise<readonly PostgresJudgement[]> {
    const { bound, stages, signal, reach } = more
    const explained = explainedIn(sql)
    if (explained !== undefined) return [await this.#explain(explained, sql, circumstances, more)]
    const undone = undoneIn(sql)
    if (undone !== undefined) return [await this.#undo(undone, sql, circumstances)]
    const { knowledge } = this.#options
    if (!knowledge.current && knowledge.version !== undefined && this.#isUnbounded(circumstances.principal)) {
      return this.#askUnbounded(sql, circumstances)
    }
    if (!(await knowledge.untilCurrent())) {
      throw new StatementRefusedError('57P03', 'the schema has changed and could not be read yet: try again')
    }
    const understood = this.#find(sql, circumstances) ?? (await this.#understand(sql, circumstances, signal))
    const policy = this.#options.policy()
    if (!policy) throw new StatementRefusedError('57P03', 'this node has no policy in force')
    const counts = mustCount(understood, policy.set)
      ? await this.#count(understood, sql, circumstances, bound)
      : undefined
    const begun = performance.now()
    const judgements = await this.#decidedInTurns(understood, sql, circumstances, policy, counts)
    if (stages) stages.decide += performance.now() - begun
    if (judgements === undefined) return this.ask(sql, circumstances, more)
    const decided = await this.#advised(counts ? judgements : readable(understood, judgements), sql, circumstances)
    return reach && isHeld(decided) ? this.#withBlast(understood, sql, circumstances, bound, decided) : decided
  }

  /**
   * What is not let through is looked at once more, for how it could be: of this very text, so it is not kept. Without
   * an answer there is no advice, and nothing else changes.
   */
  async #advised(
    judgements: readonly PostgresJudgement[],
    sql: string,
    { session }: Circumstances,
  ): Promise<readonly PostgresJudgement[]> {
    // A text with passwords is repeated to nobody; of a schema that only this session sees nothing is known.
    const isHidden = judgements.some(({ hidden }) => hidden !== undefined)
    if (!judgements.some(isHeldOrDenied) || isHidden || session.changedSchema) return judgements
    const { parser, knowledge } = this.#options
    const known = judgements.map(({ rows, touches }) => ({ rows: rows?.rows, sensitive: returnedOf(touches) }))
    const asked = { catalogue: knowledge.name, sql, session, known }
    const advice = await parser.ask('advise', asked).catch(() => [])
    return judgements.map((judgement, index) => {
      const safer = advice[index] ?? []
      return isHeldOrDenied(judgement) && safer.length > 0 ? { ...judgement, safer } : judgement
    })
  }

  /** Policy lets this principal do whatever it is, and see whatever comes of it. */
  #isUnbounded(principal: Principal): boolean {
    return this.#options.policy()?.set.looksAtStatements === false && this.seesEverything(principal)
  }

  /**
   * While the schema is another one than is known: nothing is decided by it, so nobody has to wait. What is believed of
   * a statement may be outdated, so none of it counts as read-only, and each waits for its record.
   */
  async #askUnbounded(sql: string, circumstances: Circumstances): Promise<readonly PostgresJudgement[]> {
    const understood = await this.#understandNow(sql, circumstances)
    const policy = this.#options.policy()
    if (!policy) throw new StatementRefusedError('57P03', 'this node has no policy in force')
    const judged = readable(understood, this.#decided(understood, sql, circumstances, policy, undefined))
    return judged.map((judgement) => ({ ...judgement, readOnly: false }))
  }

  /** Asked each time: what has a number now may have had another one before. */
  called(oid: number): Promise<CalledFunction> {
    return calledFunction(this.#options.knowledge.side, oid)
  }

  notUnderstood(sql: string, { message }: StatementRefusedError): PostgresJudgement {
    return { ...this.#nothingKnown(sql), tag: 'unknown', actions: ['unknown'], verdict: 'deny', because: message }
  }

  async #explain(
    explained: string,
    sql: string,
    circumstances: Circumstances,
    { bound, signal }: Asking,
  ): Promise<PostgresJudgement> {
    const found = await this.ask(explained, circumstances, { bound, reach: true, ...(signal && { signal }) }).catch(
      (error: unknown) => {
        if (error instanceof StatementRefusedError) return error
        throw error
      },
    )
    return { ...this.#nothingKnown(sql), tag: 'EXPLAIN', readOnly: true, replacement: explainedAnswer(found) }
  }

  /** Decided by what it will do to which rows, like any other change. */
  async #undo(requestId: RequestId, sql: string, circumstances: Circumstances): Promise<PostgresJudgement> {
    const { imageOf, policy: inForce } = this.#options
    const policy = inForce()
    if (!policy || !imageOf) throw new StatementRefusedError('57P03', 'this node has no policy in force')
    const image = await imageOf(requestId)
    const facts = {
      ...circumstances,
      ...this.#time(),
      classOf: (column: string) => this.#options.knowledge.classOf(column),
    }
    const { request, touches } = undoRequest(image, facts)
    const decision = boundedTo(rowsIn(image), decide(policy.set, request))
    const { verdict, policies, approvers, quorum, advice } = decision
    const relations = request.uses.map(({ resource, action }) => ({ name: nameText(resource), actions: [action] }))
    return {
      ...this.#nothingKnown(sql),
      tag: 'UNDO',
      actions: [...new Set(request.uses.map(({ action }) => action))],
      relations,
      verdict,
      policies,
      policyVersion: policy.version,
      approvers,
      quorum,
      because: verdict === 'allow' ? decision.because : `UNDO ${requestId}: ${decision.because}`,
      advice,
      rows: { rows: rowsIn(image), exact: true },
      replacement: restoreQuery(image),
      touches,
      facts: recordedFacts(request, { returned: [], notCounted: false }),
      restores: requestId,
      restored: relationsOf(image),
    }
  }

  #nothingKnown(sql: string): PostgresJudgement {
    return {
      tag: '',
      hidden: displayText(sql, undefined),
      span: undefined,
      actions: ['read'],
      relations: [],
      readOnly: false,
      shape: digestOf(sql),
      verdict: 'allow',
      policies: [],
      policyVersion: this.#options.policy()?.version ?? 'none',
      catalogueVersion: this.#options.knowledge.version ?? 'none',
      approvers: [],
      quorum: 1,
      because: '',
      advice: undefined,
      rows: undefined,
      counts: false,
      replacement: undefined,
      sensitive: true,
      touches: [],
      facts: { statement: '', uses: [] },
      effects: NO_EFFECTS,
      results: AS_THEY_ARE,
    }
  }

  // -- understanding ------------------------------------------------------------------------------------------------

  #find(sql: string, circumstances: Circumstances): Understood | undefined {
    const meant = meantBy(circumstances)
    const byText = this.#texts.get(meant + sql)
    const shape = byText ? undefined : shapeOf(sql)
    const found = byText ?? (shape === undefined ? undefined : this.#shapes.get(meant + shape))
    if (found) this.found += 1
    return found
  }

  async #understand(sql: string, circumstances: Circumstances, signal?: AbortSignal): Promise<Understood> {
    const { knowledge } = this.#options
    const { version } = knowledge
    const understood = await this.#understandNow(sql, circumstances)
    const isUnclear = understood.locked || understood.facts.some(({ unresolved }) => unresolved)
    const matters = this.#options.policy()?.set.looksAtStatements ?? true
    if (!isUnclear || !matters) return understood
    if (understood.locked) return this.#whenUnlocked(sql, circumstances, signal)
    // It may speak of something that came after we have read the schema.
    const mayBeNew = !circumstances.session.changedSchema && version !== undefined
    const isNew = mayBeNew && (await knowledge.lookAgain(version))
    return isNew ? this.#understandNow(sql, circumstances) : understood
  }

  /** Waits as the statement would at the server, but for what its own transaction has locked, or is the reason for. */
  async #whenUnlocked(sql: string, circumstances: Circumstances, signal?: AbortSignal): Promise<Understood> {
    const { knowledge } = this.#options
    const giveUpAt = performance.now() + LOCKED_MS
    let byItself = false
    const look = async (waiting: number) => {
      byItself = await knowledge.isBlockedBy(waiting, circumstances.processId)
    }
    const treeOf: TreeOf = (...asked) => knowledge.patientAnalysis.treeOf(...asked, look)
    for (;;) {
      const understood = await this.#understandNow(sql, circumstances, treeOf)
      if (!understood.locked || byItself || signal?.aborted !== false) return understood
      if (performance.now() > giveUpAt) throw new StatementRefusedError('55P03', LOCKED, { hint: LOCKED_HINT })
    }
  }

  async #understandNow(
    sql: string,
    circumstances: Circumstances,
    treeOf: TreeOf = (...asked) => this.#options.knowledge.analysis.treeOf(...asked),
  ): Promise<Understood> {
    this.understood += 1
    const { parser, knowledge } = this.#options
    const { version, current } = knowledge
    if (version === undefined) {
      throw new StatementRefusedError('57P03', 'this node has not read the schema of the database yet: try again')
    }
    const { understanding, shapeInput, hidden } = await parser.ask('understand', { sql })
    const { commands } = understanding
    const named = await this.#namedIn(commands, circumstances)
    const trees: ServerTree[] = []
    const types: (readonly number[])[] = []
    let locked = false
    for (const { analysable, parameterTypes } of commands) {
      const { searchPath } = circumstances.session
      const own = parameterTypes ? await this.#typesOf(parameterTypes, searchPath) : circumstances.types
      const tree = analysable === undefined ? undefined : await treeOf(analysable, searchPath, own)
      locked ||= tree === 'locked'
      trees.push(tree === 'locked' ? undefined : tree)
      types.push(own)
    }
    const { session } = circumstances
    const judged = (seen: readonly ServerTree[]) =>
      parser.ask('judge', { catalogue: knowledge.name, sql, trees: seen, types, session, ...named.facts })
    const alone = await judged(trees)
    const equipped = await this.#equipped(commands, alone, trees, types, session)
    const facts = equipped ? await judged(equipped) : alone
    const understood: Understood = {
      commands,
      facts,
      types,
      shape: digestOf(shapeInput),
      hidden,
      counts: facts.some((each, index) => needsCount(each, commands[index], session)),
      locked,
      misread: misreadIn(commands),
      judgements: new Map(),
    }
    const asked = trees.every((tree, index) => tree !== undefined || commands[index]?.analysable === undefined)
    // What was understood by one schema is not kept for another.
    const lasts = current && knowledge.current && knowledge.version === version
    if (named.any || !asked || !lasts) return understood
    const shape = understanding.shapeable ? shapeOf(sql) : undefined
    const weight = 2 * sql.length + 4_000
    const meant = meantBy(circumstances)
    if (shape === undefined) this.#texts.set(meant + sql, understood, weight)
    else this.#shapes.set(meant + shape, understood, weight)
    return understood
  }

  /**
   * What is not understood because it speaks of temporary tables is analysed again, with tables like them. Undefined
   * when that is of no help.
   */
  async #equipped(
    commands: readonly Command[],
    facts: readonly Facts[],
    trees: readonly ServerTree[],
    types: readonly (readonly number[])[],
    { temporary, searchPath, changedSchema, tainted }: SessionView,
  ): Promise<readonly ServerTree[] | undefined> {
    if (temporary.length === 0 || changedSchema) return undefined
    const names = { searchPath, temporary: temporaryKinds(temporary) }
    const better = [...trees]
    for (const [index, command] of commands.entries()) {
      const { unresolved, onlyTemporary } = facts[index] ?? { unresolved: false, onlyTemporary: false }
      const isVague = unresolved || (tainted && onlyTemporary)
      const spoken = isVague ? temporaryTablesIn(command, names) : undefined
      if (!spoken || spoken.size === 0 || command.analysable === undefined) continue
      const tables = temporary.flatMap(([name, what]) =>
        spoken.has(name) && what !== 'other' ? [{ name, columns: what }] : [],
      )
      better[index] = await this.#options.knowledge.analysis.equippedTreeOf(
        command.analysable,
        searchPath,
        types[index] ?? [],
        tables,
      )
    }
    return better.some((tree, index) => tree !== trees[index]) ? better : undefined
  }

  /** Without its types nobody could say later which statement was prepared. */
  async #typesOf(names: readonly string[], searchPath: readonly string[]): Promise<readonly number[]> {
    const types = await this.#options.knowledge.analysis.typesOf(names, searchPath)
    if (types) return types
    throw new StatementRefusedError('42704', `types of the parameters are not known to this node: ${names.join(', ')}`)
  }

  /** Facts of what the session has prepared or declared, when the text speaks of it. Such a text is this session's own. */
  async #namedIn(commands: readonly Command[], circumstances: Circumstances) {
    const prepared: [string, Facts][] = []
    const cursors: [string, Facts][] = []
    for (const { executes, inner, fetches } of commands) {
      const execution = executes ?? inner?.command.executes
      const found = execution && circumstances.prepared(execution.name)
      if (execution && found) {
        prepared.push([execution.name, await this.#factsOf(found.text, { ...circumstances, types: found.types })])
      }
      const declared = fetches && circumstances.cursor(fetches.cursor)
      if (!fetches || !declared) continue
      cursors.push([fetches.cursor, await this.#factsOf(declared.text, { ...circumstances, ...declared })])
    }
    const any = commands.some(({ executes, inner, fetches }) => executes ?? inner?.command.executes ?? fetches)
    return { any, facts: { prepared, cursors } }
  }

  async #factsOf(sql: string, circumstances: Circumstances): Promise<Facts> {
    const { facts } = this.#find(sql, circumstances) ?? (await this.#understand(sql, circumstances))
    const [first] = facts
    if (!first) throw new StatementRefusedError('26000', 'the prepared statement is empty')
    return first
  }

  // -- deciding -----------------------------------------------------------------------------------------------------

  #decided(
    understood: Understood,
    sql: string,
    circumstances: Circumstances,
    policy: InForce,
    counts: readonly (readonly Count[])[] | undefined,
  ): readonly PostgresJudgement[] {
    const known = counts ? undefined : understood.judgements.get(this.#decisionKey(circumstances, policy))
    if (known) return known
    const judgements = [...this.#oneByOne(understood, sql, circumstances, policy, counts)]
    if (!counts) this.#keep(understood, circumstances, policy, judgements)
    return judgements
  }

  /**
   * The same, but a text of thousands of commands leaves the other sessions their turns. Undefined when the policy or
   * the schema has changed meanwhile: then it has to be asked again, for the text is decided by one of each.
   */
  async #decidedInTurns(
    understood: Understood,
    sql: string,
    circumstances: Circumstances,
    policy: InForce,
    counts: readonly (readonly Count[])[] | undefined,
  ): Promise<readonly PostgresJudgement[] | undefined> {
    const isShort = understood.facts.length <= AT_ONCE_MAX
    if (isShort || (!counts && this.#hasDecided(understood, circumstances, policy))) {
      return this.#decided(understood, sql, circumstances, policy, counts)
    }
    const { version } = this.#options.knowledge
    const judgements: PostgresJudgement[] = []
    for (const judgement of this.#oneByOne(understood, sql, circumstances, policy, counts)) {
      judgements.push(judgement)
      if (judgements.length % AT_ONCE_MAX !== 0) continue
      await turn()
      if (this.#options.knowledge.version !== version || this.#options.policy()?.version !== policy.version)
        return undefined
    }
    if (!counts) this.#keep(understood, circumstances, policy, judgements)
    return judgements
  }

  *#oneByOne(
    understood: Understood,
    sql: string,
    circumstances: Circumstances,
    policy: InForce,
    counts: readonly (readonly Count[])[] | undefined,
  ): Generator<PostgresJudgement> {
    let { transaction } = circumstances
    for (const [index, facts] of understood.facts.entries()) {
      const asked = { ...circumstances, transaction }
      const found = this.#judgement(understood, facts, index, sql, asked, policy, counts?.[index] ?? [])
      transaction = found.effects.transaction ?? transaction
      yield found
    }
  }

  #hasDecided({ judgements }: Understood, circumstances: Circumstances, policy: InForce): boolean {
    return judgements.has(this.#decisionKey(circumstances, policy))
  }

  #keep(
    { judgements }: Understood,
    circumstances: Circumstances,
    policy: InForce,
    made: readonly PostgresJudgement[],
  ): void {
    if (judgements.size >= DECISIONS_MAX) judgements.clear()
    judgements.set(this.#decisionKey(circumstances, policy), made)
  }

  /** Everything beside the statement that its decision can depend on. */
  #decisionKey({ principal, transaction, reason, ticket }: Circumstances, { set, version }: InForce) {
    const { factsUsed } = set
    const uses = (fact: string) => factsUsed.has(fact) || factsUsed.has(EVERY_FACT)
    return [
      version,
      principalKey(principal),
      ...this.#timeUsed(set),
      reason ?? '',
      uses('ticket') || ticket !== undefined ? (ticket ?? '') : '',
      uses('transaction') ? transaction : '',
    ].join('\n')
  }

  /** What is decided under one hour, weekday and minute holds for as long as those that some policy looks at. */
  #timeUsed({ factsUsed, maskFactsUsed }: PolicySet): readonly (number | '')[] {
    const uses = (fact: string) => [factsUsed, maskFactsUsed].some((used) => used.has(fact) || used.has(EVERY_FACT))
    const { hour, weekday, minuteOfDay } = this.#time()
    return [uses('hour') ? hour : '', uses('weekday') ? weekday : '', uses('minuteOfDay') ? minuteOfDay : '']
  }

  #judgement(
    understood: Understood,
    facts: Facts,
    index: number,
    sql: string,
    circumstances: Circumstances,
    { set, version }: InForce,
    counts: readonly Count[],
  ): PostgresJudgement {
    const { knowledge } = this.#options
    const command = understood.commands[index]
    const { principal, target, transaction, reason, ticket } = circumstances
    const time = this.#time()
    const said = { ...(reason !== undefined && { reason }), ...(ticket !== undefined && { ticket }) }
    const { tainted } = circumstances.session
    const classOf = classWithParts(facts, (column) =>
      column.startsWith(`${TEMPORARY}.`) ? (tainted ? 'unknown' : 'clear') : knowledge.classOf(column),
    )
    const request = requestFrom(facts, { principal, target, transaction, ...time, ...said }, classOf, counts)
    const decided = decide(set, request)
    const guard = guardOf({
      decision: decided,
      facts,
      counts,
      countLimit: COUNT_LIMIT,
      runs: this.#runs(command, circumstances),
      text: understood.commands,
    })
    const decision = keptTo(guard, decided)
    const maskContext = { ...time, ...said }
    const maskRule = (column: KnownColumn) => this.#mask(set, principal, column, maskContext)
    const touched = recordedTouches(facts, classOf, maskRule)
    const verdict = decision.verdict === 'allow' && touched.masks ? 'mask' : decision.verdict
    const sensitive = touched.sensitive || this.#mayTell(facts, classOf)
    const ownRows = facts.onlyTemporary && !circumstances.session.tainted && understood.commands.length === 1
    return {
      tag: facts.tag,
      hidden: understood.hidden,
      span: understood.commands.length > 1 ? command?.span : undefined,
      actions: facts.actions,
      relations: facts.relations.slice(0, LIST_MAX).map(({ name, actions }) => ({ name, actions: [...actions] })),
      readOnly: facts.readOnly,
      shape: understood.shape,
      verdict,
      policies: decision.policies,
      policyVersion: version,
      catalogueVersion: knowledge.version ?? 'none',
      approvers: decision.approvers,
      quorum: decision.quorum,
      because: becauseOf(decision, facts),
      advice: decision.advice,
      wanted: decision.wanted,
      endsSession: decision.endsSession,
      rows: rowsOf(facts, counts),
      ...(guard && decision.verdict !== 'deny' && { guard }),
      ...(decision.verdict === 'hold' && decision.undoHours !== undefined && { undoHours: decision.undoHours }),
      counts: mustCount(understood, set),
      replacement: undefined,
      sensitive,
      touches: touched.touches,
      facts: recordedFacts(request, {
        returned: touched.returned,
        notCounted: understood.counts && !mustCount(understood, set),
      }),
      ...(showsName(command) && { showsName: true }),
      effects: effectsOf(command, facts, sql, { sensitive, types: understood.types[index] ?? [] }),
      results: resultPlanner({
        facts,
        ownRows,
        columnAt: (relation, attribute) => knowledge.columnAt(relation, attribute),
        classOf,
        maskRule,
        seesAll: () => this.#seesEverything(set, principal, maskContext),
        copy: command?.copy && copyOf(command.copy, facts, knowledge),
      }),
    }
  }

  /** EXECUTE runs what was prepared, which has been understood by now. */
  #runs(command: Command | undefined, circumstances: Circumstances): Command | undefined {
    if (command?.node !== 'ExecuteStmt') return command
    const prepared = command.executes && circumstances.prepared(command.executes.name)
    const found = prepared && this.#find(prepared.text, { ...circumstances, types: prepared.types })?.commands[0]
    return found?.inner?.runs === 'later' ? found.inner.command : found
  }

  /**
   * What the server says of it may hold sensitive values: of what code behind it reads, and of a whole row that is
   * written and cannot be.
   */
  #mayTell({ unresolved, mayRead, actions, relations }: Facts, classOf: (column: string) => DataClass): boolean {
    if (unresolved || actions.includes('unknown') || mayRead.some(({ name }) => classOf(name) !== 'clear')) return true
    const written = relations.filter((relation) => relation.actions.some((action) => WRITES_ROWS.has(action)))
    return written.some(({ name }) => this.#options.knowledge.holdsSensitive(name))
  }

  #seesEverything(set: PolicySet, principal: Principal, context: MaskContext): boolean {
    const key = JSON.stringify([set.digest, principalKey(principal), this.#maskKey(set, context)])
    const known = this.#seeing.get(key)
    if (known !== undefined) return known
    const all = seesEverything(set, principal, this.#options.knowledge.target, context)
    this.#seeing.set(key, all, 2 * key.length + 100)
    return all
  }

  #time(): ClockFacts {
    return this.#clock(this.#options.now())
  }

  #maskKey({ maskFactsUsed }: PolicySet, context: MaskContext): readonly unknown[] {
    const entries = Object.entries(context)
    return maskFactsUsed.has(EVERY_FACT) ? entries : entries.filter(([fact]) => maskFactsUsed.has(fact))
  }

  #mask(set: PolicySet, principal: Principal, column: KnownColumn, context: MaskContext): MaskDecision {
    const key = JSON.stringify([
      set.digest,
      principalKey(principal),
      column.name,
      column.class,
      this.#maskKey(set, context),
    ])
    const known = this.#masks.get(key)
    if (known) return known
    const decision = maskDecision(set, principal, this.#options.knowledge.target, column, context)
    this.#masks.set(key, decision, 2 * key.length + 200)
    return decision
  }

  // -- what is held ---------------------------------------------------------------------------------------------------

  /** All of a text is released together, so it is looked at together. Kept with none of what is kept of judgements. */
  async #withBlast(
    { commands, facts }: Understood,
    sql: string,
    circumstances: Circumstances,
    bound: BoundParameters | undefined,
    judgements: readonly PostgresJudgement[],
  ): Promise<readonly PostgresJudgement[]> {
    const { blast, parser } = this.#options
    if (!blast) return judgements
    const { session, prepared, transaction } = circumstances
    const held: HeldCommand[] = []
    const look = async () => {
      for (const [index, reach] of (await parser.ask('reach', { sql })).entries()) {
        const command = commands[index]
        const own = facts[index]
        if (!command || !own) continue
        const { searchPath, temporary } = session
        const mayCount = !mentionsTemporary(command, { searchPath, temporary: temporaryKinds(temporary) })
        const named = reach.executes && prepared(reach.executes.name)
        if (!reach.executes || !named) {
          held.push({ reach, facts: own, mayCount, bound })
          continue
        }
        const [inner] = await parser.ask('reach', { sql: named.text })
        const given = givenBy(reach.executes.arguments, named.types)
        if (inner) held.push({ reach: inner, facts: own, mayCount, bound: given })
      }
      return Blast.parse(await blast.of(held, session, transaction === 'open'))
    }
    // Whatever goes wrong with it, the statement is held all the same, and its approver reads that it is not known.
    const found = await look().catch(() => Blast.parse(unknownBlast('what it reaches: it could not be looked into')))
    return judgements.map((judgement) => ({ ...judgement, blast: found }))
  }

  // -- counting -----------------------------------------------------------------------------------------------------

  async #count(
    { commands, facts }: Understood,
    sql: string,
    { session }: Circumstances,
    bound: BoundParameters | undefined,
  ): Promise<readonly (readonly Count[])[]> {
    const { knowledge } = this.#options
    const counted: (readonly Count[])[] = []
    for (const [index, command] of commands.entries()) {
      const each = facts[index]
      const queries = each && needsCount(each, command, session) ? countQueries(command, sql, COUNT_LIMIT) : []
      counted.push(await countRows(knowledge.side, queries, session.searchPath, bound, COUNT_LIMIT))
    }
    return counted
  }
}

const isHeld = (judgements: readonly PostgresJudgement[]): boolean =>
  judgements.some(({ verdict }) => verdict === 'hold') && judgements.every(({ verdict }) => verdict !== 'deny')

/** What EXECUTE gives as parameters; undefined when something of it is computed. */
const givenBy = (
  values: readonly (string | null | undefined)[],
  types: readonly number[],
): BoundParameters | undefined => {
  const known = values.flatMap((value) => (value === undefined ? [] : [value === null ? null : Buffer.from(value)]))
  return known.length === values.length ? { types, formats: [], values: known } : undefined
}

type TreeOf = (
  text: string,
  searchPath: readonly string[],
  parameterTypes: readonly number[],
) => Promise<ServerTree | 'locked'>

const LOCKED = 'what it speaks of is locked by another session, and without it nobody can say what it means'
const LOCKED_HINT = 'Try again when the other session has ended its transaction.'

const AS_THEY_ARE: ResultPlanner = { rows: () => undefined, copy: () => undefined }

/** One text means the same wherever names do, and the types that are declared for its parameters. */
const meantBy = ({ namesKey, types }: Circumstances): string =>
  types.length === 0 ? namesKey : `${namesKey}${types.join()}\n`

const showsName = (command: Command | undefined): boolean =>
  command?.node === 'VariableShowStmt' && command.effects[0]?.object.name.toLowerCase() === 'application_name'

const WRITES_ROWS = new Set<Action>(['write', 'delete', 'copyIn', 'alter', 'create', 'maintain'])

const LIST_MAX = 1_000

const isHeldOrDenied = ({ verdict }: PostgresJudgement): boolean => verdict === 'hold' || verdict === 'deny'

/** Sensitive columns that it would give out, masked or not. */
const returnedOf = (touches: readonly Touch[]): readonly string[] =>
  touches.flatMap(({ relation, column, how, class: found }) =>
    how.startsWith('returned') && column !== undefined && found !== undefined && found !== 'clear'
      ? [`${relation}.${column}`]
      : [],
  )

const digestOf = (text: string): Digest => hash('sha256', text, 'hex') as Digest

const principalKey = ({ id, kind, groups, onBehalfOf }: Principal) =>
  `${kind} ${id} ${onBehalfOf ?? ''} ${groups.join()}`

/** Where policy says nothing against it, the node does: otherwise the session would have to end when it is done. */
const readable = ({ misread }: Understood, judged: readonly PostgresJudgement[]): readonly PostgresJudgement[] => {
  if (misread === undefined || judged.some(({ verdict }) => verdict === 'deny')) return judged
  throw new StatementRefusedError('0A000', `${misread} cannot be set to this through Countersign`, {
    hint: 'Statements are read as UTF-8, with standard_conforming_strings on and transform_null_equals off.',
  })
}

const misreadIn = (commands: readonly Command[]): string | undefined =>
  commands
    .flatMap(({ settings }) => settings)
    .find(({ name, values }) => values?.some((value) => isMisread(name, value)))?.name

/** Policies that decide whatever a statement does need no number of rows. */
const mustCount = ({ counts }: Understood, { looksAtStatements }: PolicySet): boolean => counts && looksAtStatements

/**
 * It changes rows of which no key says how many, and nothing that counting them would call can change anything. What
 * is in the session's own tables no other connection can count.
 */
const needsCount = (
  { uses, countable }: Facts,
  command: Command | undefined,
  { temporary, searchPath }: SessionView,
): boolean =>
  countable &&
  command !== undefined &&
  !mentionsTemporary(command, { searchPath, temporary: temporaryKinds(temporary) }) &&
  uses.some(({ change, deferred }) => change?.index !== undefined && change.rowsAtMost === undefined && !deferred) &&
  command.changes.some(({ count }) => count !== undefined)

/** Where policy asks for a guard that nobody could keep to, it is not let through without one. */
const keptTo = (guard: Guard | undefined, decision: Decision): Decision => {
  if (decision.undoHours !== undefined && (!guard || guard.unkept !== undefined)) {
    const why = guard?.unkept === undefined ? 'nobody has counted its rows' : UNKEPT[guard.unkept]
    return deniedFor(decision, decision.policies, `it must be possible to undo it, and that cannot be seen to: ${why}`)
  }
  if (guard?.by !== 'policy' || guard.unkept === undefined || !decision.guard) return decision
  const { policies } = decision.guard
  const because = `policy ${policies.join(', ')} bounds its rows, and that cannot be kept: ${UNKEPT[guard.unkept]}`
  return deniedFor(decision, policies, because)
}

/** A bound of a policy holds for what undoes as well. */
const boundedTo = (rows: number, decision: Decision): Decision =>
  decision.guard && rows > decision.guard.rowsMax
    ? deniedFor(
        decision,
        decision.guard.policies,
        `it changes ${rows} rows, and policy allows ${decision.guard.rowsMax}`,
      )
    : decision

const deniedFor = (decision: Decision, policies: readonly string[], because: string): Decision => ({
  ...decision,
  verdict: 'deny',
  policies,
  because,
  approvers: [],
  quorum: 1,
  advice: ALONE,
})

const ALONE = 'send each change of rows as a statement of its own'

/** The rule's own words, and what in the statement they are about. */
const becauseOf = ({ verdict, because }: Decision, { tag, relations, dangers }: Facts): string => {
  if (verdict === 'allow') return because
  const what =
    relations.length > 0
      ? ` ${relations
          .slice(0, 3)
          .map(({ name }) => name)
          .join(', ')}`
      : ''
  const why =
    dangers.length > 0
      ? ` (${dangers
          .slice(0, 2)
          .map(({ text }) => text)
          .join('; ')})`
      : ''
  return `${tag}${what}: ${because}${why}`
}

/** The most that any one change would concern; undefined when nothing is changed, or nobody can say. */
const rowsOf = ({ uses }: Facts, counts: readonly Count[]): PostgresJudgement['rows'] => {
  const changes = uses.flatMap(({ change, deferred }) => (change && !deferred ? [change] : []))
  const known = changes.flatMap(({ index, rowsAtMost }) => {
    const count = counts.find((each) => each.index === index)
    if (count) return [{ rows: count.rows, exact: count.exact }]
    return rowsAtMost === undefined ? [] : [{ rows: rowsAtMost, exact: false }]
  })
  return known.toSorted((a, b) => b.rows - a.rows)[0]
}

/** COPY table TO and COPY (query) TO: the columns that are sent, in order. */
const copyOf = (
  copy: Copy,
  { outputs }: Facts,
  knowledge: Knowledge,
): { format: CopyFormat; columns: readonly CopyColumn[] | undefined } | undefined => {
  if (copy.direction !== 'out') return undefined
  return { format: formatOf(copy), columns: outputs?.map((output) => copyColumn(output, knowledge)) }
}

const TEXT = 25

const copyColumn = (output: NonNullable<Facts['outputs']>[number], knowledge: Knowledge): CopyColumn => {
  const [origin] = output.origins
  const type = !output.derived && origin ? knowledge.typeOf(origin.relation, origin.column) : undefined
  return { output, type: type?.type ?? TEXT, modifier: type?.modifier ?? -1 }
}

const formatOf = ({ format, options }: Copy): CopyFormat => {
  if (format === 'binary') return { format }
  const { delimiter, null: nullText, quote, escape, header } = options
  const common = {
    ...(delimiter !== undefined && { delimiter }),
    ...(nullText !== undefined && { null: nullText }),
    header: header !== undefined && /^(true|on|1|match|)$/i.test(header),
  }
  if (format === 'text') return { format, ...common }
  return { format, ...common, ...(quote !== undefined && { quote }), ...(escape !== undefined && { escape }) }
}
