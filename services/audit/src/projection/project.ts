import { writeAccessEvent, type AccessEvent, type ApprovalEvent } from '@countersign/contracts'
import type { Memory } from './memory.ts'
import type { Place } from './place.ts'
import type { Placed, ReadBatch } from './read-batch.ts'
import { isApprovalEvent } from './read-record.ts'
import { approvalAfter, type ApprovalRow } from './rows/approval-row.ts'
import { coverageRow, type CoverageRow } from './rows/coverage-row.ts'
import type { EarlyRow, Rows } from './rows/index.ts'
import { closedSession, openedSession, type SessionRow } from './rows/session-row.ts'
import {
  heldStatement,
  intendedStatement,
  isSettledBy,
  settledStatement,
  type StatementRow,
} from './rows/statement-row.ts'
import { touchRow, type TouchRow } from './rows/touch-row.ts'
import { voteRow, type VoteRow } from './rows/vote-row.ts'

type EventNamed<Type extends AccessEvent['type']> = Extract<AccessEvent, { type: Type }>

/** An end: of a session or of a statement. */
export type Ending = EventNamed<'session.closed'> | EventNamed<'statement.settled'>

/** Ends that were read before their beginnings, by what they end. */
export type EarlyEndings = ReadonlyMap<string, Placed<Ending>>

/**
 * Turns a batch of events into rows. `memory` must hold every session, statement and approval that the batch speaks
 * of and that exists (needs.ts), and takes in what the batch says of them.
 *
 * INVARIANT same-rows: what comes out depends on the log alone, not on where batches begin and end, nor on whether the
 * same events, or some of them, have been through here before. That is why a crash needs no undoing: the events since
 * the last stored position come again and make the same rows.
 */
export const project = (batch: ReadBatch, memory: Memory, early: EarlyEndings): Rows => {
  const made = new Made(memory, early)
  for (const { event, place } of batch.placed) made.take(event, place)
  return made.rows(batch)
}

class Made {
  readonly #sessions = new Map<string, SessionRow>()
  readonly #statements = new Map<string, StatementRow>()
  readonly #approvals = new Map<string, ApprovalRow>()
  readonly #touches: TouchRow[] = []
  readonly #votes: VoteRow[] = []
  readonly #coverage: CoverageRow[] = []
  readonly #earlyRows: EarlyRow[] = []
  readonly #memory: Memory
  readonly #early: Map<string, Placed<Ending>>

  constructor(memory: Memory, early: EarlyEndings) {
    this.#memory = memory
    this.#early = new Map(early)
  }

  rows({ events, quarantine }: ReadBatch): Rows {
    return {
      events,
      quarantine,
      sessions: [...this.#sessions.values()],
      statements: [...this.#statements.values()],
      touches: this.#touches,
      approvals: [...this.#approvals.values()],
      votes: this.#votes,
      coverage: this.#coverage,
      _early: this.#earlyRows,
    }
  }

  take(event: Placed['event'], place: Place): void {
    switch (event.type) {
      case 'session.opened':
        return this.#opened(event, place)
      case 'session.closed':
        return this.#closed(event, place)
      case 'statement.intended':
        return this.#intended(event, place)
      case 'statement.held':
        return this.#held(event)
      case 'statement.settled':
        return this.#settled(event, place)
      case 'node.started':
      case 'node.heartbeat':
      case 'node.stopped':
      case 'node.reloaded':
      case 'audit.degraded':
      case 'audit.recovered':
        this.#coverage.push(coverageRow(event, place))
        return
      default:
        if (isApprovalEvent(event)) this.#approval(event, place)
    }
  }

  #opened({ data }: EventNamed<'session.opened'>, place: Place): void {
    if (this.#memory.sessions.has(data.sessionId)) return // Told twice it is one session.
    this.#keepSession(openedSession(data, place))
    this.#endedBefore(data.sessionId)
  }

  #closed(event: EventNamed<'session.closed'>, place: Place): void {
    const row = this.#memory.sessions.get(event.data.sessionId)
    if (row) this.#keepSession(closedSession(row, event.data, place))
    else this.#tooEarly(event.data.sessionId, event, place)
  }

  #intended({ data }: EventNamed<'statement.intended'>, place: Place): void {
    if (this.#memory.statements.has(data.statementId)) return
    this.#keepStatement(intendedStatement(data, this.#memory.sessions.get(data.sessionId), place))
    this.#endedBefore(data.statementId)
  }

  #held({ data }: EventNamed<'statement.held'>): void {
    const row = this.#memory.statements.get(data.statement.statementId)
    if (row) this.#keepStatement(heldStatement(row, data.requestId))
  }

  #settled(event: EventNamed<'statement.settled'>, place: Place): void {
    const before = this.#memory.statements.get(event.data.statementId)
    if (!before) return this.#tooEarly(event.data.statementId, event, place)
    const row = settledStatement(before, event.data, place)
    if (!isSettledBy(row, place)) return
    this.#keepStatement(row)
    for (const [i, touch] of event.data.touches.entries()) this.#touches.push(touchRow(touch, i, row, place))
  }

  #approval(event: ApprovalEvent, place: Place): void {
    const row = approvalAfter(this.#memory.approvals.get(event.data.requestId), event, place)
    if (row) this.#keepApproval(row)
    if (event.type === 'approval.voted' || event.type === 'approval.vote-refused') {
      this.#votes.push(voteRow(event, row, place))
    }
  }

  #tooEarly(id: string, event: Ending, place: Place): void {
    const { topic, partition, offset, index } = place
    const stored = JSON.stringify(writeAccessEvent(event))
    this.#early.set(id, { event, place })
    this.#earlyRows.push({ type: event.type, id, event: stored, topic, partition, offset, event_index: index })
    this.#memory.sawEarly = true
  }

  #endedBefore(id: string): void {
    const ending = this.#early.get(id)
    if (ending) this.take(ending.event, ending.place)
  }

  #keepSession(row: SessionRow): void {
    this.#memory.sessions.set(row.session_id, row)
    this.#sessions.set(row.session_id, row)
  }

  #keepStatement(row: StatementRow): void {
    this.#memory.statements.set(row.statement_id, row)
    this.#statements.set(row.statement_id, row)
  }

  #keepApproval(row: ApprovalRow): void {
    this.#memory.approvals.set(row.request_id, row)
    this.#approvals.set(row.request_id, row)
  }
}
