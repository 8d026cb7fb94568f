import type { Restriction } from '../decisions/in-force.ts'
import type { RefusalText } from './startup-refused.ts'

/** What a principal is told that may do nothing for now. */
export const restrictedText = ({ because, until }: Restriction): RefusalText => [
  'ZA004',
  `restricted: ${because}`,
  until === undefined
    ? 'Somebody of the group security can lift it: countersign restrictions lift.'
    : `It ends by itself at ${until}. Somebody of the group security can lift it before: countersign restrictions lift.`,
]
