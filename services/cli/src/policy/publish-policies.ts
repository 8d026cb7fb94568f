import { setTimeout as sleep } from 'node:timers/promises'
import type { Api } from '../api/api.ts'
import { RequestView } from '../api/views.ts'
import type { Io } from '../command.ts'
import { EXIT, type ExitCode } from '../exit-code.ts'
import { outcomeOf } from '../requests/cast-vote.ts'
import { describeRequest } from '../requests/describe-request.ts'
import { checked, readPolicyFolder } from './policy-folder.ts'

interface Publish {
  readonly api: () => Api
  readonly io: Io
  readonly json: boolean
  readonly path: string
  readonly reason: string
  readonly wait: boolean
}

/** Asks for signatures. Nothing is in force before somebody else has signed. */
export const publishPolicies = async ({ api, io, json, path, reason, wait }: Publish): Promise<ExitCode> => {
  const { files, owners } = checked(readPolicyFolder(path))
  const connected = api()
  const body = { reason, ...(files && { files }), ...(owners !== undefined && { owners }) }
  const opened = await connected.post('/policies/proposals', body, RequestView)
  if (!json) for (const line of describeRequest(opened, io.now())) io.out(line)
  const ended = wait ? await untilDecided(connected, opened, io) : opened
  io.out(json ? JSON.stringify(ended) : sayOf(ended))
  return wait || ended.phase === 'denied' ? STATUS[ended.phase] : EXIT.ok
}

const POLL_MS = 500

const untilDecided = async (api: Api, opened: RequestView, { stopping }: Io): Promise<RequestView> => {
  let request = opened
  while ((request.phase === 'pending' || request.phase === 'granted') && !stopping.aborted) {
    await sleep(POLL_MS, undefined, { signal: stopping }).catch(() => undefined)
    request = await api.get(`/requests/${request.id}`, RequestView)
  }
  return request
}

const sayOf = (request: RequestView): string =>
  request.phase === 'pending'
    ? `${request.id} waits to be signed: countersign requests approve ${request.id}`
    : outcomeOf(request)

const STATUS: Readonly<Record<RequestView['phase'], ExitCode>> = {
  pending: EXIT.approvalRequired,
  granted: EXIT.approvalRequired,
  claimed: EXIT.ok,
  denied: EXIT.denied,
  expired: EXIT.expired,
  withdrawn: EXIT.failed,
  voided: EXIT.failed,
}
