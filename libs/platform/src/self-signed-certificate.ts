import { X509Certificate } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

export interface CertificateFiles {
  readonly certificate: string
  readonly key: string
}

const DAY_MS = 86_400_000
const VALID_DAYS = 825
const RENEW_DAYS = 30

/**
 * Makes a certificate for this machine's loopback names, for the quick start: it encrypts, and proves nothing. One
 * that is there and still valid for a while is kept, because clients may have pinned it.
 */
export const ensureSelfSigned = async (files: CertificateFiles, now: Date): Promise<void> => {
  if (existsSync(files.key) && stillValid(files.certificate, now)) return
  // Asked for only here: it is large, and every service would load it with this package.
  const { generate } = await import('selfsigned')
  const { cert, private: key } = await generate([{ name: 'commonName', value: 'localhost' }], {
    keyType: 'ec',
    curve: 'P-256',
    algorithm: 'sha256',
    notBeforeDate: new Date(now.getTime() - DAY_MS),
    notAfterDate: new Date(now.getTime() + VALID_DAYS * DAY_MS),
    extensions: [{ name: 'subjectAltName', altNames: [...LOOPBACK] }],
  })
  for (const file of [files.certificate, files.key]) mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  writeFileSync(files.key, key, { mode: 0o600 })
  writeFileSync(files.certificate, cert)
}

// SPEC: RFC 5280, section 4.2.1.6: 2 is a DNS name, 7 an IP address.
const LOOPBACK = [
  { type: 2, value: 'localhost' },
  { type: 7, ip: '127.0.0.1' },
  { type: 7, ip: '::1' },
] as const

const stillValid = (file: string, now: Date): boolean => {
  if (!existsSync(file)) return false
  const { validToDate } = new X509Certificate(readFileSync(file))
  return validToDate.getTime() - now.getTime() > RENEW_DAYS * DAY_MS
}
