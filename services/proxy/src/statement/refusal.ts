import type { Principal, RequestId } from '@countersign/contracts'
import { adviceParts, adviceText } from './advice.ts'
import type { Execution } from './execution.ts'
import type { Judgement } from './judgement.ts'

/*
 * What clients are told, whatever protocol they speak. The first line is one sentence for people; DETAIL is JSON for
 * programs (services and agents), plain text for people; HINT says what to do. Codes: DESIGN.md, section 8.
 */

interface RefusalParts {
  readonly detail?: string
  readonly hint?: string
  readonly position?: number
  readonly routine?: string
  readonly ends?: boolean
}

/** The statement does not get through, and this is what its client is told. */
export class StatementRefusedError extends Error {
  readonly code = 'PROXY_STATEMENT_REFUSED'
  readonly sqlstate: string
  readonly detail: string | undefined
  readonly hint: string | undefined
  readonly position: number | undefined
  /** The server's own routine that would have said so: some drivers recognise an error by it. */
  readonly routine: string | undefined
  /** With it the session is over. */
  readonly ends: boolean

  constructor(sqlstate: string, message: string, { detail, hint, position, routine, ends = false }: RefusalParts = {}) {
    super(message)
    this.name = 'StatementRefusedError'
    this.sqlstate = sqlstate
    this.detail = detail
    this.hint = hint
    this.position = position
    this.routine = routine
    this.ends = ends
  }
}

export const APPROVAL_NOTICE = '01ZA1'

/** What a client is told while it waits. */
export interface Notice {
  readonly code: string
  readonly message: string
  readonly detail?: string
  readonly hint?: string
}

export interface HoldText {
  readonly requestId: RequestId
  readonly owners: readonly string[]
  readonly rule: string
  readonly link: string
  readonly expiresInSeconds: number
}

export const logDown = (): StatementRefusedError =>
  new StatementRefusedError('ZA010', 'refused: the audit log cannot be written', {
    hint: 'Nothing was executed. It works again by itself when the log is back; operators find the cause in countersign doctor.',
  })

export const deniedByPolicy = (judgement: Judgement, principal: Principal): StatementRefusedError => {
  const { because, policies, endsSession = false } = judgement
  const hint = adviceText(judgement)
  return new StatementRefusedError('42501', `${endsSession ? 'session ended, ' : ''}denied by policy: ${because}`, {
    detail:
      principal.kind === 'person'
        ? `Policies: ${policies.join(', ') || 'none permits it'}.`
        : JSON.stringify({ v: 1, status: 'denied', rules: policies, because, ...adviceParts(judgement) }),
    ends: endsSession,
    ...(hint !== undefined && { hint }),
  })
}

export const approvalRequired = (judgement: Judgement, hold: HoldText, principal: Principal): StatementRefusedError =>
  new StatementRefusedError('ZA001', `approval required: ${judgement.because}`, {
    detail:
      principal.kind === 'person'
        ? `Request ${hold.requestId} was sent to ${namesOf(hold.owners)}.`
        : JSON.stringify({
            v: 1,
            status: 'approval_required',
            request: hold.requestId,
            url: hold.link,
            rule: hold.rule,
            owners: hold.owners,
            expires_in_s: hold.expiresInSeconds,
            retry: 'same_statement',
            ...adviceParts(judgement),
          }),
    hint: withAdvice(
      `Once it is approved, run exactly the same statement again: it will run once. ${hold.link}`,
      judgement,
    ),
  })

export const heldNotice = (judgement: Judgement, hold: HoldText, inTransaction: boolean): Notice => ({
  code: APPROVAL_NOTICE,
  message: `held for approval: ${judgement.because} (request ${hold.requestId})`,
  detail:
    `Sent to ${namesOf(hold.owners)}. Waiting at most ${hold.expiresInSeconds} s.` +
    (inTransaction ? ' The transaction stays open meanwhile, with the locks that it has.' : ''),
  hint: withAdvice(`Ctrl-C withdraws the request. ${hold.link}`, judgement),
})

export const waitingNotice = ({ requestId, owners }: HoldText, seconds: number): Notice => ({
  code: APPROVAL_NOTICE,
  message: `still waiting for ${namesOf(owners)} (request ${requestId}, ${seconds} s)`,
})

export const approvedNotice = (requestId: RequestId, people: readonly string[]): Notice => ({
  code: APPROVAL_NOTICE,
  message: `approved by ${people.join(', ')} (request ${requestId})`,
})

