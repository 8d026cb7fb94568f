import { randomBytes } from 'node:crypto'
import type { CredentialId, PrincipalId } from '@countersign/contracts'
import type { CancelKey, Database, LiveSession } from './protocol.ts'
import type { ClosedBecause } from './telemetry/labels.ts'

interface Kept {
  readonly key: string
  readonly database: Database
}

/** The live sessions of this worker. */
export class Sessions {
  readonly #byKey = new Map<string, LiveSession>()
  readonly #kept = new Map<LiveSession, Kept>()

  get size(): number {
    return this.#kept.size
  }

  /** How many there are for each database, `environment/database`. */
  get byDatabase(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>()
    for (const { identity } of this.#kept.keys()) {
      const name = `${identity.target.environment}/${identity.target.database}`
      counts.set(name, (counts.get(name) ?? 0) + 1)
    }
    return counts
  }

  /** `processId`: the server's process that serves the session. `secretBytes`: what the client's protocol has room for. */
  newKey(processId: number, secretBytes: number): CancelKey {
    return { processId, secret: randomBytes(secretBytes) }
  }

  add(session: LiveSession, key: CancelKey, database: Database): void {
    this.#byKey.set(textOf(key), session)
    this.#kept.set(session, { key: textOf(key), database })
  }

  remove(session: LiveSession): void {
    const kept = this.#kept.get(session)
    if (kept) this.#byKey.delete(kept.key)
    this.#kept.delete(session)
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

  endWhere(matches: (identity: LiveSession['identity']) => boolean, because: ClosedBecause, lastWords: Buffer): void {
    for (const session of this.#kept.keys()) if (matches(session.identity)) session.interrupt(because, lastWords)
  }

  /** Ends those that lose nothing by it. A statement that is held waits no longer: its session can end then. */
  endIdle(because: 'node-stopping', lastWords: Buffer): void {
    for (const session of this.#kept.keys()) {
      if (session.idle) session.end(because, lastWords)
      else session.leaveHold(because)
    }
  }

  /** Whether one of them is a session of this database, as it was configured then. */
  someOf(database: Database): boolean {
    return [...this.#kept.values()].some((kept) => kept.database === database)
  }

  endCredential(credentialId: CredentialId, lastWords: Buffer): void {
    this.endWhere((identity) => identity.credentialId === credentialId, 'revoked', lastWords)
  }

  endPrincipal(principalId: PrincipalId, lastWords: Buffer): void {
    this.endWhere(({ principal }) => principal.id === principalId, 'restricted', lastWords)
  }
}

const textOf = ({ processId, secret }: CancelKey) => `${processId}:${secret.toString('hex')}`
