import type { AccessEvent, RequestId, SessionId, StatementId, WorkerId } from '@countersign/contracts'

/**
 * An event, or as much of one as says what has begun and what has ended. Statements come by the thousand, so theirs
 * are not kept whole.
 */
export type LifeEvent =
  | Exclude<AccessEvent, { type: 'statement.intended' | 'statement.settled' }>
  | {
      readonly type: 'statement.intended'
      readonly data: { readonly statementId: StatementId; readonly sessionId: SessionId; readonly sequence: number }
    }
  | { readonly type: 'statement.settled'; readonly data: { readonly statementId: StatementId } }

/** What the record says has begun and not ended: what a worker leaves behind when it is killed. */
export interface Unfinished {
  readonly workers: Map<WorkerId, true>
  /** Open sessions, with the worker that has them and the statements counted so far. */
  readonly sessions: Map<SessionId, { worker: WorkerId; statements: number }>
  readonly statements: Map<StatementId, { sessionId: SessionId; sequence: number }>
  /** Requests of statements whose client is kept waiting. */
  readonly holds: Map<StatementId, RequestId>
}

export const nothingUnfinished = (): Unfinished => ({
  workers: new Map(),
  sessions: new Map(),
  statements: new Map(),
  holds: new Map(),
})

/** Takes one event into account. Changes `unfinished`: it is called for every event that a worker writes. */
export const follow = (unfinished: Unfinished, { type, data }: LifeEvent): void => {
  const { workers, sessions, statements, holds } = unfinished
  switch (type) {
    case 'node.started':
      workers.set(data.worker, true)
      return
    case 'node.stopped':
      workers.delete(data.worker)
      return
    case 'session.opened':
      sessions.set(data.sessionId, { worker: data.worker, statements: 0 })
      return
    case 'session.closed':
      sessions.delete(data.sessionId)
      return
    case 'statement.intended': {
      const { statementId, sessionId, sequence } = data
      statements.set(statementId, { sessionId, sequence })
      const session = sessions.get(sessionId)
      if (session) session.statements = Math.max(session.statements, sequence)
      return
    }
    case 'statement.settled':
      statements.delete(data.statementId)
      holds.delete(data.statementId)
      return
    case 'statement.held':
      if (data.mode === 'inline') holds.set(data.statement.statementId, data.requestId)
      return
    case 'statement.withdrawn':
      holds.delete(data.statementId)
      return
    default:
  }
}

/** An end that a worker may have written for another one (`closingEvents`). */
export const isEndFoundLater = ({ type, data }: AccessEvent): boolean =>
  (type === 'statement.settled' && data.outcome === 'outcome_unknown') ||
  (type === 'statement.withdrawn' && data.because === 'node-died') ||
  (type === 'session.closed' && data.because === 'node-died') ||
  (type === 'node.stopped' && data.because === 'found-dead')

/**
 * What a new worker writes for one that died: each statement gets its one settlement, with an outcome that claims
 * no knowledge, each session its end. The events go into the new worker's stream.
 */
export const closingEvents = (unfinished: Unfinished, at: string): readonly AccessEvent[] => {
  const { workers, sessions, statements, holds } = unfinished
  const withdrawn = [...holds].map(([statementId, requestId]) => ({
    type: 'statement.withdrawn',
    data: { requestId, statementId, because: 'node-died', at },
  }))
  const settled = [...statements].map(([statementId, { sessionId, sequence }]) => ({
    type: 'statement.settled',
    data: {
      statementId,
      sessionId,
      sequence,
      outcome: 'outcome_unknown',
      rowsReturned: 0,
      rowsAffected: 0,
      bytesReturned: 0,
      durations: { understand: 0, decide: 0, record: 0, hold: 0, database: 0, total: 0 },
      touches: [],
      maskedColumns: [],
      at,
    },
  }))
  const closed = [...sessions].map(([sessionId, session]) => ({
    type: 'session.closed',
    data: { sessionId, because: 'node-died', statements: session.statements, at },
  }))
  const stopped = [...workers.keys()].map((worker) => ({
    type: 'node.stopped',
    data: { worker, because: 'found-dead', at },
  }))
  return [...withdrawn, ...settled, ...closed, ...stopped] as AccessEvent[]
}
