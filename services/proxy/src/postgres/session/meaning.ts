import type { TransactionStatus } from '@countersign/pgwire'
import type { DeclaredCursor } from '../statement/judge.ts'
import type { PostgresExecution, SessionEffects } from '../statement/postgres-judgement.ts'
import type { SessionView } from '../understanding/parser-jobs.ts'
import { NameTable } from './name-table.ts'
import type { Portal, Prepared } from './pending.ts'
import type { SessionTold } from './session-question.ts'

interface Cursor extends DeclaredCursor {
  readonly holds: boolean
  /** Declared in the transaction that is open: a rollback takes it away, although it is to outlive a commit. */
  fresh: boolean
}

/** What names mean, and the same as the beginning of a key. */
export interface NamesMeant {
  readonly session: SessionView
  readonly key: string
}

/**
 * What a client's words mean in its session: by this its statements are judged.
 *
 * INVARIANT judged-as-meant: a statement is judged only when nothing that bears on its meaning is unanswered. What
 * statements do to it is followed as the server completes them, also of those that are undone later, because a
 * rollback takes back neither PREPARE nor DEALLOCATE; and whatever it may have taken back is asked for.
 */
export class Meaning {
  readonly prepared = new NameTable<Prepared>()
  readonly portals = new NameTable<Portal>()
  /**
   * SQL cursors, which share their names with portals: one that is gone must not be taken for another that has its
   * name since.
   */
  readonly cursors = new Map<string, Cursor>()
  reason: string | undefined
  ticket: string | undefined
  /** Where the transaction stands by everything that the server has answered. */
  transaction: TransactionStatus = 'idle'
  /** Grows with each change: what was bound under another version may mean something else by now. */
  version = 0
  readonly #schema: () => unknown
  /** The schema as it was when the server was asked. */
  #askedUnder: unknown
  #unknown = true
  #names: NamesMeant = NOTHING_TOLD
  /** Something was given another meaning in a transaction that may yet be rolled back. */
  #mayBeTakenBack = false
  /** For the rest of the session: what is in temporary tables is looked at by nobody. */
  #tainted = false
  /** Told in the middle of this group: what comes behind its Sync has to wait for how that ends. */
  #toldWithin: number | undefined
  /** Our cursors and prepared statements when the server was asked last, and when it says that each came to be. */
  #handlesBefore: ReadonlyMap<string, { readonly value: unknown; readonly since: string }> = new Map()
  /** Such code has run since, and this is what our names stood for when it had. */
  #doubt: { readonly by: PostgresExecution; readonly stood: ReadonlyMap<string, unknown> } | undefined
  #seesHandles = false
  /** Sent, and not answered: each will change what statements behind it mean. */
  readonly #changing = new Set<PostgresExecution>()

  /** `schema`: stands for the schema of the database; what names mean is asked for again when it is another one. */
  constructor(schema: () => unknown = () => undefined) {
    this.#schema = schema
    this.#askedUnder = schema()
  }

  /** The server has to be asked before the next statement is judged. */
  get unknown(): boolean {
    return this.#unknown || this.#askedUnder !== this.#schema()
  }

  /** The server is asked now: what changes from here on is not in its answer. */
  asks(): void {
    this.#askedUnder = this.#schema()
  }

