import type { Api } from '../api/api.ts'
import { RequestPage, type RequestView } from '../api/views.ts'
import { distance, localTime } from '../clock.ts'
import type { Io } from '../command.ts'
import { EXIT, type ExitCode } from '../exit-code.ts'
import { shortened, table } from '../table.ts'

interface List {
  readonly api: () => Api
  readonly io: Io
  readonly json: boolean
  readonly all: boolean
  readonly limit: number
}

export const listRequests = async ({ api, io, json, all, limit }: List): Promise<ExitCode> => {
  const page = await api().get(`/requests?${all ? '' : 'phase=pending&'}limit=${limit}`, RequestPage)
  if (json) io.out(JSON.stringify(page))
  else if (page.requests.length === 0) io.out(all ? 'there are no requests' : 'nothing waits')
  else for (const line of requestTable(page.requests, io.now())) io.out(line)
  return EXIT.ok
}

const TEXT_MAX = 60

export const requestTable = (requests: readonly RequestView[], now: Date): readonly string[] =>
  table(
    ['ID', 'PHASE', 'SINCE', 'WHO', 'WHERE', 'STATEMENT'],
    requests.map((request) => [
      request.id,
      phaseOf(request, now),
      localTime(request.requestedAt),
      whoOf(request),
      request.target ? `${request.target.environment}/${request.target.database}` : 'policies',
      shortened(request.text, TEXT_MAX),
    ]),
  )

const phaseOf = ({ phase, expiresAt }: RequestView, now: Date): string =>
  phase === 'pending' ? `waits, ends ${distance(expiresAt, now)}` : phase

export const whoOf = ({ requester: { id, kind, onBehalfOf } }: RequestView): string =>
  kind === 'agent' ? `${id} for ${onBehalfOf ?? 'nobody'}` : id
