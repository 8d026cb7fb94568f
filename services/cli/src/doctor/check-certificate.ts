import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { fail, ok, reasonOf, warn, type Check } from './check.ts'

const DAY_MS = 86_400_000
const SOON_DAYS = 30

/** The node's certificate can be read and is valid for a while. */
export const checkCertificate = (file: string, now: Date): Check => ({
  name: 'certificate',
  run: async () => {
    const renew = 'renew it; the quick start does so by itself at its next start'
    try {
      const { validToDate } = new X509Certificate(readFileSync(file))
      const days = Math.floor((validToDate.getTime() - now.getTime()) / DAY_MS)
      if (days < 0) return fail(`${file} has expired`, renew)
      return days < SOON_DAYS ? warn(`${file} expires in ${days} days`, renew) : ok(`valid for ${days} days`)
    } catch (error) {
      return fail(`${file}: ${reasonOf(error)}`, 'name a PEM certificate under node.tls')
    }
  },
})
