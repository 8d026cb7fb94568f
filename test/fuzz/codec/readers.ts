import {
  BACKEND,
  FRONTEND,
  readBind,
  readCommandTag,
  readCopyFail,
  readDataRow,
  readExecute,
  readNamed,
  readNotice,
  readNotification,
  readParameters,
  readParameterStatus,
  readParse,
  readPassword,
  readQuery,
  readReadyForQuery,
  readRowDescription,
} from '@countersign/pgwire'

type Reader = (bytes: Buffer, start: number, end: number) => unknown

/** Every reader of the codec, by direction and tag. */
export const readers: Readonly<Record<'client' | 'server', ReadonlyMap<number, Reader>>> = {
  client: new Map<number, Reader>([
    [FRONTEND.query, readQuery],
    [FRONTEND.parse, readParse],
    [FRONTEND.bind, (...at) => withParameters(readBind(...at))],
    [FRONTEND.execute, readExecute],
    [FRONTEND.describe, readNamed],
    [FRONTEND.close, readNamed],
    [FRONTEND.copyFail, readCopyFail],
    [FRONTEND.password, readPassword],
  ]),
  server: new Map<number, Reader>([
    [BACKEND.commandComplete, readCommandTag],
    [BACKEND.dataRow, readDataRow],
    [BACKEND.errorResponse, (...at) => [...readNotice(...at)]],
    [BACKEND.noticeResponse, (...at) => [...readNotice(...at)]],
    [BACKEND.notificationResponse, readNotification],
    [BACKEND.parameterStatus, readParameterStatus],
    [BACKEND.readyForQuery, readReadyForQuery],
    [BACKEND.rowDescription, readRowDescription],
  ]),
}

const withParameters = (bind: ReturnType<typeof readBind>) => ({ ...bind, parameters: readParameters(bind) })
