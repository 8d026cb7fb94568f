import { Body, HEADER_BYTES } from '../body.ts'

/*
 * Execute => 'E' length portal rowsMax
 *   portal  => String
 *   rowsMax => Int32 (0: all)
 */
export interface Execute {
  readonly portal: string
  readonly rowsMax: number
}

export const readExecute = (bytes: Buffer, start: number, end: number): Execute => {
  const body = new Body(bytes, start + HEADER_BYTES, end)
  const execute = { portal: body.name(), rowsMax: body.int32() }
  body.end()
  return execute
}
