import type { NodeConfig } from '@countersign/platform'
import { clientTlsOf, type ClientTls } from './startup/client-tls.ts'

/** What a client meets at the door: limits, rules and TLS. Read anew for each connection. */
export interface GateRules {
  readonly limits: NodeConfig['limits']
  readonly lockout: NodeConfig['lockout']
  readonly tls: ClientTls | undefined
}

/**
 * The rules in force. They are swapped as a whole: a connection that has begun keeps those that it began with, and the
 * next one meets the new ones.
 */
export class Gate {
  #rules: GateRules

  /** Throws `ConfigError` when a certificate or key cannot be used. */
  constructor(config: NodeConfig) {
    this.#rules = rulesOf(config)
  }

  get rules(): GateRules {
    return this.#rules
  }

  /** Throws, and changes nothing, when a certificate or key cannot be used. */
  swap(config: NodeConfig): void {
    this.#rules = rulesOf(config)
  }
}

const rulesOf = ({ limits, lockout, tls }: NodeConfig): GateRules => ({
  limits,
  lockout,
  tls: tls && clientTlsOf(tls),
})
