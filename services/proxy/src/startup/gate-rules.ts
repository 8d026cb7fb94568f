import type { NodeConfig } from '@countersign/platform'
import { clientTlsOf, type ClientTls } from './client-tls.ts'

/**
 * What a client meets at the door: limits, rules and TLS. A connection that has begun keeps those that it began with,
 * and the next one meets those of the configuration that is in force then.
 */
export interface GateRules {
  readonly limits: NodeConfig['limits']
  readonly lockout: NodeConfig['lockout']
  readonly tls: ClientTls | undefined
}

/** Throws `ConfigError` when a certificate or key cannot be used. */
export const gateRulesOf = ({ limits, lockout, tls }: NodeConfig): GateRules => ({
  limits,
  lockout,
  tls: tls && clientTlsOf(tls),
})
