import type { Api } from '../api/api.ts'
import { RequestView } from '../api/views.ts'
import type { Io } from '../command.ts'
import { EXIT, type ExitCode } from '../exit-code.ts'
import { findRequest } from './find-request.ts'

interface Cancel {
  readonly api: () => Api
  readonly io: Io
  readonly json: boolean
  readonly id: string
}

export const cancelRequest = async ({ api, io, json, id }: Cancel): Promise<ExitCode> => {
  const connected = api()
  const request = await findRequest(connected, id)
  const after = await connected.post(`/requests/${request.id}/cancel`, {}, RequestView)
  io.out(
    json
      ? JSON.stringify(after)
      : `${after.phase}: ${after.id} ${after.kind === 'policy' ? 'changes nothing' : 'will not run'}`,
  )
  return EXIT.ok
}
