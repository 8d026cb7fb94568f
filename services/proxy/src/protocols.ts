import { postgresql } from './postgres/postgresql.ts'
import type { Protocol } from './protocol.ts'

/**
 * The protocol that a node speaks, on its one port. There is one so far; where there are two, the configuration says
 * which, and here it is looked up.
 */
export const PROTOCOL: Protocol = postgresql
