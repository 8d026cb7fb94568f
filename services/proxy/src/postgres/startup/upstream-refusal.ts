import { DatabaseUnavailableError } from '../../startup/startup-refused.ts'
import type { NoServerError } from '../upstream/no-server-error.ts'

/**
 * What a client is told when no server of its database would do: which were tried, and why each was not it. 57P03 when
 * some server answers, for then it is worth while to try again soon (it starts, or another one takes over); 08001 when
 * none does. What the server itself said of the client's wishes is the client's to know, but not what it said of our
 * own login there.
 */
export const upstreamRefusal = (error: NoServerError): DatabaseUnavailableError => {
  const { fields, answered, message } = error
  if (fields && !fields.code.startsWith('28')) return new DatabaseUnavailableError(fields.code, fields.message)
  if (fields) {
    const reason = 'it does not accept the role that this node logs in with'
    return new DatabaseUnavailableError('08004', `${GONE}: ${reason}`, OPERATORS)
  }
  if (!answered) return new DatabaseUnavailableError('08001', `${GONE}: ${message}`, OPERATORS)
  const hint = 'Try again: a server starts, or another one takes over.'
  return new DatabaseUnavailableError('57P03', `no server of the database can be used now: ${message}`, hint)
}

const GONE = 'the database behind this node cannot be reached'
const OPERATORS = 'Operators find the cause with countersign doctor.'
