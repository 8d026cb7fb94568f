import type { Digest, Outcome, RequestId, SealedPart, SessionId, StatementId } from '@countersign/contracts'
import type { Judgement, TransactionStatus } from './judgement.ts'

/*
 * The two events of every statement, written as text: what a judgement contributes is the same for every execution,
 * so it is made into text once. A spec reads the texts back through their contracts.
 */

export interface Intended {
  readonly statementId: StatementId
  readonly sessionId: SessionId
  readonly sequence: number
  readonly protocol: 'simple' | 'extended'
  readonly text: string
  readonly textBytes: number
  readonly digest: Digest
  readonly sealed: SealedPart | undefined
  readonly transaction: TransactionStatus
  readonly judgement: Judgement
  readonly requestId: RequestId | undefined
  readonly reason: string | undefined
  readonly ticket: string | undefined
  /** Checked for its form: nothing in it has to be escaped. */
  readonly traceparent: string | undefined
  readonly at: string
}

export const intendedText = (intended: Intended): string => {
  const { statementId, sessionId, sequence, protocol, text, textBytes, digest, sealed, transaction } = intended
  const { judgement, requestId, reason, ticket, traceparent, at } = intended
  return (
    `{"type":"statement.intended","version":2,"data":{"statementId":"${statementId}","sessionId":"${sessionId}",` +
    `"sequence":${sequence},"protocol":"${protocol}","text":${JSON.stringify(text)},"textBytes":${textBytes},` +
    `"digest":"${digest}",${sealed ? `"sealed":[${sealed[0]},${sealed[1]}],` : ''}` +
    `${requestId === undefined ? '' : `"requestId":"${requestId}",`}` +
    `${reason === undefined ? '' : `"reason":${JSON.stringify(reason)},`}` +
    `${ticket === undefined ? '' : `"ticket":${JSON.stringify(ticket)},`}` +
    `${traceparent === undefined ? '' : `"traceparent":"${traceparent}",`}` +
    `"transaction":"${transaction}",${partOf(judgement)},"at":"${at}"}}`
  )
}

export interface Settled {
  readonly statementId: StatementId
  readonly sessionId: SessionId
  readonly sequence: number
  readonly outcome: Outcome
  readonly sqlstate: string | undefined
  readonly command: string
  readonly rowsReturned: number
  readonly rowsAffected: number
  readonly bytesReturned: number
  readonly durations: Readonly<Record<'understand' | 'decide' | 'record' | 'hold' | 'database' | 'total', number>>
  readonly touches: string
  readonly maskedColumns: readonly string[]
  readonly at: string
}

export const settledText = (settled: Settled): string => {
  const { statementId, sessionId, sequence, outcome, sqlstate, command, durations, touches, maskedColumns, at } =
    settled
  const { understand, decide, record, hold, database, total } = durations
  return (
    `{"type":"statement.settled","version":2,"data":{"statementId":"${statementId}","sessionId":"${sessionId}",` +
    `"sequence":${sequence},"outcome":"${outcome}",${sqlstate === undefined ? '' : `"sqlstate":"${sqlstate}",`}` +
    `${command === '' ? '' : `"command":${JSON.stringify(command)},`}"rowsReturned":${settled.rowsReturned},` +
    `"rowsAffected":${settled.rowsAffected},"bytesReturned":${settled.bytesReturned},"durations":{` +
    `"understand":${understand},"decide":${decide},"record":${record},"hold":${hold},"database":${database},` +
    `"total":${total}},"touches":${touches},` +
    `"maskedColumns":${maskedColumns.length === 0 ? '[]' : JSON.stringify(maskedColumns)},"at":"${at}"}}`
  )
}

const parts = new WeakMap<Judgement, string>()

const partOf = (judgement: Judgement): string => {
  const known = parts.get(judgement)
  if (known !== undefined) return known
  const { shape, actions, relations, readOnly, verdict, policies, policyVersion, catalogueVersion, rows, facts } =
    judgement
  const part = { shape, actions, relations, readOnly, verdict, policies, policyVersion, catalogueVersion, rows, facts }
  const text = JSON.stringify(part).slice(1, -1)
  parts.set(judgement, text)
  return text
}

const touchTexts = new WeakMap<object, string>()

/** The touches of a judgement, as they are when nothing in particular was masked. */
export const touchesText = (touches: Judgement['touches']): string => {
  const known = touchTexts.get(touches)
  if (known !== undefined) return known
  const text = JSON.stringify(touches)
  touchTexts.set(touches, text)
  return text
}
