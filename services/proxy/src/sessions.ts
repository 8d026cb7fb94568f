import { randomBytes } from 'node:crypto'
import type { CredentialId, PrincipalId } from '@countersign/contracts'
import type { ClosedBecause, Session } from './postgres/session/session.ts'

/**
 * The key that lets a client cancel what its session runs. Its number is that of the server's process, because clients
 * know themselves by it: in notifications, `pg_backend_pid()`, `pg_stat_activity`. The server's secret never leaves the
 * node. Two servers may give two sessions one number: the secret, which is ours, tells them apart.
 */
export interface CancelKey {
  readonly processId: number
  readonly secret: Buffer
}

/** The live sessions of this worker. */
export class Sessions {
  readonly #byKey = new Map<string, Session>()
  readonly #keys = new Map<Session, string>()

  get size(): number {
    return this.#keys.size
  }

  /** How many there are for each database, `environment/database`. */
  get byDatabase(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>()
    for (const { identity } of this.#keys.keys()) {
      const name = `${identity.target.environment}/${identity.target.database}`
      counts.set(name, (counts.get(name) ?? 0) + 1)
    }
    return counts
  }

  /** `processId`: the server's process that serves the session. `secretBytes`: what the client's protocol has room for. */
  newKey(processId: number, secretBytes: number): CancelKey {
    return { processId, secret: randomBytes(secretBytes) }
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

  /**
   * Resolves when the server has been told, so that whoever waits for it can go on without fear for its next statement:
   * false when none of them has this key. The client is told nothing of it: as PostgreSQL does.
   */
  async cancel(key: CancelKey): Promise<boolean> {
    const session = this.#byKey.get(textOf(key))
    await session?.cancel()
    return session !== undefined
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
