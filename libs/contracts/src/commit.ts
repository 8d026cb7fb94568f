import { z } from 'zod'
import { StoredEvent } from './contract.ts'

// FORMAT commit/1 (FORMAT.md): a record's value is this object as JSON in UTF-8. `accepts` in libs/eventlog says which
// of several commits with one revision stands.
export const Commit = z
  .object({
    stream: z.string().min(1).max(300).describe('What the events are about; its commits are numbered by `revision`.'),
    revision: z
      .int()
      .positive()
      .describe(
        'The place in the stream, counted from 1. Of several commits with one revision the first in the log stands.',
      ),
    commitId: z.uuid(),
    events: z.array(StoredEvent).min(1),
    sealed: z
      .object({
        keyId: z
          .string()
          .min(1)
          .describe('The data key that opens it. Once it is erased the text is gone, and every digest still verifies.'),
        iv: z.string(),
        tag: z.string(),
        data: z.string(),
      })
      .describe(
        'AES-256-GCM over the exact statements and parameters that the events point into (sealed/1), in base 64.',
      )
      .optional(),
  })
  .describe('What one decision produced, as one record of the log: all of it or none (commit/1).')
export type Commit = z.output<typeof Commit>

export const SealedPart = z
  .tuple([z.int().nonnegative(), z.int().nonnegative()])
  .describe('Where its exact bytes lie in the opened `sealed` part of its own record: offset and length in bytes.')
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
