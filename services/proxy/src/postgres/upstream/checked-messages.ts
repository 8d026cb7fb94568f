import { EventEmitter } from 'node:events'
import type { Duplex } from 'node:stream'
import {
  BACKEND,
  Body,
  Frames,
  HEADER_BYTES,
  ProtocolError,
  readCommandTag,
  readDataRow,
  readNotice,
  readNotification,
  readParameterStatus,
  readReadyForQuery,
  readRowDescription,
} from '@countersign/pgwire'
import type { Client } from 'pg'

/**
 * Lets `pg` see whole messages that keep to their grammar, and nothing else.
 *
 * pg-protocol believes whatever a server says: an error whose fields do not end keeps it looking for the end for
 * ever, with every session of this process; an unknown demand for a password is thrown where nobody catches it.
 * Call it before `connect`.
 */
export const checkMessages = (client: Client): void => {
  const { connection } = client as unknown as Inner
  const attach = connection.attachListeners.bind(connection)
  connection.attachListeners = (stream) => attach(checked(stream))
}

/** What `pg` keeps to itself and does not declare; checked by the live tests with each version that is pinned. */
interface Inner {
  readonly connection: { attachListeners(stream: Duplex | EventEmitter): void }
}

const MESSAGE_BYTES_MAX = 64 * 1024 * 1024

const checked = (stream: Duplex | EventEmitter): EventEmitter => {
  const passed = new EventEmitter()
  const frames = new Frames(
    {
      begin: () => 'whole',
      piece: () => undefined,
      message: (tag, bytes, start, end) => {
        check(tag, bytes, start, end)
        passed.emit('data', Buffer.from(bytes.subarray(start, end)))
        return true
      },
    },
    MESSAGE_BYTES_MAX,
  )
  stream.on('data', (bytes: Buffer) => {
    try {
      frames.read(bytes, 0, bytes.length)
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error
      stream.removeAllListeners('data')
      if ('destroy' in stream) stream.destroy(error)
    }
  })
  stream.on('end', () => passed.emit('end'))
  return passed
}

const check = (tag: number, bytes: Buffer, start: number, end: number): void => {
  const read = GRAMMAR.get(tag)
  if (!read) throw new ProtocolError('PGWIRE_UNEXPECTED', `message ${JSON.stringify(String.fromCharCode(tag))}`)
  read(bytes, start, end)
}

type Reader = (bytes: Buffer, start: number, end: number) => unknown

/** Reads the body with this, and insists that nothing is left over. */
const body =
  (read: (body: Body) => unknown): Reader =>
  (bytes, start, end) => {
    const fields = new Body(bytes, start + HEADER_BYTES, end)
    read(fields)
    fields.end()
  }

const bare = body(() => undefined)

/** SPEC: protocol-message-formats: what a server may demand at a login; the three of SASL are all that has a body. */
const authentication = body((fields) => {
  const kind = fields.int32()
  if (kind === 10) for (let name = fields.cstring(); name !== ''; name = fields.cstring());
  else if (kind === 11 || kind === 12) fields.take(fields.left)
  else if (kind === 5) fields.take(4)
  else if (kind !== 0 && kind !== 3) throw new ProtocolError('PGWIRE_UNEXPECTED', `a login of kind ${kind}`)
})

const GRAMMAR: ReadonlyMap<number, Reader> = new Map<number, Reader>([
  [BACKEND.authentication, authentication],
  [BACKEND.backendKeyData, body((fields) => [fields.int32(), fields.int32(), fields.take(fields.left)])],
  [BACKEND.bindComplete, bare],
  [BACKEND.closeComplete, bare],
  [BACKEND.commandComplete, readCommandTag],
  [BACKEND.dataRow, readDataRow],
  [BACKEND.emptyQueryResponse, bare],
  [BACKEND.errorResponse, readNotice],
  [BACKEND.noData, bare],
  [BACKEND.noticeResponse, readNotice],
  [BACKEND.notificationResponse, readNotification],
  [BACKEND.parameterDescription, body((fields) => fields.list(() => fields.uint32()))],
  [BACKEND.parameterStatus, readParameterStatus],
  [BACKEND.parseComplete, bare],
  [BACKEND.portalSuspended, bare],
  [BACKEND.readyForQuery, readReadyForQuery],
  [BACKEND.rowDescription, readRowDescription],
])