  /** There are named ones, and it is not known since when. */
  get mustSeeHandles(): boolean {
    return [...this.#standing].some(([name, value]) => this.#handlesBefore.get(name)?.value !== value)
  }

  get asksForHandles(): boolean {
    return this.#seesHandles || this.#doubt !== undefined
  }

  /** The server is to be asked before the next statement, whatever is known. */
  asksAgain(): void {
    this.#unknown = true
  }

  /** Asks for them, because code that may replace them is about to run. */
  seesHandles(): void {
    this.#seesHandles = true
    this.#unknown = true
  }

  /** While this is true, nothing can be judged behind so many Syncs: what has been sent may change what it means. */
  changing(syncs: number): boolean {
    return this.#changing.size > 0 || (this.#toldWithin !== undefined && this.#toldWithin !== syncs)
  }

  /** What names mean. While nobody knows, nothing can be relied on that is not in the statement's own text. */
  get names(): NamesMeant {
    return this.unknown ? NOT_KNOWN : this.#names
  }

  /** `among`: one of several commands of a text, of which an earlier one may do what matters at the end. */
  sent(execution: PostgresExecution, among: boolean, restsOnTransaction: boolean): void {
    const { effects } = execution.judgement
    if (!effects.any) return
    const moves = effects.transaction !== undefined && restsOnTransaction
    if (moves || this.#changes(effects) || (among && effects.endsTransaction)) this.#changing.add(execution)
  }

  /** The server has not completed it and will not. */
  ended(execution: PostgresExecution): void {
    this.#changing.delete(execution)
  }

  /** It has given some of its rows, and may have done some of what it does; nobody knows whether it will go on. */
  suspended(execution: PostgresExecution): void {
    if (!this.#changing.delete(execution)) return
    this.version += 1
    this.#follow(execution)
  }

  /** The server has completed it, whether it will stand or not. Returns portals that are gone with it. */
  completed(execution: PostgresExecution): readonly Portal[] {
    this.transaction = execution.judgement.effects.transaction ?? this.transaction
    // What was not said to change anything when it was sent was not waited for: what came behind it stands.
    if (!this.#changing.delete(execution)) return NO_PORTALS
    const { effects } = execution.judgement
    const { names } = this // A cursor means what names meant when it was declared, whatever its rows may change.
    this.version += 1
    this.#follow(execution)
    return this.#closedBy(effects, execution.command === 'COMMIT', names)
  }

  /** Portals and cursors have one space of names. */
  #closedBy(
    { declares, closes, endsTransaction, endsPortals }: SessionEffects,
    committed: boolean,
    names: NamesMeant,
  ): readonly Portal[] {
    if (closes === 'ALL') this.cursors.clear()
    else if (closes !== undefined) this.cursors.delete(closes)
    if (endsTransaction) this.#forgetCursors(committed)
    if (declares) {
      const { name, text, types, holds } = declares
      this.cursors.set(name, { text, types, session: names.session, namesKey: names.key, holds, fresh: true })
    }
    if (closes === 'ALL' || endsPortals) return this.portals.forget(() => true)
    const name = declares?.name ?? closes
    const portal = name === undefined ? undefined : this.portals.get(name)
    if (name !== undefined) this.portals.delete(name)
    return portal ? [portal] : NO_PORTALS
  }

  #forgetCursors(committed: boolean): void {
    for (const [name, cursor] of this.cursors) {
      if (cursor.holds && (committed || !cursor.fresh)) cursor.fresh = false
      else this.cursors.delete(name)
    }
  }

  /**
   * The server has told. `final`: no transaction is open that may yet be rolled back. `within`: in the middle of the
   * group behind so many Syncs. Returns portals that are not what they were.
   */
  told(
    { searchPath, temporary, reason, ticket, handles }: SessionTold,
    final: boolean,
    within?: number,
  ): readonly Portal[] {
    const lost = this.asksForHandles ? this.#compareHandles(handles ?? new Map()) : NO_PORTALS
    this.reason = reason
    this.ticket = ticket
    this.#unknown = false
    this.#toldWithin = within
    if (final) this.#mayBeTakenBack = false
    const { changedSchema } = this.#names.session
    this.#learn({ searchPath, temporary, changedSchema, tentative: this.#mayBeTakenBack, tainted: this.#tainted })
    return lost
  }

  /** What does not stand for what it stood for before is forgotten: nothing is taken at its name. */
  #compareHandles(now: ReadonlyMap<string, string>): readonly Portal[] {
    const doubt = this.#doubt
    const before = this.#handlesBefore
    const standing = [...this.#standing]
    this.#seesHandles = false
    this.#doubt = undefined
    this.#handlesBefore = new Map(
      standing.flatMap(([name, value]) => {
        const since = now.get(name)
        return since === undefined ? [] : [[name, { value, since }]]
      }),
    )
    if (!doubt) return NO_PORTALS
    this.version += 1
    // What the client itself has named since is what it says.
    const isLost = (name: string, value: unknown) =>
      doubt.stood.get(name) === value && (!now.has(name) || now.get(name) !== before.get(name)?.since)
    for (const [name, cursor] of this.cursors) if (isLost(`c${name}`, cursor)) this.cursors.delete(name)
    this.prepared.forgetNamed((name, prepared) => isLost(`p${name}`, prepared))
    return this.portals.forgetNamed((name, portal) => isLost(`c${name}`, portal) && portal?.execution !== doubt.by)
  }

  /** Nothing that was sent behind what has just been completed was judged yet, so these stood when it ran. */
  get #standing(): ReadonlyMap<string, unknown> {
    return new Map<string, unknown>([
      ...[...this.prepared.named()].map(([name, value]) => [`p${name}`, value] as const),
      ...[...this.portals.named()].map(([name, value]) => [`c${name}`, value] as const),
      ...[...this.cursors].map(([name, value]) => [`c${name}`, value] as const),
    ])
  }

