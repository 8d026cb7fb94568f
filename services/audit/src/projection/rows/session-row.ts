import type { AccessEvent } from '@countersign/contracts'
import { clickhouseTime, type Place } from '../place.ts'
import { whoOf } from './who.ts'

type DataOf<Type extends AccessEvent['type']> = Extract<AccessEvent, { type: Type }>['data']

export type SessionRow = Readonly<ReturnType<typeof openedSession>>

export const openedSession = (data: DataOf<'session.opened'>, place: Place) => ({
  session_id: data.sessionId as string,
  worker: data.worker as string,
  node: nodeOf(data.worker),
  ...whoOf(data.principal),
  credential_id: data.credentialId as string,
  client_address: data.client.address,
  client_port: data.client.port,
  application_name: data.client.application ?? '',
  tls_version: data.client.tls ?? '',
  environment: data.target.environment,
  db_system_name: 'postgresql',
  db_namespace: data.target.database,
  db_role: data.upstream.role,
  server_address: data.upstream.server,
  server_process_id: data.upstream.processId,
  state: 'open',
  closed_because: '',
  statements: 0,
  opened_at: clickhouseTime(data.at),
  ...stillOpen,
  log_topic: place.topic as string,
  opened_partition: place.partition,
  opened_offset: place.offset,
  _version: 1,
})

interface Closing {
  readonly closed_at: string | null
  readonly closed_partition: number | null
  readonly closed_offset: number | null
}

const stillOpen: Closing = { closed_at: null, closed_partition: null, closed_offset: null }

/** A session ends once: whoever reports a second end of it is not believed. */
export const closedSession = (row: SessionRow, data: DataOf<'session.closed'>, place: Place): SessionRow =>
  row.state === 'closed'
    ? row
    : {
        ...row,
        state: 'closed',
        closed_because: data.because,
        statements: data.statements,
        closed_at: clickhouseTime(data.at),
        closed_partition: place.partition,
        closed_offset: place.offset,
        _version: 2,
      }

/** The first part of a worker's name is its node's. */
export const nodeOf = (worker: string): string => worker.split('/', 1)[0] ?? ''
