import type { ApprovalEvent } from '@countersign/contracts'
import { clickhouseTime, type Place } from '../place.ts'
import { whoOf } from './who.ts'

type DataOf<Type extends ApprovalEvent['type']> = Extract<ApprovalEvent, { type: Type }>['data']

/** Everything but where it stands in the log. */
type Told = Omit<ApprovalRow, 'log_topic' | 'last_partition' | 'last_offset' | '_version'>

export interface ApprovalRow {
  readonly request_id: string
  readonly kind: string
  readonly phase: string
  readonly mode: string
  readonly statement_id: string
  readonly session_id: string
  readonly principal_id: string
  readonly principal_kind: string
  readonly person: string
  readonly on_behalf_of: string
  readonly principal_groups: readonly string[]
  readonly environment: string
  readonly db_namespace: string
  readonly db_role: string
  readonly db_query_text: string
  readonly digest: string
  readonly actions: readonly string[]
  readonly relations: readonly string[]
  readonly counted_rows: number | null
  readonly counted_exactly: boolean
  readonly policies: readonly string[]
  readonly policy_version: string
  readonly catalogue_version: string
  readonly held_because: string
  readonly reason: string
  readonly ticket: string
  readonly approver_groups: Readonly<Record<string, readonly string[]>>
  readonly quorum: number
  readonly excluded: readonly string[]
  readonly people_for: readonly string[]
  readonly people_against: readonly string[]
  readonly decision_reason: string
  readonly requested_at: string | null
  readonly expires_at: string | null
  readonly granted_at: string | null
  readonly usable_until: string | null
  readonly claimed_at: string | null
  readonly claimed_statement_id: string
  readonly claimed_session_id: string
  readonly closed_at: string | null
  readonly refused_claims: Readonly<Record<string, string>>
  readonly log_topic: string
  readonly last_partition: number
  readonly last_offset: number
  readonly _version: number
}

/**
 * An approval as it stands after one more event; undefined when the event says nothing of a known one (a vote on a
 * request that never was). What the row has been through already is not done a second time: after a crash the same
 * events come again.
 */
export const approvalAfter = (
  row: ApprovalRow | undefined,
  event: ApprovalEvent,
  place: Place,
): ApprovalRow | undefined => {
  if (event.type === 'approval.vote-refused' && !row) return undefined
  if (row && versionAt(place) <= versionOf(row)) return row
  const told = tell(row ?? unknownRequest(event.data.requestId), event)
  return {
    ...told,
    log_topic: place.topic,
    last_partition: place.partition,
    last_offset: place.offset,
    _version: versionAt(place),
  }
}

const EVENTS_PER_RECORD_MAX = 1024

/** All events of one approval lie in one partition, so their places have an order. */
const versionAt = ({ offset, index }: Place): number =>
  offset * EVENTS_PER_RECORD_MAX + Math.min(index, EVENTS_PER_RECORD_MAX - 1) + 1

const versionOf = ({ _version: version }: ApprovalRow): number => version

const tell = (row: Told, { type, data }: ApprovalEvent): Told => {
  switch (type) {
    case 'approval.requested':
      return { ...row, ...requested(data) }
    case 'approval.policy-requested':
      return { ...row, ...policyRequested(data) }
    case 'approval.voted':
      return voted(row, data)
    case 'approval.vote-refused':
      return row
    case 'approval.granted':
      return { ...row, phase: 'granted', granted_at: time(data.at), usable_until: time(data.usableUntil) }
    case 'approval.denied':
      return closed(row, 'denied', data.at, data.reason ?? data.because)
    case 'approval.expired':
      return closed(row, 'expired', data.at, row.decision_reason)
    case 'approval.withdrawn':
      return closed(row, 'withdrawn', data.at, data.because)
    case 'approval.voided':
      return closed(row, 'voided', data.at, data.because)
    case 'grant.claimed':
      return claimed(row, data)
    case 'grant.claim-refused':
      return { ...row, refused_claims: { ...row.refused_claims, [data.statementId]: data.because } }
    case 'grant.used':
      return { ...row, phase: 'claimed', claimed_at: time(data.at) }
    case 'grant.expired':
      return closed(row, 'expired', data.at, row.decision_reason)
  }
}

const time = clickhouseTime

const requested = (data: DataOf<'approval.requested'>) => ({
  kind: data.kind,
  phase: 'pending',
  mode: data.mode,
  statement_id: data.statement.statementId,
  session_id: data.statement.sessionId,
  ...whoOf(data.statement.principal),
  environment: data.statement.target.environment,
  db_namespace: data.statement.target.database,
  db_role: data.statement.role,
  db_query_text: data.statement.text,
  digest: data.statement.digest,
  actions: data.statement.actions,
  relations: data.statement.relations.map(({ name }) => name),
  counted_rows: data.statement.rows?.rows ?? null,
  counted_exactly: data.statement.rows?.exact ?? false,
  policies: data.statement.policies,
  policy_version: data.statement.policyVersion,
  catalogue_version: data.statement.catalogueVersion,
  held_because: data.statement.because,
  reason: data.statement.reason ?? '',
  ticket: data.statement.ticket ?? '',
  approver_groups: Object.fromEntries(data.groups.map(({ name, people }) => [name, people])),
  quorum: data.quorum,
  excluded: data.excluded,
  requested_at: time(data.at),
  expires_at: time(data.expiresAt),
})

const policyRequested = ({ kind, proposal, ...data }: DataOf<'approval.policy-requested'>) => ({
  kind,
  phase: 'pending',
  ...whoOf(proposal.principal),
  digest: proposal.digest,
  policies: proposal.changes.map(({ id }) => id),
  policy_version: proposal.base,
  held_because: `policy ${proposal.version} in the place of ${proposal.base}`,
  reason: proposal.reason,
  approver_groups: Object.fromEntries(data.groups.map(({ name, people }) => [name, people])),
  quorum: data.quorum,
  excluded: data.excluded,
  requested_at: time(data.at),
  expires_at: time(data.expiresAt),
})

const voted = (row: Told, { vote, person }: DataOf<'approval.voted'>): Told =>
  vote === 'grant'
    ? { ...row, people_for: [...row.people_for, person] }
    : { ...row, people_against: [...row.people_against, person] }

const closed = (row: Told, phase: string, at: string, decision_reason: string): Told => ({
  ...row,
  phase,
  decision_reason,
  closed_at: time(at),
})

const claimed = (row: Told, data: DataOf<'grant.claimed'>): Told => ({
  ...row,
  phase: 'claimed',
  claimed_at: time(data.at),
  claimed_statement_id: data.statementId,
  claimed_session_id: data.sessionId,
})

const unknownRequest = (request_id: string): Told => ({
  request_id,
  kind: '',
  phase: '',
  mode: '',
  statement_id: '',
  session_id: '',
  principal_id: '',
  principal_kind: '',
  person: '',
  on_behalf_of: '',
  principal_groups: [],
  environment: '',
  db_namespace: '',
  db_role: '',
  db_query_text: '',
  digest: '',
  actions: [],
  relations: [],
  counted_rows: null,
  counted_exactly: false,
  policies: [],
  policy_version: '',
  catalogue_version: '',
  held_because: '',
  reason: '',
  ticket: '',
  approver_groups: {},
  quorum: 0,
  excluded: [],
  people_for: [],
  people_against: [],
  decision_reason: '',
  requested_at: null,
  expires_at: null,
  granted_at: null,
  usable_until: null,
  claimed_at: null,
  claimed_statement_id: '',
  claimed_session_id: '',
  closed_at: null,
  refused_claims: {},
})
