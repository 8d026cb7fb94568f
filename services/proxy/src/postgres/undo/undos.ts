import { hash } from 'node:crypto'
import type { AccessEvent, RequestId, SessionId, Target } from '@countersign/contracts'
import type { UndoStore } from '../../record/undo-store.ts'
import { StatementRefusedError } from '../../statement/refusal.ts'
import type { PostgresExecution } from '../statement/postgres-judgement.ts'
import type { SideConnection } from '../upstream/side-connection.ts'
import { capture, NotCapturedError, structureChanged } from './capture.ts'
import type { Changed } from './changed-counts.ts'
import { nameOf, type Image } from './image.ts'

export interface UndosOptions {
  readonly store: UndoStore
  readonly side: SideConnection
  readonly target: Target
  readonly now: () => string
}

/** The record of the session in which it happens. */
interface Into {
  readonly sessionId: SessionId
  readonly record: (event: AccessEvent) => void
}

const HOUR_MS = 60 * 60 * 1000

/** What approved statements of one database have changed, as it was before: kept for a time, and given back once. */
export class Undos {
  readonly #options: UndosOptions

  constructor(options: UndosOptions) {
    this.#options = options
  }

  /**
   * Keeps what the transaction has changed, which is still open. Rejects with `StatementRefusedError` when it cannot;
   * then it must not be committed.
   */
  async capture(execution: PostgresExecution, rows: number, changed: Changed, into: Into): Promise<void> {
    const { side, target, store, now } = this.#options
    const { requestId, judgement, statementId } = execution
    const hours = judgement.undoHours
    if (requestId === undefined || hours === undefined) throw new Error('nothing asks for this to be captured')
    const image = await side.run((client) => capture(client, target, changed, rows)).catch(notCaptured)
    const plain = Buffer.from(JSON.stringify(image))
    const at = now()
    const expiresAt = new Date(Date.parse(at) + hours * HOUR_MS).toISOString()
    store.keep(requestId, expiresAt, plain)
    const digest = hash('sha256', plain, 'hex')
    const { sessionId } = into
    into.record({
      type: 'undo.captured',
      data: { requestId, statementId, sessionId, relations: relationsOf(image), digest, expiresAt, at },
    } as AccessEvent)
  }

  /** It was not committed after all. */
  forget({ requestId }: PostgresExecution): void {
    if (requestId !== undefined) this.#options.store.erase(requestId)
  }

  /** What was kept for this request, when it can still be given back. Rejects with `StatementRefusedError`. */
  async imageOf(requestId: RequestId): Promise<Image> {
    const { store, target, now, side } = this.#options
    const image = opened(store, requestId, now())
    if (!image || !isSame(image.target, target)) throw nothingKept(requestId)
    const differs = await side.run((client) => structureChanged(client, image)).catch(notRestored)
    if (differs === undefined) return image
    throw new StatementRefusedError('ZA003', `cannot be undone: ${differs} has another structure now`)
  }

  /** It is undone, and that is committed: it cannot be undone again. */
  used({ statementId, judgement }: PostgresExecution, { sessionId, record }: Into): void {
    const { restores, restored: relations } = judgement
    if (restores === undefined) return
    this.#options.store.erase(restores)
    const at = this.#options.now()
    record({ type: 'undo.used', data: { requestId: restores, statementId, sessionId, relations, at } } as AccessEvent)
  }
}

/** Undefined when its key is gone, or somebody has changed the file. */
const opened = (store: UndoStore, requestId: RequestId, now: string): Image | undefined => {
  try {
    const plain = store.open(requestId, now)
    return plain && (JSON.parse(plain.toString()) as Image)
  } catch {
    return undefined
  }
}

export const relationsOf = ({ relations }: Image) =>
  relations.map((relation) => ({ relation: nameOf(relation), rows: relation.rows.length, added: relation.added }))

const isSame = (a: Target, b: Target): boolean => a.environment === b.environment && a.database === b.database

/** An error of the server's may hold values: it is not told. */
const notCaptured = (error: unknown): never => {
  const why = error instanceof NotCapturedError ? error.message : 'its rows could not be read'
  throw new StatementRefusedError('ZA003', `it could not be undone: ${why}; rolled back`, {
    hint: 'Policy lets it run only where it can be undone (@undo).',
  })
}

const notRestored = (error: unknown): never => {
  const why = error instanceof NotCapturedError ? error.message : 'its tables could not be looked at'
  throw new StatementRefusedError('ZA003', `cannot be undone: ${why}`)
}

const nothingKept = (requestId: RequestId): StatementRefusedError =>
  new StatementRefusedError('ZA003', `cannot be undone: nothing is kept for ${requestId} at this node`, {
    hint: 'Policy must have asked for it (@undo); it is kept for a time, at the node where it ran, and used once.',
  })
