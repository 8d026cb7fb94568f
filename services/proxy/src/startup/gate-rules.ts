import { readFileSync } from 'node:fs'
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

/** `alpn`: what TLS calls the protocol of this node. Throws `ConfigError` when a certificate or key cannot be used. */
export const gateRulesOf = ({ limits, lockout, tls }: NodeConfig, alpn: string | undefined): GateRules => ({
  limits,
  lockout,
  tls: tls && clientTlsOf(tls, alpn),
})

/** What the certificate and its like are made of, to see when they are renewed in their place. */
export const tlsFilesOf = ({ tls }: NodeConfig): readonly Buffer[] =>
  [tls?.certificate, tls?.key, tls?.clientCa].map((file) => (file === undefined ? NONE : readFileSync(file)))

const NONE = Buffer.alloc(0)

export const sameFiles = (a: readonly Buffer[], b: readonly Buffer[]): boolean =>
  a.every((bytes, index) => bytes.equals(b[index] ?? NONE))
