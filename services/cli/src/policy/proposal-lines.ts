import type { OwnersDifference, PolicyDifference } from '@countersign/policy'
import { visible, visibleLines } from '../table.ts'

const MARKS = { added: '+', removed: '-', changed: '~' } as const

interface Differences {
  readonly changes: readonly (Pick<PolicyDifference, 'id' | 'file' | 'change'> & {
    readonly before?: string | undefined
    readonly after?: string | undefined
  })[]
  readonly owners: OwnersDifference
}

/** What differs, one line each: policies by name, rules of owners as they are written. */
export const differenceLines = ({ changes, owners }: Differences): readonly string[] => [
  ...changes.map(({ id, file, change }) => `${MARKS[change]} ${visible(id)}  (${visible(file)})`),
  ...owners.removed.map((rule) => `- DATAOWNERS  ${visible(rule)}`),
  ...owners.added.map((rule) => `+ DATAOWNERS  ${visible(rule)}`),
]

/** The same with the texts of the policies, where one may see them. */
export const proposalLines = ({ changes, owners }: Differences): readonly string[] => [
  ...changes.flatMap((change) => [
    ...differenceLines({ changes: [change], owners: { added: [], removed: [] } }),
    ...textLines('-', change.before),
    ...textLines('+', change.after),
  ]),
  ...differenceLines({ changes: [], owners }),
]

const textLines = (mark: string, text: string | undefined): readonly string[] =>
  text === undefined
    ? []
    : visibleLines(text)
        .split('\n')
        .map((line) => `  ${mark} ${line}`)
