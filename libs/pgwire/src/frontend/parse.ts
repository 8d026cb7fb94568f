import { cstring, int16, message } from '../message.ts'
import { Body, HEADER_BYTES } from '../body.ts'
import { FRONTEND } from '../tags.ts'

/*
 * Parse => 'P' length statement sql [parameterType]
 *   statement     => String     (empty: the unnamed statement)
 *   sql           => String
 *   parameterType => Int32      (0: let the server infer it), as many as the Int16 before them says
 */
export interface Parse {
  readonly statement: string
  /** Shares memory with the message. */
  readonly sql: Buffer
  readonly parameterTypes: readonly number[]
}

export const readParse = (bytes: Buffer, start: number, end: number): Parse => {
  const body = new Body(bytes, start + HEADER_BYTES, end)
  const parse = { statement: body.name(), sql: body.cbytes(), parameterTypes: body.list(() => body.uint32()) }
  body.end()
  return parse
}

/** A Parse that leaves every parameter's type to the server. */
export const parse = (statement: string, sql: string): Buffer =>
  message(FRONTEND.parse, cstring(statement), cstring(sql), int16(0))
