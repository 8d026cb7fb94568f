import { createPrivateKey, X509Certificate } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ensureSelfSigned } from './self-signed-certificate.ts'

const NOW = new Date('2026-11-22T12:00:00.000Z')
const DAY_MS = 86_400_000

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'countersign-tls-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

describe('the certificate of the quick start', () => {
  it('is for the names of this machine, and its key for its owner alone', async () => {
    const { certificate, key } = await ensured(NOW)
    const x509 = new X509Certificate(certificate)
    expect(x509.checkHost('localhost')).toBe('localhost')
    expect(x509.checkIP('127.0.0.1')).toBe('127.0.0.1')
    expect(x509.checkIP('::1')).toBe('::1')
    expect(x509.checkPrivateKey(createPrivateKey(key))).toBe(true)
    expect(x509.validFromDate < NOW && x509.validToDate > NOW).toBe(true)
    expect(statSync(files().key).mode & 0o777).toBe(0o600)
  })

  it('is kept while it is valid, and renewed in time', async () => {
    const first = await ensured(NOW)
    expect(await ensured(new Date(NOW.getTime() + 794 * DAY_MS))).toEqual(first)
    const later = await ensured(new Date(NOW.getTime() + 796 * DAY_MS))
    expect(later.certificate).not.toBe(first.certificate)
    expect(new X509Certificate(later.certificate).checkPrivateKey(createPrivateKey(later.key))).toBe(true)
  })
})

const files = () => ({ certificate: join(folder, 'tls', 'node.crt'), key: join(folder, 'tls', 'node.key') })

const ensured = async (now: Date) => {
  await ensureSelfSigned(files(), now)
  return { certificate: readFileSync(files().certificate, 'utf8'), key: readFileSync(files().key, 'utf8') }
}
