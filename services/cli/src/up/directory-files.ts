import { existsSync } from 'node:fs'
import type { Home } from '../home.ts'
import { writeFileAtomically } from '../write-file.ts'
import { ENVIRONMENT } from './config-file.ts'
import { DATABASE } from './demo-database.ts'
import { DEMO_PRINCIPALS, type DemoPrincipal } from './demo-principals.ts'
import { tokenDigest, type Secrets } from './secrets.ts'

const VALID_DAYS = 365
const DAY_MS = 86_400_000

/**
 * Who is known, and who owns what. Written where they are missing and left alone afterwards: what people change in
 * them, a revocation above all, outlives a restart.
 */
export const ensureDirectoryFiles = (home: Home, secrets: Secrets, now: Date): void => {
  if (!existsSync(home.identities)) writeFileAtomically(home.identities, renderIdentities(secrets, now))
  if (!existsSync(home.owners)) writeFileAtomically(home.owners, OWNERS, 0o644)
}

export const renderIdentities = (secrets: Secrets, now: Date): string => {
  const expiresAt = new Date(now.getTime() + VALID_DAYS * DAY_MS).toISOString()
  const entries = DEMO_PRINCIPALS.map((principal) =>
    renderPrincipal(principal, secrets.tokens[principal.id], expiresAt),
  )
  return `# The people, agents and services of the demo. Change it while the system runs: control follows within a second.
# Tokens are known by their SHA-256 only; the tokens themselves are in secrets.json and ready.json.

principals:
${entries.join('\n')}
`
}

const renderPrincipal = (principal: DemoPrincipal, token: string, expiresAt: string): string => {
  const { id, kind, onBehalfOf, groups, role } = principal
  const person = kind === 'person' ? id : onBehalfOf
  return [
    `  - id: ${id}`,
    `    kind: ${kind}`,
    ...(person === undefined ? [] : [`    person: ${person}`]),
    ...(onBehalfOf === undefined ? [] : [`    onBehalfOf: ${onBehalfOf}`]),
    `    groups: [${groups.join(', ')}]`,
    '    credential:',
    `      id: ${id}-demo`,
    `      tokenDigest: ${tokenDigest(token)}`,
    `      expiresAt: '${expiresAt}'`,
    `      roles: { '*': ${role} }`,
  ].join('\n')
}

export const OWNERS = `# Who must countersign what is dangerous. The last line that matches counts; of several groups any one may sign.
${ENVIRONMENT}/${DATABASE}.*                   @shop-owners
${ENVIRONMENT}/${DATABASE}.public.payments*    @shop-owners @security
`
