import type { Command, Facts, Session } from '@countersign/sql'
import { effectsOf } from '../statement/effects.ts'
import type { SessionView } from './parser-jobs.ts'

/**
 * What words mean from one command of a text to the next: a command that gives them another meaning is followed by
 * commands that are judged before it has run.
 *
 * INVARIANT judged-as-meant: what was prepared or declared within the text is known; what names mean behind a command
 * that may change them is not, and nothing is taken at its name.
 */
export class Words {
  readonly #prepared: Map<string, Facts>
  readonly #cursors: Map<string, Facts>
  readonly #endMatters: boolean
  #session: Session

  constructor(
    { searchPath, temporary, changedSchema, tentative }: SessionView,
    prepared: readonly (readonly [string, Facts])[],
    cursors: readonly (readonly [string, Facts])[],
  ) {
    this.#prepared = new Map(prepared)
    this.#cursors = new Map(cursors)
    this.#endMatters = tentative || changedSchema || temporary.length > 0
    this.#session = {
      searchPath,
      temporary: temporaryKinds(temporary),
      changedSchema,
      prepared: (name) => this.#prepared.get(name),
      cursor: (name) => this.#cursors.get(name),
    }
  }

  get session(): Session {
    return this.#session
  }

  /** This command will have run before the next one. */
  follow(command: Command, facts: Facts, sql: string): void {
    const effects = effectsOf(command, facts, sql)
    const { any, prepares, deallocates, declares, closes, changesNames, changesHandles, changesCatalogue } = effects
    const { endsTransaction } = effects
    if (!any) return
    if (prepares) this.#prepared.set(prepares.name, facts)
    if (deallocates === 'ALL') this.#prepared.clear()
    else if (deallocates !== undefined) this.#prepared.delete(deallocates)
    if (closes === 'ALL' || endsTransaction) this.#cursors.clear()
    else if (closes !== undefined) this.#cursors.delete(closes)
    if (changesHandles) {
      this.#prepared.clear()
      this.#cursors.clear()
    }
    if (declares) this.#cursors.set(declares.name, facts)
    if (changesCatalogue) this.#session = { ...this.#session, changedSchema: true }
    if (changesNames || (endsTransaction && this.#endMatters)) this.#doubt()
  }

  #doubt(): void {
    this.#session = {
      searchPath: [],
      temporary: new Map(),
      changedSchema: true,
      prepared: () => undefined,
      cursor: () => undefined,
    }
  }
}

export const temporaryKinds = (temporary: SessionView['temporary']): Session['temporary'] =>
  new Map(temporary.map(([name, what]) => [name, what === 'other' ? what : 'table']))
