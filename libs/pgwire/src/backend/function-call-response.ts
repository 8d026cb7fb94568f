import { Body, HEADER_BYTES } from '../body.ts'
import { int32, message } from '../message.ts'
import { BACKEND } from '../tags.ts'

/*
 * FunctionCallResponse => 'V' length value
 *   value => Int32 length (-1: NULL), then that many bytes
 */

/** The value shares memory with the message. */
export const readFunctionResult = (bytes: Buffer, start: number, end: number): Buffer | null => {
  const body = new Body(bytes, start + HEADER_BYTES, end)
  const value = body.value()
  body.end()
  return value
}

export const functionCallResponse = (value: Buffer | null): Buffer =>
  value === null
    ? message(BACKEND.functionCallResponse, int32(-1))
    : message(BACKEND.functionCallResponse, int32(value.length), value)
