import { approval, type ApprovalCommand } from '@countersign/approval'
import {
  readApprovalEvent,
  readGovernanceEvent,
  RequestId,
  TOPICS,
  writeApprovalEvent,
  writeGovernanceEvent,
  type ApprovalEvent,
  type GovernanceEvent,
} from '@countersign/contracts'
import { handlerOf, openStreamStore, type Cursor, type EventLog, type Quarantined } from '@countersign/eventlog'
import type { Logger } from '@countersign/platform'
import { ResumePoint } from './access/resume-point.ts'
import { ApprovalsBook } from './approvals/approvals-book.ts'
import type { Clock } from './clock.ts'
import { DecisionBoard } from './decisions/decision-board.ts'
import { governance, type Tell } from './governance/governance.ts'
import { PolicyHistory } from './policies/policy-history.ts'
import { RestrictionsBook } from './restrictions/restrictions-book.ts'
import { quarantinedEvent, quarantineStream, type Quarantine } from './quarantine/quarantine.ts'

export interface StreamsOptions {
  readonly log: EventLog
  readonly source: string
  readonly clock: Clock
  readonly newId: () => string
  readonly logger: Logger
  readonly failed: (error: unknown) => void
  /** Nothing new is waited for any more. */
  readonly stopping: AbortSignal
  /** Where another process should begin with cs.access, once that is known here. */
  readonly accessCursor: () => Cursor | undefined
  /** Told of each commit of cs.approvals that stands. */
  readonly decided: (requestId: RequestId, events: readonly ApprovalEvent[]) => void
  /** Told of each approval that something was published about. */
  readonly published: (requestId: RequestId) => void
  readonly quarantined: () => void
}

/** What control itself writes, read back and kept up to date. */
export interface Streams {
  readonly book: ApprovalsBook
  readonly board: DecisionBoard
  readonly policyHistory: PolicyHistory
  readonly restrictions: RestrictionsBook
  readonly resumePoint: ResumePoint
  readonly handle: (stream: string, command: ApprovalCommand) => Promise<readonly ApprovalEvent[]>
  readonly tell: Tell
  readonly quarantine: Quarantine
  /** Resolves when the book has all that stands in the log now. */
  approvalsCaughtUp(): Promise<void>
  /** Resolves when all that stands in cs.governance now has been taken. */
  historyCaughtUp(): Promise<void>
  close(): Promise<void>
}

const RETRY_MS = 500

/** Resolves when all that stands in the log is known here. */
export const openStreams = async (options: StreamsOptions): Promise<Streams> => {
  const { source, clock: now, newId, failed } = options
  const book = new ApprovalsBook()
  const policyHistory = new PolicyHistory()
  const restrictions = new RestrictionsBook()
  const resumePoint = new ResumePoint()
  const log = resumePoint.through(options.log, () => options.accessCursor() ?? resumePoint.cursor)
  const common = { log, source, now, newId, onFailed: failed }

  const history = openStreamStore<GovernanceEvent>({
    ...common,
    topic: TOPICS.governance,
    read: readGovernanceEvent,
    write: writeGovernanceEvent,
    onCommit: ({ commit, events }) => {
      policyHistory.take(events)
      restrictions.take(commit.stream, events)
    },
    onQuarantine: (found) => quarantineLater(found),
  })
  const tell = handlerOf(governance, history)
  const quarantine = quarantineWith(tell, options)
  // Where nobody waits: the topic is read from its start each time, so what is not said now is found again.
  const quarantineLater = (found: Quarantined) => void quarantine(found).catch(() => undefined)

  const approvals = openStreamStore<ApprovalEvent>({
    ...common,
    topic: TOPICS.approvals,
    read: readApprovalEvent,
    write: writeApprovalEvent,
    onCommit: ({ commit, events }) => {
      const requestId = RequestId.safeParse(commit.stream)
      if (!requestId.success) return
      book.take(requestId.data, events)
      options.decided(requestId.data, events)
    },
    onQuarantine: (found) => quarantineLater(found),
  })
  const board = new DecisionBoard({
    ...common,
    failed,
    quarantine: quarantineLater,
    noted: (subject) => {
      const requestId = RequestId.safeParse(subject.replace(/^approval\//, ''))
      if (requestId.success) options.published(requestId.data)
    },
  })

  await Promise.all([history.caughtUp(), approvals.caughtUp(), board.caughtUp()])
  return {
    book,
    board,
    policyHistory,
    restrictions,
    resumePoint,
    handle: handlerOf(approval, approvals),
    tell,
    quarantine,
    approvalsCaughtUp: () => approvals.caughtUp(),
    historyCaughtUp: () => history.caughtUp(),
    close: async () => {
      await Promise.all([history.close(), approvals.close(), board.close()])
    },
  }
}

/** What could not be read is pointed to until that is on record, whatever else goes on. */
const quarantineWith =
  (tell: Tell, { clock, logger, stopping, quarantined: count }: StreamsOptions): Quarantine =>
  async (found) => {
    count()
    logger.warn('set aside what no contract knows', { ...found })
    const event = quarantinedEvent(found, clock())
    for (;;) {
      stopping.throwIfAborted()
      try {
        await tell(quarantineStream(found), (past) => (past.length === 0 ? [event] : []))
        return
      } catch {
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS).unref())
      }
    }
  }
