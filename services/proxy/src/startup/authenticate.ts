import { hash, timingSafeEqual } from 'node:crypto'
import type { Digest, PrincipalId } from '@countersign/contracts'
import type { Credential, InForce, Restriction } from '../decisions/in-force.ts'

export type AuthFailure = 'unknown-principal' | 'wrong-token' | 'expired-token' | 'revoked' | 'not-allowed'
export type Authenticated =
  | { readonly credential: Credential }
  | { readonly because: AuthFailure }
  /** It is who it says, and may do nothing for now. */
  | { readonly restriction: Restriction }

type Known = Pick<InForce, 'credential' | 'credentialsOf' | 'restrictionOf'>

/**
 * Who is it? The password is a token; only its digest is known here.
 *
 * The same steps are taken whatever they find: the look-up goes by digest, which an attacker cannot steer, and the
 * comparison takes the same time for a token that nobody has. Whether the name or the token was wrong is for the
 * record, never for the client.
 */
export const authenticate = (inForce: Known, user: string, token: Buffer, now: string): Authenticated => {
  const digest = hash('sha256', token, 'hex') as Digest
  const credential = inForce.credential(digest)
  const right = sameDigest(credential?.tokenDigest ?? NOBODYS, digest)
  const known = inForce.credentialsOf(user as PrincipalId).length > 0
  if (!known) return { because: 'unknown-principal' }
  if (!credential || !right || credential.principal.id !== user) return { because: 'wrong-token' }
  return usable(inForce, credential, now)
}

/**
 * A certificate alone stands for the token of the principal that it names: the same roles, the same end, the same
 * revocation. Who has several credentials must say by token which one it is.
 */
export const authenticateByCertificate = (inForce: Known, user: string, now: string): Authenticated => {
  const all = inForce.credentialsOf(user as PrincipalId)
  if (all.length === 0) return { because: 'unknown-principal' }
  const [credential, another] = all.filter(({ revoked }) => !revoked)
  if (!credential) return { because: 'revoked' }
  if (another) return { because: 'not-allowed' }
  return usable(inForce, credential, now)
}

const usable = (inForce: Known, credential: Credential, now: string): Authenticated => {
  if (credential.revoked) return { because: 'revoked' }
  if (credential.expiresAt <= now) return { because: 'expired-token' }
  const restriction = inForce.restrictionOf(credential.principal.id)
  return restriction ? { restriction } : { credential }
}

const NOBODYS = '0'.repeat(64)

const sameDigest = (a: string, b: string) => a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b))