  searchPathChanged(): void {
    this.#namesInDoubt()
  }

  /** A group has ended. Returns true when the schema may be another one now for everybody. */
  ready(status: TransactionStatus, failed: boolean): boolean {
    this.#toldWithin = undefined
    this.transaction = status
    if (this.#mayBeTakenBack && (failed || status === 'idle')) this.#unknown = true
    if (status !== 'idle') return false
    if (this.cursors.size > 0) this.#forgetCursors(!failed)
    const { session } = this.#names
    if (session.temporary.length > 0 && failed) this.#unknown = true
    if (!session.changedSchema) return false
    this.#learn({ ...session, changedSchema: false })
    this.#unknown = true
    return true
  }

  #changes(effects: SessionEffects): boolean {
    const { prepares, deallocates, declares, closes, says, changesNames, changesCatalogue, taints, endsTransaction } =
      effects
    const names =
      changesNames ||
      effects.changesHandles ||
      says ||
      changesCatalogue ||
      (taints && !this.#tainted) ||
      prepares !== undefined
    const opened = this.cursors.size > 0 || this.portals.size > 0
    const given = deallocates !== undefined || declares !== undefined || closes !== undefined
    return names || given || (endsTransaction && (this.#endMattersToNames || opened))
  }

  /** The end of the transaction may change what names mean. */
  get #endMattersToNames(): boolean {
    const { temporary, changedSchema } = this.#names.session
    return this.unknown || this.#mayBeTakenBack || changedSchema || temporary.length > 0
  }

  #follow(execution: PostgresExecution): void {
    const { prepares, deallocates, says, changesNames, changesHandles, changesCatalogue, taints, endsTransaction } =
      execution.judgement.effects
    if (prepares) this.prepared.set(prepares.name, preparedFrom(prepares.text, prepares.types))
    if (deallocates === 'ALL') this.prepared.clear()
    else if (deallocates !== undefined) this.prepared.delete(deallocates)
    if (changesNames || says) this.#namesInDoubt()
    if (changesHandles) {
      this.#doubt = { by: execution, stood: this.#standing }
      this.#unknown = true
    }
    if (changesCatalogue) this.#learn({ ...this.#names.session, changedSchema: true })
    if (endsTransaction && this.#endMattersToNames) this.#unknown = true
    if (!taints || this.#tainted) return
    this.#tainted = true
    this.#learn({ ...this.#names.session, tainted: true })
  }

  #namesInDoubt(): void {
    this.#unknown = true
    this.#mayBeTakenBack = true
  }

  #learn(session: SessionView): void {
    const { searchPath, temporary, changedSchema, tentative, tainted } = session
    this.#names = { session, key: `${JSON.stringify([searchPath, temporary, changedSchema, tentative, tainted])}\n` }
  }
}

/** Nothing is taken at its name, as in a transaction that has changed the schema. */
const NOT_KNOWN: NamesMeant = {
  session: { searchPath: [], temporary: [], changedSchema: true, tentative: true, tainted: true },
  key: 'not known\n',
}

const NO_PORTALS: readonly Portal[] = []

const NOTHING_TOLD: NamesMeant = {
  session: { ...NOT_KNOWN.session, changedSchema: false, tentative: false, tainted: false },
  key: '',
}

export const preparedFrom = (text: string, parameterTypes: readonly number[]): Prepared => ({
  text,
  textBytes: Buffer.from(text),
  parameterTypes,
  columns: undefined,
})
