import { Body, HEADER_BYTES } from '../body.ts'
import { ProtocolError } from '../errors.ts'
import { BACKEND } from '../tags.ts'
import { cstring, int32, message } from '../message.ts'

/*
 * Authentication   => 'R' length Int32 (0 ok, 3 clear-text password wanted)
 * ParameterStatus  => 'S' length name String, value String
 * BackendKeyData   => 'K' length processId Int32, secret bytes
 * ReadyForQuery    => 'Z' length Byte1 ('I' idle, 'T' in a transaction, 'E' in a failed one)
 * NegotiateProtocolVersion => 'v' length newest minor Int32, count Int32, option names
 */

export const authenticationOk = (): Buffer => message(BACKEND.authentication, int32(0))

export const authenticationCleartextPassword = (): Buffer => message(BACKEND.authentication, int32(3))

export const parameterStatus = (name: string, value: string): Buffer =>
  message(BACKEND.parameterStatus, cstring(name), cstring(value))

export const readParameterStatus = (bytes: Buffer, start: number, end: number): { name: string; value: string } => {
  const body = new Body(bytes, start + HEADER_BYTES, end)
  const status = { name: body.cstring(), value: body.cstring() }
  body.end()
  return status
}

export const backendKeyData = (processId: number, secret: Uint8Array): Buffer =>
  message(BACKEND.backendKeyData, int32(processId), secret)

export type TransactionStatus = 'idle' | 'open' | 'failed'

const STATUS_BYTE = { idle: 0x49, open: 0x54, failed: 0x45 } as const

export const readyForQuery = (status: TransactionStatus): Buffer =>
  message(BACKEND.readyForQuery, Uint8Array.of(STATUS_BYTE[status]))

export const readReadyForQuery = (bytes: Buffer, start: number, end: number): TransactionStatus => {
  if (end - start !== HEADER_BYTES + 1)
    throw new ProtocolError('PGWIRE_BAD_LENGTH', `a ReadyForQuery of ${end - start} bytes`)
  const status = bytes[start + HEADER_BYTES]
  if (status === STATUS_BYTE.idle) return 'idle'
  if (status === STATUS_BYTE.open) return 'open'
  if (status === STATUS_BYTE.failed) return 'failed'
  throw new ProtocolError('PGWIRE_UNEXPECTED', `transaction status ${status}`)
}

export const negotiateProtocolVersion = (minor: number, unknownOptions: readonly string[]): Buffer =>
  message(
    BACKEND.negotiateProtocolVersion,
    int32((3 << 16) | minor),
    int32(unknownOptions.length),
    ...unknownOptions.map(cstring),
  )
