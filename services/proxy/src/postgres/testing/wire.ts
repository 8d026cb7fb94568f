import {
  BACKEND,
  cstring,
  dataRow,
  FRONTEND,
  Frames,
  int16,
  int32,
  message,
  readBind,
  readCommandTag,
  readDataRow,
  readExecute,
  readFunctionCall,
  readFunctionResult,
  readNamed,
  readNotice,
  readNotification,
  readParameterStatus,
  readParse,
  readQuery,
  readReadyForQuery,
  readRowDescription,
} from '@countersign/pgwire'

/*
 * Messages of both sides, as specs write and read them: made from words, and told as words.
 */

export {
  commandComplete,
  dataRow,
  errorResponse,
  functionCallResponse,
  noticeResponse,
  parse,
  query,
  readyForQuery,
} from '@countersign/pgwire'
export { notificationResponse, parameterStatus, SYNC as sync } from '@countersign/pgwire'

export interface BindOptions {
  readonly parameters?: readonly (string | null)[]
  readonly parameterFormats?: readonly number[]
  readonly resultFormats?: readonly number[]
}

export const bind = (portal: string, statement: string, options: BindOptions = {}): Buffer => {
  const { parameters = [], parameterFormats = [], resultFormats = [] } = options
  // A DataRow is a list of values as well.
  const values = dataRow(parameters).subarray(5)
  return message(
    FRONTEND.bind,
    cstring(portal),
    cstring(statement),
    formats(parameterFormats),
    values,
    formats(resultFormats),
  )
}

const formats = (list: readonly number[]): Buffer => Buffer.concat([int16(list.length), ...list.map(int16)])

export const execute = (portal = '', rowsMax = 0): Buffer => message(FRONTEND.execute, cstring(portal), int32(rowsMax))
export const describe = (kind: 'S' | 'P', name = ''): Buffer =>
  message(FRONTEND.describe, Buffer.from(kind), cstring(name))
export const close = (kind: 'S' | 'P', name = ''): Buffer => message(FRONTEND.close, Buffer.from(kind), cstring(name))
export const flush: Buffer = message(FRONTEND.flush)
export const terminate: Buffer = message(FRONTEND.terminate)
/** FakeJudge calls functions by their numbers. */
export const functionCall = (oid: number): Buffer =>
  message(FRONTEND.functionCall, int32(oid), int16(0), int16(0), int16(0))
/** The same letter both ways. */
export const copyData = (text: string): Buffer => message(FRONTEND.copyData, Buffer.from(text))
export const copyDone: Buffer = message(FRONTEND.copyDone)
export const copyFail = (because: string): Buffer => message(FRONTEND.copyFail, cstring(because))

/** Parse, Bind, Describe, Execute and Sync of one statement, as most drivers send them. */
export const extended = (sql: string, { portal = '', statement = '', rowsMax = 0 } = {}): Buffer =>
  Buffer.concat([
    prepare(statement, sql),
    bind(portal, statement),
    describe('P', portal),
    execute(portal, rowsMax),
    SYNC,
  ])

const prepare = (statement: string, sql: string): Buffer =>
  message(FRONTEND.parse, cstring(statement), cstring(sql), int16(0))

const SYNC = message(FRONTEND.sync)

export const parseComplete: Buffer = message(BACKEND.parseComplete)
export const bindComplete: Buffer = message(BACKEND.bindComplete)
export const closeComplete: Buffer = message(BACKEND.closeComplete)
export const noData: Buffer = message(BACKEND.noData)
export const emptyQueryResponse: Buffer = message(BACKEND.emptyQueryResponse)
export const portalSuspended: Buffer = message(BACKEND.portalSuspended)
export const parameterDescription: Buffer = message(BACKEND.parameterDescription, int16(0))
export const copyInResponse: Buffer = message(BACKEND.copyInResponse, Buffer.from([0]), int16(0))
export const copyOutResponse: Buffer = message(BACKEND.copyOutResponse, Buffer.from([0]), int16(0))

/** One message with a length that says what it is told to. */
export const lying = (tag: string, length: number, body = Buffer.alloc(0)): Buffer =>
  Buffer.concat([Buffer.from(tag, 'latin1'), int32(length), body])

export interface Said {
  readonly tag: string
  readonly words: string
}

type Teller = (bytes: Buffer, start: number, end: number) => string

const letter = (tag: number) => String.fromCharCode(tag)
const body: Teller = (bytes, start, end) => bytes.toString('utf8', start + 5, end)

