import type { AccessEvent } from '@countersign/contracts'
import type { ShownCertificate } from './client-tls.ts'

type CertificateUsed = Extract<AccessEvent, { type: 'credential.used' }>['data']['certificate']

/**
 * The principal that a certificate names: its one common name, as with PostgreSQL's own `cert` method. A certificate
 * with none or with several names nobody.
 */
export const principalNamedBy = ({ x509 }: ShownCertificate): string | undefined => {
  const { CN: name } = x509.toLegacyObject().subject as { readonly CN?: unknown }
  return typeof name === 'string' && name !== '' ? name : undefined
}

/** What of a certificate goes into the record: enough to find it again. */
export const recordOf = ({ x509 }: ShownCertificate): NonNullable<CertificateUsed> =>
  ({
    fingerprint: x509.fingerprint256.replaceAll(':', '').toLowerCase(),
    serial: x509.serialNumber.slice(0, 100),
    issuer: x509.issuer.replaceAll('\n', ', ').slice(0, 500),
  }) as NonNullable<CertificateUsed>
