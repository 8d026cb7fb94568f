import { z } from 'zod'
import { StoredEvent } from './contract.ts'

/**
 * What one decision produced, as one record of the log: all of it or none.
 *
 * FORMAT commit/1: the record's value is this object as JSON in UTF-8. `revision` counts from 1 within a stream and
 * names the place that the writer believed to be next; of several commits with one revision, the first in log order
 * stands and the others are void (`accepts` in libs/eventlog).
 */
export const Commit = z.object({
  stream: z.string().min(1).max(300),
  revision: z.int().positive(),
  commitId: z.uuid(),
  events: z.array(StoredEvent).min(1),
  sealed: z
    .object({
      /** The data key that opens it; erase the key and the text is gone, while every digest still verifies. */
      keyId: z.string().min(1),
      /** AES-256-GCM over the exact statements and parameters that the events point into. Base64. */
      iv: z.string(),
      tag: z.string(),
      data: z.string(),
    })
    .optional(),
})
export type Commit = z.output<typeof Commit>

/** Where a statement's exact bytes lie in the opened `sealed` part of its own record: offset and length in bytes. */
export const SealedPart = z.tuple([z.int().nonnegative(), z.int().nonnegative()])
export type SealedPart = z.output<typeof SealedPart>

/** CloudEvents 1.0 attributes, carried as record headers in Kafka's binary mode (`ce_` prefix). */
export const commitHeaders = (
  commit: Pick<Commit, 'commitId' | 'stream'>,
  source: string,
  time: string,
  type: string,
) => ({
  ce_specversion: '1.0',
  ce_id: commit.commitId,
  ce_source: source,
  ce_type: type,
  ce_time: time,
  ce_subject: commit.stream,
  'content-type': 'application/json',
})

export const encodeCommit = (commit: Commit): Buffer => Buffer.from(JSON.stringify(commit))

/** Throws `MalformedCommitError` when the bytes are not a commit; the events inside are checked by their own readers. */
export const decodeCommit = (value: Uint8Array): Commit => {
  let parsed: unknown
  try {
    parsed = JSON.parse(Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('utf8'))
  } catch (cause) {
    throw new MalformedCommitError('not JSON', { cause })
  }
  const commit = Commit.safeParse(parsed)
  if (!commit.success) throw new MalformedCommitError(`not a commit: ${commit.error.issues[0]?.path.join('.') ?? ''}`)
  return commit.data
}

export class MalformedCommitError extends Error {
  readonly code = 'CONTRACT_MALFORMED_COMMIT'

  constructor(detail: string, options?: ErrorOptions) {
    super(detail, options)
    this.name = 'MalformedCommitError'
  }
}
