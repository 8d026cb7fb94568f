import type { DecisionEvent, GovernanceEvent, Instant, PrincipalId } from '@countersign/contracts'
import { subjectOf, type DecisionBoard } from '../decisions/decision-board.ts'
import type { Record, Tell } from '../governance/governance.ts'
import type { Identity } from './identities-file.ts'

type Credential = Extract<DecisionEvent, { type: 'credential.in-force' }>

/**
 * Makes the file's credentials the ones in force, and every other one revoked. Writes only what changed, so it may
 * be repeated: after a crash in between, and by each replica.
 */
export const publishIdentities = async (
  identities: readonly Identity[],
  { board, tell, at }: { board: DecisionBoard; tell: Tell; at: Instant },
): Promise<void> => {
  const wanted = identities.map((identity) => inForceOf(identity, at))
  const ids = new Set(wanted.map(({ data }) => data.credentialId))
  const gone = credentialsOf(board)
    .filter(({ data }) => !ids.has(data.credentialId) && !data.revoked)
    .map((credential) => revokedOf(credential, at))
  // Revocations first: who is out must be out before anything else can fail.
  for (const credential of [...gone, ...wanted]) {
    if (board.stands(credential)) continue
    await tell(`credential/${credential.data.credentialId}`, historyOf(credential, board))
    await board.put(subjectOf(credential), () => credential)
  }
}

/** Principals whose every credential was taken away. Of one that was never registered here, nothing is said. */
export const revokedPrincipals = (board: DecisionBoard): ReadonlySet<PrincipalId> => {
  const credentials = credentialsOf(board)
  const revoked = new Set(credentials.map(({ data }) => data.principal.id))
  for (const { data } of credentials) if (!data.revoked) revoked.delete(data.principal.id)
  return revoked
}

const credentialsOf = (board: DecisionBoard): readonly Credential[] =>
  board.decisions().filter((decision): decision is Credential => decision.type === 'credential.in-force')

const inForceOf = ({ principal, credential }: Identity, at: Instant): Credential => ({
  type: 'credential.in-force',
  data: {
    credentialId: credential.id,
    principal,
    tokenDigest: credential.tokenDigest,
    roles: credential.roles,
    expiresAt: credential.expiresAt,
    revoked: false,
    at,
  },
})

const revokedOf = ({ type, data }: Credential, at: Instant): Credential => ({
  type,
  data: { ...data, revoked: true, at },
})

/** What changed, in the words of the history: a new token for an old credential ends that one and begins another. */
const historyOf = ({ data }: Credential, board: DecisionBoard): Record => {
  const { credentialId, principal, expiresAt, at } = data
  const registered: GovernanceEvent = {
    type: 'identity.registered',
    data: { principal, credentialId, expiresAt, at },
  }
  return (past) => {
    const last = past.at(-1)
    if (data.revoked) return last?.type === 'identity.revoked' ? [] : [revocation(data)]
    if (last?.type !== 'identity.registered') return [registered]
    const before = board.decision(`credential/${credentialId}`)
    const replaced = before?.type === 'credential.in-force' && before.data.tokenDigest !== data.tokenDigest
    if (replaced) return [revocation({ ...before.data, at }), registered]
    return sameRegistration(last.data, registered.data) ? [] : [registered]
  }
}

const revocation = ({ principal, credentialId, at }: Credential['data']): GovernanceEvent => ({
  type: 'identity.revoked',
  data: { principalId: principal.id, credentialId, at },
})

type Registration = Extract<GovernanceEvent, { type: 'identity.registered' }>['data']

const sameRegistration = (a: Registration, b: Registration): boolean =>
  a.expiresAt === b.expiresAt &&
  JSON.stringify(sortedEntries(a.principal)) === JSON.stringify(sortedEntries(b.principal))

const sortedEntries = (object: object) => Object.entries(object).sort(([a], [b]) => (a < b ? -1 : 1))
