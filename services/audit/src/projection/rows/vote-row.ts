import type { ApprovalEvent } from '@countersign/contracts'
import { clickhouseTime, type Place } from '../place.ts'
import type { ApprovalRow } from './approval-row.ts'

type VoteEvent = Extract<ApprovalEvent, { type: 'approval.voted' | 'approval.vote-refused' }>

export type VoteRow = Readonly<ReturnType<typeof voteRow>>

/** A vote, counted or refused, with what it was about. */
export const voteRow = (event: VoteEvent, request: ApprovalRow | undefined, place: Place) => ({
  request_id: event.data.requestId as string,
  voted_at: clickhouseTime(event.data.at),
  person: event.data.person ?? '',
  voter: event.data.voter as string,
  vote: event.data.vote as string,
  counted: event.type === 'approval.voted',
  refused_because: event.type === 'approval.vote-refused' ? (event.data.because as string) : '',
  counted_for: event.type === 'approval.voted' ? event.data.groups : [],
  reason: event.type === 'approval.voted' ? (event.data.reason ?? '') : '',
  channel: event.data.channel as string,
  environment: request?.environment ?? '',
  db_namespace: request?.db_namespace ?? '',
  requester_id: request?.principal_id ?? '',
  requester_person: request?.person ?? '',
  digest: request?.digest ?? '',
  log_topic: place.topic as string,
  log_partition: place.partition,
  log_offset: place.offset,
  event_index: place.index,
})
