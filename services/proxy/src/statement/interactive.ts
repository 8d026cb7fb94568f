import type { Principal } from '@countersign/contracts'
import type { Greeting } from '../protocol.ts'

/** Programs in which a person sits and sees a notice at once. What they call themselves is a claim; it costs only waiting. */
const INTERACTIVE = /^(psql|pgcli|pgadmin|dbeaver|datagrip|postico|tableplus|beekeeper|azuredatastudio)/i

/**
 * How long this client is kept waiting for an approval, or undefined when it is told at once to come back.
 *
 * Only people wait, and only where they see that they wait: a program that gave up would have its statement run
 * later, with nobody there (research/ux.md, section 3). A client may ask for it with `-c countersign.hold=30s`.
 */
export const holdSecondsFor = (
  { kind }: Principal,
  { application, holdSeconds }: Pick<Greeting, 'application' | 'holdSeconds'>,
  inlineSeconds: number,
): number | undefined => {
  if (kind !== 'person') return undefined
  const seconds = holdSeconds ?? (INTERACTIVE.test(application ?? '') ? inlineSeconds : 0)
  return seconds > 0 ? seconds : undefined
}
