import { adviceText } from '../../statement/advice.ts'
import type { Judgement } from '../../statement/judgement.ts'
import { StatementRefusedError } from '../../statement/refusal.ts'

/** Our own, and not PostgreSQL's grammar: it may ask of any statement, also of those that EXPLAIN does not take. */
const EXPLAIN_POLICY = /^\s*explain\s*\(\s*policy\s*\)\s*/i

/** The statement that is asked about, when a text is `EXPLAIN (POLICY) …`. */
export const explainedIn = (sql: string): string | undefined => {
  const start = EXPLAIN_POLICY.exec(sql)
  return start ? sql.slice(start[0].length) : undefined
}

/**
 * What would become of each command of it, for whoever asks: as a query whose rows are the answer. The server returns
 * them in whichever protocol and format the client speaks; of the statement itself nothing is sent, and nobody is
 * asked for an approval.
 */
export const explainedAnswer = (explained: readonly Judgement[] | StatementRefusedError): string => {
  const lines = explained instanceof StatementRefusedError ? refusedLines(explained) : explained.flatMap(linesOf)
  return `SELECT line AS "POLICY" FROM (VALUES ${lines.map((line) => `(${literal(line)})`).join(', ')}) AS answer (line)`
}

/** Read alike whatever `standard_conforming_strings` says. */
const literal = (text: string): string =>
  `U&'${text.replaceAll('\0', '').replace(/['\\\n\r]/g, (char) => `\\${char.charCodeAt(0).toString(16).padStart(4, '0')}`)}'::text`

const refusedLines = ({ message, hint }: StatementRefusedError) => [
  'verdict: deny',
  `because: ${message}`,
  ...(hint === undefined ? [] : [`advice: ${hint}`]),
]

/** What it would reach, but no row of it: who asks may not be one who may read them. */
const blastLines = ({ blast }: Judgement): readonly string[] =>
  blast && blast.summary !== '' ? [`reaches: ${blast.summary}`] : []

const linesOf = (judgement: Judgement): readonly string[] => {
  const { tag, verdict, because, rows, touches, relations, policies, policyVersion, approvers, quorum } = judgement
  const masked = touches.filter(({ how }) => how === 'returned-masked')
  const isHeld = verdict === 'hold'
  return [
    `statement: ${tag}`,
    `verdict: ${verdict}`,
    ...(isHeld || verdict === 'deny' ? [`because: ${because}`] : []),
    `policies: ${policies.join(', ') || 'none permits it'} (version ${policyVersion})`,
    ...(judgement.endsSession ? ['effect: the session ends'] : []),
    ...(isHeld ? [`approvers: ${approvers.join(' and ')}; ${quorum} in all`] : []),
    ...(rows ? [`rows: ${rows.exact ? '' : 'at most '}${rows.rows}`] : []),
    ...blastLines(judgement),
    ...(relations.length > 0
      ? [`touches: ${relations.map(({ name, actions }) => `${name} (${actions.join(', ')})`).join('; ')}`]
      : []),
    ...(masked.length > 0
      ? [
          `masked: ${masked.map((touch) => `${touch.relation}.${touch.column ?? '*'} (${touch.class ?? 'unknown'})`).join(', ')}`,
        ]
      : []),
    ...(adviceText(judgement)?.split('\n') ?? []).map((line) => `advice: ${line}`),
  ]
}
