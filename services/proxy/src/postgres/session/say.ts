import { errorResponse, noticeResponse } from '@countersign/pgwire'
import { StatementRefusedError, type Notice } from '../../statement/refusal.ts'

/* What the node says of its own, in PostgreSQL's words. */

export * from '../../statement/refusal.ts'

export const errorOf = ({ sqlstate, message, detail, hint, position, routine }: StatementRefusedError): Buffer =>
  errorResponse({ severity: 'ERROR', code: sqlstate, message, detail, hint, position, routine })

export const fatalOf = ({ sqlstate, message, detail, hint }: StatementRefusedError): Buffer =>
  errorResponse({ severity: 'FATAL', code: sqlstate, message, detail, hint })

export const noticeOf = (notice: Notice): Buffer => noticeResponse({ severity: 'NOTICE', ...notice })

export const fatal = (code: string, message: string, hint?: string): Buffer =>
  errorResponse({ severity: 'FATAL', code, message, hint })

export const serverGone = (): Buffer =>
  fatal(
    '08006',
    'session ended: the connection to the database was lost',
    'Connect again; what was under way may be done or not.',
  )

export const noSuchStatement = (name: string): StatementRefusedError =>
  new StatementRefusedError('26000', name === '' ? UNNAMED_GONE : `prepared statement "${name}" does not exist`, {
    routine: 'FetchPreparedStatement',
  })

const UNNAMED_GONE = 'unnamed prepared statement does not exist'

export const noSuchPortal = (name: string): StatementRefusedError =>
  new StatementRefusedError('34000', `portal "${name}" does not exist`, { routine: 'exec_execute_message' })

/** What it was recorded as doing may not be what it would do now. */
export const boundTooEarly = (name: string): StatementRefusedError =>
  new StatementRefusedError('55000', `portal "${name}" was bound before the session changed what names mean`, {
    hint: 'Bind it again.',
  })

/** @param sqlstate what the server has said to our question, in words of its own where the client may know them */
export const notTold = (sqlstate: string, message?: string): StatementRefusedError =>
  message === undefined
    ? new StatementRefusedError(sqlstate, 'the server did not say what names mean in this session', {
        hint: 'Nothing was run. Try again.',
      })
    : new StatementRefusedError(sqlstate, message)