export const deniedByOwner = (requestId: RequestId, people: readonly string[], reason: string | undefined) =>
  new StatementRefusedError(
    '42501',
    `denied${people.length > 0 ? ` by ${people.join(', ')}` : ''}: ${reason ?? 'no reason given'}`,
    { detail: `Request ${requestId}.` },
  )

export const noApprover = (requestId: RequestId): StatementRefusedError =>
  new StatementRefusedError('42501', 'denied: nobody could approve this', {
    detail: `Request ${requestId}.`,
    hint: 'Name owners for what it touches in DATAOWNERS; requesters never approve for themselves.',
  })

export const holdExpired = (requestId: RequestId): StatementRefusedError =>
  new StatementRefusedError('ZA002', 'not approved in time: nothing was executed', { detail: `Request ${requestId}.` })

export const grantDoesNotMatch = (requestId: RequestId, because: string): StatementRefusedError =>
  new StatementRefusedError('ZA003', `the approval does not cover this: ${because}`, {
    detail: `Request ${requestId}.`,
    hint: 'Run the statement again to ask anew.',
  })

/** It has run, and what it did has been rolled back: its guard has tripped. */
export const rolledBack = ({ rowsAffected, rowsMax, tripped, judgement }: Execution): StatementRefusedError => {
  const isApproved = judgement.guard?.by === 'approval'
  const bound = isApproved ? `${rowsMax} were approved` : `at most ${rowsMax} are allowed`
  if (tripped === 'changed-since') {
    return new StatementRefusedError('ZA003', 'cannot be undone: rows have changed since; nothing was changed', {
      hint: 'Only what is still as the statement has left it can be undone, and as a whole.',
    })
  }
  if (tripped === 'in-parts') {
    return new StatementRefusedError('ZA003', `it gives its rows in parts, and ${bound}: rolled back`, {
      detail: 'How many rows it has changed is told with the last of them, when it would be too late.',
      hint: 'Have all of its rows sent at once: no limit on rows, no fetch size.',
    })
  }
  return new StatementRefusedError('ZA003', `it changed ${rowsAffected} rows, ${bound}: rolled back`, {
    hint: isApproved ? 'Run the statement again to ask anew.' : 'Change fewer rows at once.',
  })
}

/** Undoing, and what is to be undone later, must not be mixed with what else a transaction does. */
export const needsOwnTransaction = ({ restores }: Judgement): StatementRefusedError =>
  new StatementRefusedError(
    'ZA003',
    restores === undefined
      ? 'it could not be undone: it stands in a transaction with others'
      : 'undoing takes a transaction of its own',
    { hint: 'End the transaction that is open, and send it by itself.' },
  )

export const undoneBySimpleQuery = (): StatementRefusedError =>
  new StatementRefusedError('0A000', 'countersign.undo is not prepared', { hint: 'Send it as a simple query.' })

export const withdrawn = (requestId: RequestId): StatementRefusedError =>
  new StatementRefusedError('57014', 'approval request withdrawn: nothing was executed', {
    detail: `Request ${requestId}.`,
  })

export const withdrawnByNode = (requestId: RequestId): StatementRefusedError =>
  new StatementRefusedError('57014', 'the node stops: the approval request is withdrawn, and nothing was executed', {
    detail: `Request ${requestId}.`,
    hint: 'Connect again and run it again.',
  })

export const cancelled = (): StatementRefusedError =>
  new StatementRefusedError('57014', 'canceling statement due to user request')

export const invalidUtf8 = (): StatementRefusedError =>
  new StatementRefusedError('22021', 'the statement is not valid UTF-8', { hint: 'Set client_encoding to UTF8.' })

export const tooLong = (bytes: number, bytesMax: number): StatementRefusedError =>
  new StatementRefusedError('54000', `a message of ${bytes} bytes is longer than this node takes (${bytesMax})`, {
    hint: 'Send large data with COPY FROM STDIN, or raise node.limits.',
  })

export const keepsTooMuch = (): StatementRefusedError =>
  new StatementRefusedError('53200', 'this session keeps more on the node than it may', {
    hint: 'DEALLOCATE prepared statements, CLOSE cursors, or have node.limits.sessionBytesMax raised.',
  })

/** What else there is to do comes behind what to do now. */
const withAdvice = (hint: string, judgement: Judgement): string => {
  const advice = adviceText(judgement)
  return advice === undefined ? hint : `${hint}\n${advice}`
}

const namesOf = (owners: readonly string[]) => (owners.length === 0 ? 'its owners' : owners.join(', '))
