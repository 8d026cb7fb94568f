import type { Api } from '../api/api.ts'
import { RequestView, type Phase } from '../api/views.ts'
import { localTime } from '../clock.ts'
import type { Io } from '../command.ts'
import { EXIT, type ExitCode } from '../exit-code.ts'
import { describeRequest } from './describe-request.ts'
import { findRequest } from './find-request.ts'

interface Cast {
  readonly api: () => Api
  readonly io: Io
  readonly json: boolean
  readonly id: string
  readonly vote: 'grant' | 'deny'
  readonly reason: string | undefined
}

/**
 * Shows the statement and signs for exactly what was shown: the digest goes with the vote, and control refuses it
 * when that is not the statement's. Whether it counts is control's to say, and a vote that does not is recorded too;
 * so it is sent even where `you.canSign` says no.
 */
export const castVote = async ({ api, io, json, id, vote, reason }: Cast): Promise<ExitCode> => {
  const connected = api()
  const shown = await findRequest(connected, id)
  if (!json) for (const line of describeRequest(shown, io.now())) io.out(line)
  const body = { vote, digest: shown.digest, channel: 'cli', ...(reason !== undefined && { reason }) }
  const after = await connected.post(`/requests/${shown.id}/votes`, body, RequestView)
  io.out(json ? JSON.stringify(after) : outcomeOf(after))
  return EXIT.ok
}

const POLICY_OUTCOMES: Readonly<Partial<Record<Phase, string>>> = {
  granted: 'granted: the policies come into force in a moment',
  claimed: 'granted: the policies are in force',
  expired: 'expired: the policies stay as they are',
  withdrawn: 'withdrawn: the policies stay as they are',
  voided: 'voided: others came into force since; propose it again',
}

export const outcomeOf = (request: RequestView): string => {
  const { id, kind, phase, quorum, signatures, usableUntil } = request
  if (kind === 'policy' && phase in POLICY_OUTCOMES) return POLICY_OUTCOMES[phase] ?? phase
  const granted = signatures.filter(({ vote }) => vote === 'grant').length
  switch (phase) {
    case 'pending':
      return `signed: ${granted} of ${quorum}; ${id} waits for the others`
    case 'granted':
      return `granted: ${request.requester.id} may run it once until ${usableUntil ? localTime(usableUntil) : 'it expires'}`
    case 'claimed':
      return 'granted: it runs now'
    case 'denied':
      return `denied: ${request.requester.id} is told so`
    case 'expired':
    case 'withdrawn':
    case 'voided':
      return `${phase}: it will not run`
  }
}
