import { createHash } from 'node:crypto'
import { Digest, type GovernanceEvent, type Instant } from '@countersign/contracts'
import type { DecisionBoard } from '../decisions/decision-board.ts'
import { unlessSaid, type Tell } from '../governance/governance.ts'
import type { PolicySet } from './policy-files.ts'

/** Puts a set in force, and on record who owns what under it. Writes only what changed. */
export const publishPolicy = async (
  set: PolicySet,
  { board, tell, at }: { board: DecisionBoard; tell: Tell; at: Instant },
): Promise<void> => {
  const { version, files, owners } = set
  await tell(
    'policy',
    unlessSaid(published(set, at), ({ type, data }) => type === 'policy.published' && data.version === version),
  )
  await tell(
    'owners',
    unlessSaid(assigned(owners, at), ({ type, data }) => type === 'owner.assigned' && data.digest === digestOf(owners)),
  )
  await board.put('policy', () => ({ type: 'policy.in-force', data: { version, files: [...files], owners, at } }))
}

const published = ({ version, files }: PolicySet, at: Instant): GovernanceEvent => ({
  type: 'policy.published',
  data: { version, files: files.map(({ name, text }) => ({ name, digest: digestOf(text) })), at },
})

const assigned = (owners: string, at: Instant): GovernanceEvent => ({
  type: 'owner.assigned',
  data: { digest: digestOf(owners), lines: owners.split('\n').filter(saysSomething).length, at },
})

const saysSomething = (line: string) => line.trim() !== '' && !line.trim().startsWith('#')

const digestOf = (text: string): Digest => Digest.parse(createHash('sha256').update(text).digest('hex'))
