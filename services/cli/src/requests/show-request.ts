import type { Api } from '../api/api.ts'
import type { Phase } from '../api/views.ts'
import type { Io } from '../command.ts'
import { EXIT, type ExitCode } from '../exit-code.ts'
import { describeRequest } from './describe-request.ts'
import { findRequest } from './find-request.ts'

interface Show {
  readonly api: () => Api
  readonly io: Io
  readonly json: boolean
  readonly id: string
  readonly exitStatus: boolean
}

export const showRequest = async ({ api, io, json, id, exitStatus }: Show): Promise<ExitCode> => {
  const request = await findRequest(api(), id)
  if (json) io.out(JSON.stringify(request))
  else for (const line of describeRequest(request, io.now())) io.out(line)
  return exitStatus ? STATUS[request.phase] : EXIT.ok
}

const STATUS: Readonly<Record<Phase, ExitCode>> = {
  pending: EXIT.approvalRequired,
  granted: EXIT.ok,
  claimed: EXIT.ok,
  denied: EXIT.denied,
  expired: EXIT.expired,
  withdrawn: EXIT.failed,
  voided: EXIT.failed,
}
