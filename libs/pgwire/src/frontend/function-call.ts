import { Body, HEADER_BYTES } from '../body.ts'

/*
 * FunctionCall => 'F' length function [argumentFormat] [argument] resultFormat
 *   function       => Int32 OID
 *   argumentFormat => Int16  (0 text, 1 binary; none: all text; one: for all), counted by the Int16 before them
 *   argument       => Int32 length (-1: NULL), then that many bytes; counted by the unsigned Int16 before them
 *   resultFormat   => Int16
 */
export interface FunctionCall {
  readonly function: number
  readonly parameterFormats: readonly number[]
  /** The arguments as they lie, counts and lengths included, which is how Bind has its parameters. Shares memory. */
  readonly parameterBytes: Buffer
  readonly parameterCount: number
  readonly resultFormat: number
}

export const readFunctionCall = (bytes: Buffer, start: number, end: number): FunctionCall => {
  const body = new Body(bytes, start + HEADER_BYTES, end)
  const called = body.uint32()
  const from = body.at
  const parameterFormats = body.list(() => body.int16())
  const parameterCount = body.uint16()
  for (let left = parameterCount; left > 0; left--) body.value()
  const parameterBytes = bytes.subarray(from, body.at)
  const resultFormat = body.int16()
  body.end()
  return { function: called, parameterFormats, parameterBytes, parameterCount, resultFormat }
}
