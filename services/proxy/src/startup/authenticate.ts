import { hash, timingSafeEqual } from 'node:crypto'
import type { Digest } from '@countersign/contracts'
import type { Credential, InForce } from '../decisions/in-force.ts'

export type AuthFailure = 'wrong-token' | 'expired-token' | 'revoked'
export type Authenticated = { readonly credential: Credential } | { readonly because: AuthFailure }

/**
 * Who is it? The password is a token; only its digest is known here.
 *
 * The look-up goes by digest, which an attacker cannot steer, and the comparison takes the same time whatever it
 * finds. Whether the name or the token was wrong is for the record, never for the client.
 */
export const authenticate = (inForce: InForce, user: string, password: Buffer, now: string): Authenticated => {
  const digest = hash('sha256', password, 'hex') as Digest
  const credential = inForce.credential(digest)
  if (!credential || !sameDigest(credential.tokenDigest, digest)) return { because: 'wrong-token' }
  if (credential.principal.id !== user) return { because: 'wrong-token' }
  if (credential.revoked || inForce.isRestricted(credential.principal.id)) return { because: 'revoked' }
  if (credential.expiresAt <= now) return { because: 'expired-token' }
  return { credential }
}

const sameDigest = (a: string, b: string) => a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b))
