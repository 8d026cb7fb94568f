import type { Ask } from '../../session/admission.ts'
import type { Identity } from '../../session/identity.ts'
import type { BoundParameters, Circumstances, DeclaredCursor, Judge } from '../statement/judge.ts'
import type { PostgresJudgement } from '../statement/postgres-judgement.ts'
import type { Meaning, NamesMeant } from './meaning.ts'
import type { Portal } from './pending.ts'

/** By what the statements of one session are judged: who asks, and what words mean by now. */
export class SessionCircumstances {
  readonly #identity: Identity
  readonly #meaning: Meaning
  readonly #judge: Judge

  constructor(identity: Identity, meaning: Meaning, judge: Judge) {
    this.#identity = identity
    this.#meaning = meaning
    this.#judge = judge
  }

  /** `names`: what they meant when the statement was bound, where that was earlier. */
  now(names: NamesMeant = this.#meaning.names, types: readonly number[] = NO_TYPES): Circumstances {
    const { principal, target, role, processId } = this.#identity
    const { prepared, cursors, portals, reason, ticket, transaction } = this.#meaning
    return {
      principal,
      target,
      role,
      processId,
      session: names.session,
      namesKey: names.key,
      types,
      transaction,
      reason,
      ticket,
      prepared: (name) => {
        const found = prepared.get(name)
        return found && { text: found.text, types: found.parameterTypes }
      },
      cursor: (name) => cursors.get(name) ?? asCursor(portals.get(name)),
    }
  }

  /** Has a text judged that is only prepared. */
  understanding(sql: string, types: readonly number[]): Ask<PostgresJudgement> {
    return (signal) => this.#judge.ask(sql, this.now(undefined, types), { signal })
  }

  /** Has a statement judged as it would run now. */
  judging(sql: string, bound?: BoundParameters, names?: NamesMeant): Ask<PostgresJudgement> {
    return (signal, stages) =>
      this.#judge.ask(sql, this.now(names, bound?.types), { bound, signal, reach: true, ...(stages && { stages }) })
  }
}

const NO_TYPES: readonly number[] = []

/** SQL may move and fetch from a portal as well: the two have one space of names. */
const asCursor = (portal: Portal | undefined): DeclaredCursor | undefined =>
  portal && {
    text: portal.prepared.text,
    types: portal.prepared.parameterTypes,
    session: portal.names.session,
    namesKey: portal.names.key,
  }
