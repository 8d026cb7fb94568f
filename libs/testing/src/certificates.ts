import { generate, type CertificateExtension, type SubjectAltNameEntry } from 'selfsigned'
import { isIP } from 'node:net'

const DAY_MS = 86_400_000

export interface Issued {
  /** PEM. */
  readonly certificate: string
  readonly key: string
}

export interface Wanted {
  readonly commonName: string
  /** Names and addresses of a server; without them it is a client's. */
  readonly hosts?: readonly string[]
  readonly keyType?: 'rsa' | 'ec'
  /** Days from now until it ends; may be over already. */
  readonly days?: number
}

/** An authority of its own, for specs that need certificates which somebody trusts. */
export class CertificateAuthority {
  readonly #key: string
  /** PEM of the authority itself: what those who trust it are given. */
  readonly certificate: string

  private constructor({ certificate, key }: Issued) {
    this.certificate = certificate
    this.#key = key
  }

  static async make(commonName: string): Promise<CertificateAuthority> {
    const extensions: CertificateExtension[] = [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, cRLSign: true, digitalSignature: true, critical: true },
    ]
    return new CertificateAuthority(await made({ commonName }, extensions))
  }

  issue(wanted: Wanted): Promise<Issued> {
    const { commonName, hosts } = wanted
    const altNames: SubjectAltNameEntry[] = (hosts ?? [commonName]).map((host) =>
      isIP(host) === 0 ? { type: 2, value: host } : { type: 7, ip: host },
    )
    return made(
      wanted,
      [
        { name: 'basicConstraints', cA: false },
        { name: 'keyUsage', digitalSignature: true, keyEncipherment: true },
        { name: 'extKeyUsage', ...(hosts ? { serverAuth: true } : { clientAuth: true }) },
        { name: 'subjectAltName', altNames },
      ],
      { key: this.#key, cert: this.certificate },
    )
  }
}

const made = async (
  { commonName, keyType = 'ec', days = 2 }: Wanted,
  extensions: CertificateExtension[],
  ca?: { key: string; cert: string },
): Promise<Issued> => {
  const { cert, private: key } = await generate([{ name: 'commonName', value: commonName }], {
    keyType,
    curve: 'P-256',
    algorithm: 'sha256',
    notBeforeDate: new Date(Date.now() - 10 * DAY_MS),
    notAfterDate: new Date(Date.now() + days * DAY_MS),
    extensions,
    ...(ca && { ca }),
  })
  return { certificate: cert, key }
}
