import { Body, HEADER_BYTES } from '../body.ts'

/*
 * Bind => 'B' length portal statement [parameterFormat] [parameter] [resultFormat]
 *   portal, statement => String
 *   parameterFormat   => Int16  (0 text, 1 binary; none: all text; one: for all), counted by the Int16 before them
 *   parameter         => Int32 length (-1: NULL), then that many bytes; counted by an unsigned Int16, so up to 65,535
 *   resultFormat      => Int16  as above
 */
export interface Bind {
  readonly portal: string
  readonly statement: string
  readonly parameterFormats: readonly number[]
  /** The parameters as they lie, counts and lengths included: what a digest covers. Shares memory. */
  readonly parameterBytes: Buffer
  readonly parameterCount: number
  readonly resultFormats: readonly number[]
}

const NONE: readonly number[] = []

export const readBind = (bytes: Buffer, start: number, end: number): Bind => {
  const body = new Body(bytes, start + HEADER_BYTES, end)
  const portal = body.name()
  const statement = body.name()
  const from = body.at
  const parameterFormats = formatsOf(body)
  const parameterCount = body.uint16()
  for (let left = parameterCount; left > 0; left--) body.value()
  const parameterBytes = bytes.subarray(from, body.at)
  const resultFormats = formatsOf(body)
  body.end()
  return { portal, statement, parameterFormats, parameterBytes, parameterCount, resultFormats }
}

const formatsOf = (body: Body): readonly number[] => {
  const count = body.uint16()
  if (count === 0) return NONE
  const formats: number[] = []
  for (let left = count; left > 0; left--) formats.push(body.int16())
  return formats
}

/** The format of column or parameter `index`, from a list that may name none, one for all, or each. */
export const formatAt = (formats: readonly number[], index: number): number =>
  (formats.length === 1 ? formats[0] : formats[index]) ?? 0

/** The values of a Bind, for those few statements whose parameters must be looked at. */
export const readParameters = ({
  parameterBytes,
  parameterFormats,
}: Pick<Bind, 'parameterBytes' | 'parameterFormats'>): readonly (Buffer | null)[] => {
  const body = new Body(parameterBytes, 2 + 2 * parameterFormats.length, parameterBytes.length)
  return body.list(() => body.value())
}
