import { readFileSync } from 'node:fs'
import { createSecureContext, type ConnectionOptions, type SecureContext } from 'node:tls'
import { serversOf } from '../config-databases.ts'
import { ConfigError } from '../config-error.ts'
import type { DatabaseConfig } from '../config-schema.ts'

type Upstream = DatabaseConfig['upstream']

/**
 * How to speak TLS to a database server: its certificate must be signed by who is trusted, and be for the host that
 * the configuration names. Nothing in the environment weakens that (NODE_TLS_REJECT_UNAUTHORIZED).
 *
 * Files are read once for each configuration that is loaded. Throws `ConfigError` when one cannot be.
 */
export const serverTlsOf = (upstream: Upstream, host = serversOf(upstream)[0]?.host): ConnectionOptions | false => {
  if (upstream.tls === 'disable') return false
  const secureContext = contexts.get(upstream) ?? contextOf(upstream)
  contexts.set(upstream, secureContext)
  return { ...(host !== undefined && { host }), secureContext, minVersion: 'TLSv1.2', rejectUnauthorized: true }
}

const contexts = new WeakMap<Upstream, SecureContext>()

const contextOf = ({ ca, certificate, key }: Upstream): SecureContext => {
  const options = {
    minVersion: 'TLSv1.2' as const,
    ...(ca !== undefined && { ca: read('ca', ca) }),
    ...(certificate !== undefined && { cert: read('certificate', certificate) }),
    ...(key !== undefined && { key: read('key', key) }),
  }
  try {
    return createSecureContext(options)
  } catch (cause) {
    const files = [ca, certificate, key].filter((file) => file !== undefined).join(', ')
    throw new ConfigError(`upstream.tls: no PEM that belongs together: ${files}`, { cause })
  }
}

const read = (name: string, file: string): Buffer => {
  try {
    return readFileSync(file)
  } catch (cause) {
    throw new ConfigError(`upstream.${name}: ${file} cannot be read`, { cause })
  }
}