const fromClient: Readonly<Record<number, Teller>> = {
  [FRONTEND.query]: (...at) => `Query ${readQuery(...at).toString()}`,
  [FRONTEND.parse]: (...at) => told(readParse(...at), ({ statement, sql }) => `Parse ${statement}: ${sql.toString()}`),
  [FRONTEND.bind]: (...at) => told(readBind(...at), ({ portal, statement }) => `Bind ${portal} ${statement}`),
  [FRONTEND.execute]: (...at) => told(readExecute(...at), ({ portal, rowsMax }) => `Execute ${portal} ${rowsMax}`),
  [FRONTEND.describe]: (...at) => told(readNamed(...at), ({ kind, name }) => `Describe ${kind} ${name}`),
  [FRONTEND.close]: (...at) => told(readNamed(...at), ({ kind, name }) => `Close ${kind} ${name}`),
  [FRONTEND.functionCall]: (...at) => `FunctionCall ${readFunctionCall(...at).function}`,
  [FRONTEND.sync]: () => 'Sync',
  [FRONTEND.flush]: () => 'Flush',
  [FRONTEND.terminate]: () => 'Terminate',
  [FRONTEND.copyData]: (...at) => `CopyData ${body(...at)}`,
  [FRONTEND.copyDone]: () => 'CopyDone',
  [FRONTEND.copyFail]: () => 'CopyFail',
}

const fromServer: Readonly<Record<number, Teller>> = {
  [BACKEND.parseComplete]: () => 'ParseComplete',
  [BACKEND.bindComplete]: () => 'BindComplete',
  [BACKEND.closeComplete]: () => 'CloseComplete',
  [BACKEND.noData]: () => 'NoData',
  [BACKEND.emptyQueryResponse]: () => 'EmptyQueryResponse',
  [BACKEND.portalSuspended]: () => 'PortalSuspended',
  [BACKEND.parameterDescription]: () => 'ParameterDescription',
  [BACKEND.copyInResponse]: () => 'CopyInResponse',
  [BACKEND.copyOutResponse]: () => 'CopyOutResponse',
  [BACKEND.copyData]: (...at) => `CopyData ${body(...at)}`,
  [BACKEND.copyDone]: () => 'CopyDone',
  [BACKEND.rowDescription]: (...at) =>
    `RowDescription ${readRowDescription(...at)
      .map(({ name }) => name)
      .join()}`,
  [BACKEND.dataRow]: (...at) =>
    `DataRow ${readDataRow(...at)
      .map((value) => value?.toString() ?? 'null')
      .join()}`,
  [BACKEND.functionCallResponse]: (...at) => `FunctionCallResponse ${readFunctionResult(...at)?.toString() ?? 'null'}`,
  [BACKEND.commandComplete]: (...at) => `CommandComplete ${readCommandTag(...at)}`,
  [BACKEND.readyForQuery]: (bytes, start, end) => `ReadyForQuery ${readReadyForQuery(bytes, start, end)}`,
  [BACKEND.errorResponse]: (...at) => told(readNotice(...at), (it) => `Error ${it.get('C')} ${it.get('M')}`),
  [BACKEND.noticeResponse]: (...at) => told(readNotice(...at), (it) => `Notice ${it.get('C')} ${it.get('M')}`),
  [BACKEND.notificationResponse]: (...at) =>
    told(readNotification(...at), ({ channel, payload }) => `Notification ${channel} ${payload}`),
  [BACKEND.parameterStatus]: (...at) =>
    told(readParameterStatus(...at), ({ name, value }) => `Parameter ${name} ${value}`),
}

const told = <T>(it: T, tell: (it: T) => string): string => tell(it)

/** Tells what one side says, message by message, however its bytes come. */
export class Listening {
  readonly heard: string[] = []
  readonly #frames: Frames

  constructor(side: 'client' | 'server', heard: (words: string, bytes: Buffer) => void = () => {}) {
    const tellers = side === 'client' ? fromClient : fromServer
    this.#frames = new Frames({
      begin: () => 'whole',
      piece: () => {},
      message: (tag, bytes, start, end) => {
        const words = tellers[tag]?.(bytes, start, end) ?? `unknown ${letter(tag)}`
        this.heard.push(words)
        heard(words, Buffer.from(bytes.subarray(start, end)))
        return true
      },
    })
  }

  hear(bytes: Buffer): void {
    this.#frames.read(bytes, 0, bytes.length)
  }

  /** What has been heard since this was last asked. */
  news(): string[] {
    return this.heard.splice(0)
  }
}
