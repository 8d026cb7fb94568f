import { createHash } from 'node:crypto'
import { Digest, type GovernanceEvent, type Instant } from '@countersign/contracts'
import { unlessSaid, type Record } from '../governance/governance.ts'
import type { PolicySet } from './policy-files.ts'
import type { Proposed, Published } from './policy-history.ts'

/** What files say is published, unless that was published last, or policies may be changed by signatures only. */
export const publishedFromFiles =
  (set: PolicySet, at: Instant, signaturesOnly: boolean): Record =>
  (past) => {
    const published = publishedIn(past)
    if (published.some(({ requestId }) => requestId !== undefined)) return []
    if (signaturesOnly && published.length > 0) return []
    const event: GovernanceEvent = { type: 'policy.published', data: { ...contentOf(set), at } }
    return published.at(-1)?.version === set.version ? [] : [event]
  }

/**
 * CONTROL policy-change: what was signed for is published once, and only in the place of what it was proposed
 * against. The stream's order decides, whoever tries at the same time.
 */
export const publishedBySignatures =
  (set: PolicySet, { requestId, base, by }: Proposed, signedBy: readonly string[], at: Instant): Record =>
  (past) => {
    const published = publishedIn(past)
    const isTold = published.some((each) => each.requestId === requestId)
    if (isTold || published.at(-1)?.version !== base) return []
    return [{ type: 'policy.published', data: { ...contentOf(set), by, requestId, signedBy: [...signedBy], at } }]
  }

/** Who owns what under it, where that is something else than before. */
export const ownersAssigned = (owners: string, { by, at }: Published): Record => {
  const digest = digestOf(owners)
  const lines = owners.split('\n').filter(saysSomething).length
  return unlessSaid(
    { type: 'owner.assigned', data: { digest, lines, ...(by !== undefined && { by }), at } },
    ({ type, data }) => type === 'owner.assigned' && data.digest === digest,
  )
}

const publishedIn = (past: readonly GovernanceEvent[]): readonly Published[] =>
  past.flatMap(({ type, data }) => (type === 'policy.published' ? [data] : []))

const contentOf = ({ version, files }: PolicySet) => ({
  version,
  files: files.map(({ name, text }) => ({ name, digest: digestOf(text) })),
})

const saysSomething = (line: string) => line.trim() !== '' && !line.trim().startsWith('#')

const digestOf = (text: string): Digest => Digest.parse(createHash('sha256').update(text).digest('hex'))
