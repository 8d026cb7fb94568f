import { randomBytes } from 'node:crypto'
import type { CredentialId, PrincipalId } from '@countersign/contracts'
import type { ClosedBecause, Session } from './session/session.ts'

/** The key that lets a client cancel what its session runs. The server's own key never leaves the node. */
export interface CancelKey {
  readonly processId: number
  readonly secret: Buffer
}

/** The low bits of a key's process number say which worker of the node has the session. */
const WORKER_BITS = 8

/** Which worker of its node a key leads to. */
export const workerOf = ({ processId }: CancelKey): number => processId & ((1 << WORKER_BITS) - 1)

/** The live sessions of this worker. */
export class Sessions {
  readonly #byKey = new Map<string, Session>()
  readonly #keys = new Map<Session, string>()
  readonly #worker: number
  #lastNumber = 0

  /** `worker`: its index in the node. */
  constructor(worker = 0) {
    this.#worker = worker
  }

  get size(): number {
    return this.#keys.size
  }

  newKey(): CancelKey {
    this.#lastNumber = (this.#lastNumber % (0x7fffffff >> WORKER_BITS)) + 1
    return { processId: (this.#lastNumber << WORKER_BITS) | this.#worker, secret: randomBytes(4) }
  }

  add(session: Session, key: CancelKey): void {
    this.#byKey.set(textOf(key), session)
    this.#keys.set(session, textOf(key))
  }

  remove(session: Session): void {
    const key = this.#keys.get(session)
    if (key !== undefined) this.#byKey.delete(key)
    this.#keys.delete(session)
  }

  /** Does nothing for a key that nobody has, and says nothing of it: as PostgreSQL does. */
  cancel(key: CancelKey): void {
    this.#byKey.get(textOf(key))?.cancel()
  }

  endWhere(matches: (identity: Session['identity']) => boolean, because: ClosedBecause, lastWords: Buffer): void {
    for (const session of this.#keys.keys()) if (matches(session.identity)) session.interrupt(because, lastWords)
  }

  /** Ends those that lose nothing by it. A statement that is held waits no longer: its session can end then. */
  endIdle(because: 'node-stopping', lastWords: Buffer): void {
    for (const session of this.#keys.keys()) {
      if (session.idle) session.end(because, lastWords)
      else session.leaveHold(because)
    }
  }

  /** Whether one of them is judged by this. */
  someJudgedBy(judge: Session['judge']): boolean {
    return [...this.#keys.keys()].some((session) => session.judge === judge)
  }

  endCredential(credentialId: CredentialId, lastWords: Buffer): void {
    this.endWhere((identity) => identity.credentialId === credentialId, 'revoked', lastWords)
  }

  endPrincipal(principalId: PrincipalId, lastWords: Buffer): void {
    this.endWhere(({ principal }) => principal.id === principalId, 'revoked', lastWords)
  }
}

const textOf = ({ processId, secret }: CancelKey) => `${processId}:${secret.toString('hex')}`
