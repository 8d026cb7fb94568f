import type { RequestView } from '../api/views.ts'
import { distance, localTime } from '../clock.ts'
import { proposalLines } from '../policy/proposal-lines.ts'
import { visible, visibleLines } from '../table.ts'
import { summaryOf } from '../whatif/summary.ts'
import { describeBlast } from './describe-blast.ts'
import { whoOf } from './list-requests.ts'

const LABEL_WIDTH = 10

/** Everything that one must know to sign it: the statement whole and what it would reach, or what of the policies changes. */
export const describeRequest = (request: RequestView, now: Date): readonly string[] => [
  ...fieldsOf(request, now).map(([label, value]) => `${label.padEnd(LABEL_WIDTH)}  ${visible(value)}`),
  '',
  ...(request.proposal ? proposalLines(request.proposal) : visibleLines(request.text).split('\n')).map((line) =>
    `    ${line}`.trimEnd(),
  ),
  '',
  ...(request.blast ? describeBlast(request.blast) : []),
]

type Field = readonly [label: string, value: string]

const fieldsOf = (request: RequestView, now: Date): readonly Field[] => {
  const { id, because, reason, ticket, digest } = request
  return [
    ['request', `${id}  ${phaseOf(request, now)}`],
    ['who', `${whoOf(request)} (${request.requester.kind}, ${request.requester.groups.join(', ')})`],
    ...optional('where', whereOf(request)),
    ['does', doesWhat(request)],
    ...optional('rows', rowsOf(request)),
    ...optional('reaches', request.blast?.summary),
    [request.proposal ? 'waits' : 'held', because],
    ...optional('reason', reason),
    ...optional('ticket', ticket),
    ...optional('what if', replayedOf(request)),
    ['needs', needsOf(request)],
    ...optional('signed', signaturesOf(request)),
    ...optional('you', request.you.message),
    ['since', localTime(request.requestedAt)],
    ['digest', digest],
  ]
}

const optional = (label: string, value: string | undefined): readonly Field[] =>
  value === undefined || value === '' ? [] : [[label, value]]

const phaseOf = ({ phase, expiresAt, usableUntil, endedBecause }: RequestView, now: Date): string => {
  if (phase === 'pending') return `waits, ends ${distance(expiresAt, now)}`
  if (phase === 'granted' && usableUntil) return `granted, usable once until ${localTime(usableUntil)}`
  return endedBecause === undefined ? phase : `${phase}: ${endedBecause}`
}

const whereOf = ({ target, role }: RequestView): string | undefined =>
  target && `${target.environment}/${target.database} as ${role ?? 'nobody'}`

const replayedOf = ({ proposal }: RequestView): string | undefined => proposal?.replayed && summaryOf(proposal.replayed)

const doesWhat = ({ actions, relations, proposal }: RequestView): string => {
  if (proposal) return `puts policy ${proposal.version} in the place of ${proposal.base}`
  return relations.length === 0
    ? actions.join(', ')
    : relations.map((relation) => `${relation.actions.join(', ')} ${relation.name}`).join('; ')
}

const rowsOf = ({ rows }: RequestView): string | undefined =>
  rows && `${rows.exact ? '' : 'about '}${rows.rows.toLocaleString('en')}`

const needsOf = ({ groups, quorum }: RequestView): string => {
  const each = groups.map(({ name, people }) => `${name} (${people.join(', ') || 'nobody'})`)
  return `${quorum} of: ${each.join(' and ')}`
}

const signaturesOf = ({ signatures }: RequestView): string =>
  signatures
    .map(
      ({ person, vote, reason, at }) =>
        `${person} ${vote}s ${localTime(at)}${reason === undefined ? '' : `: ${reason}`}`,
    )
    .join('; ')
