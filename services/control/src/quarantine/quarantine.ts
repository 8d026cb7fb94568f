import { createHash } from 'node:crypto'
import {
  Digest,
  MalformedCommitError,
  MalformedEventError,
  UnknownEventError,
  type GovernanceEvent,
  type Instant,
} from '@countersign/contracts'
import type { LogRecord, Quarantined } from '@countersign/eventlog'

/** Told of a record, or of one event of it, that no contract knows. Resolves when that is on record. */
export type Quarantine = (found: Quarantined) => Promise<void>

/** The stream of its own in which it is pointed to, so that it is pointed to once, whoever finds it how often. */
export const quarantineStream = ({ topic, partition, offset, index }: Quarantined): string =>
  ['quarantine', topic, partition, offset, ...(index === undefined ? [] : [index])].join('/')

export const quarantinedEvent = ({ digest, ...found }: Quarantined, at: Instant): GovernanceEvent => ({
  type: 'event.quarantined',
  data: { ...found, digest: Digest.parse(digest), at },
})

/** What is said of a record, or of the event at an index of it, that could not be read. */
export const foundIn = (
  { topic, partition, offset, value }: LogRecord,
  error: unknown,
  index?: number,
): Quarantined => ({
  topic,
  partition,
  offset,
  ...(index !== undefined && { index }),
  ...kindOf(error),
  because: reasonOf(error),
  digest: createHash('sha256').update(value).digest('hex'),
  bytes: value.byteLength,
})

const kindOf = (error: unknown) => {
  if (!(error instanceof UnknownEventError || error instanceof MalformedEventError)) return {}
  const { type, version } = error.stored
  return { type, version }
}

/** Only these errors are known to name fields and never values. */
const reasonOf = (error: unknown): string =>
  error instanceof MalformedCommitError || error instanceof MalformedEventError || error instanceof UnknownEventError
    ? error.message
    : `its reader failed with ${error instanceof Error ? error.name : typeof error}`
