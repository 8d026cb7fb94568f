import type { AccessEvent, Action, Outcome, Verdict } from '@countersign/contracts'

/*
 * Everything that may be a label, so that the number of series is bounded whatever clients do: never a principal, a
 * statement, or a text of a client's. An SQLSTATE may be one (RAISE … USING ERRCODE), so only those count that are known.
 */

type Told<Type extends AccessEvent['type']> = Extract<AccessEvent, { type: Type }>['data']

export const VERDICTS = ['allow', 'mask', 'hold', 'deny'] as const satisfies readonly Verdict[]

/** Of several actions of one statement the first in this list is its kind. */
export const KINDS = [
  'unknown',
  'administer',
  'drop',
  'truncate',
  'grant',
  'alter',
  'create',
  'delete',
  'write',
  'copyIn',
  'copyOut',
  'execute',
  'maintain',
  'read',
  'configure',
  'transact',
] as const satisfies readonly Action[]

export const OUTCOMES = [
  'completed',
  'failed',
  'refused',
  'cancelled',
  'withdrawn',
  'outcome_unknown',
] as const satisfies readonly Outcome[]

/** What a statement that the node did not let through may be refused with. */
export const REFUSALS = [
  'ZA001',
  'ZA002',
  'ZA003',
  'ZA004',
  'ZA010',
  '42501',
  '57014',
  '57P03',
  '42601',
  '22021',
  '54000',
  '54001',
  '55000',
  'other',
] as const

/** SPEC: PostgreSQL, appendix A, the classes of error codes; and the one of this node. */
export const SQLSTATE_CLASSES = [
  ...'03 08 09 0A 0B 0F 0L 0P 0Z 10 20 21 22 23 24 25 26 27 28 2B 2D 2F 34 38 39 3B 3D 3F 40 42 44 53 54 55 57 58'.split(
    ' ',
  ),
  '72',
  'F0',
  'HV',
  'P0',
  'XX',
  'ZA',
  'other',
] as const

/** What may go wrong with a server when it is logged in to. */
export const FAULT_KINDS = [
  'unreachable',
  'timeout',
  'closed',
  'tls-not-offered',
  'tls-failed',
  'certificate-untrusted',
  'certificate-expired',
  'certificate-of-another',
  'password-in-clear',
  'channel-binding-missing',
  'server-not-proven',
  'authentication-unsupported',
  'authentication-failed',
  'not-postgresql',
  'refused',
  'misconfigured',
  'not-now',
  'misfit',
] as const

export type FaultKind = (typeof FAULT_KINDS)[number]

export type LoginFailure = Told<'auth.failed'>['because']
export type ClosedBecause = Told<'session.closed'>['because']
