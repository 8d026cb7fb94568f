import type { Digest } from '@countersign/contracts'
import { traceParentIn, type TraceParent } from '../telemetry/traceparent.ts'
import { statementDigest } from './digest.ts'

/** What the record says of a client's message as it came: the same for each command in it, and made once for them all. */
export interface ExactBytes {
  /** Its text, then its parameters. */
  readonly bytes: Buffer
  readonly textBytes: number
  readonly digest: Digest
  readonly traceParent: TraceParent | undefined
}

export const exactBytes = (text: Buffer, parameterBytes: Buffer | undefined): ExactBytes => ({
  bytes: parameterBytes ? Buffer.concat([text, parameterBytes]) : text,
  textBytes: text.length,
  digest: statementDigest(text, parameterBytes),
  traceParent: traceParentIn(text),
})
