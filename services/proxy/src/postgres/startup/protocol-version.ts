import { negotiateProtocolVersion, type FirstPacket } from '@countersign/pgwire'

/** The newest minor version of protocol 3 that is spoken here: PostgreSQL 18's. */
const NEWEST_MINOR = 2

/** From this one on keys to cancel with may be of any length. */
const LONG_KEYS_SINCE = 2

const OPTION = '_pq_.'

export interface Spoken {
  /** The minor version that is spoken from here on. */
  readonly minor: number
  /** What the client is told first, where it has asked for more than there is. */
  readonly correction: Buffer | undefined
}

/**
 * Agrees on what is spoken, as PostgreSQL 18 does: a newer version than ours comes down to ours, and options of the
 * protocol, of which we know none, are named to the client, which goes on without them or hangs up.
 */
export const spokenWith = ({ minor, parameters }: Extract<FirstPacket, { name: 'StartupMessage' }>): Spoken => {
  const unknown = [...parameters.keys()].filter((name) => name.startsWith(OPTION))
  const agreed = Math.min(minor, NEWEST_MINOR)
  const asIs = agreed === minor && unknown.length === 0
  return { minor: agreed, correction: asIs ? undefined : negotiateProtocolVersion(agreed, unknown) }
}

/** As long as PostgreSQL 18's own. */
export const cancelKeyBytes = (minor: number): number => (minor >= LONG_KEYS_SINCE ? 32 : 4)
