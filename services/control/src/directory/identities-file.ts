import { CredentialId, Digest, Instant, PrincipalId, type Principal } from '@countersign/contracts'
import { ConfigError } from '@countersign/platform'
import { z } from 'zod'
import { readYamlFile, type YamlFile } from '../yaml-file.ts'

/** Any ISO 8601 time with an offset, kept as events keep it: UTC, three decimals. */
const Time = z.iso
  .datetime({ offset: true })
  .transform((text) => Instant.parse(new Date(text).toISOString()))
  .describe('When the credential ends, such as 2027-01-31T00:00:00Z.')

const CredentialEntry = z.strictObject({
  id: CredentialId,
  tokenDigest: Digest.describe(
    'SHA-256 of the token, in lower-case hexadecimal. The token itself is never written down.',
  ),
  expiresAt: Time,
  roles: z
    .record(z.string().regex(/^(\*|[^/\s]+\/[^/\s]+)$/, 'must be `*` or `environment/database`'), z.string().min(1))
    .describe('The database role to work as, by `environment/database`; `*` for every other.'),
})

const PrincipalEntry = z.strictObject({
  id: PrincipalId,
  kind: z.enum(['person', 'service', 'agent']),
  person: z.string().min(1).optional().describe('The human, where one has several identities. Default: the id.'),
  onBehalfOf: PrincipalId.optional().describe('Of an agent: the person that it acts for.'),
  groups: z.array(z.string().min(1)).default([]),
  credential: CredentialEntry,
})
type PrincipalEntry = z.output<typeof PrincipalEntry>

/** FORMAT identities/1: `control.identities`. */
export const IdentitiesFile = z.strictObject({ principals: z.array(PrincipalEntry) })

export interface Identity {
  readonly principal: Principal
  readonly credential: z.output<typeof CredentialEntry>
}

/**
 * Throws `ConfigError` with file and line.
 *
 * CONTROL answerable: an agent whose person is not in the file is not let in either, and `warn` is told where it
 * stands. So whoever takes a person out has taken out what acts for them.
 */
export const readIdentities = (file: string, warn: (message: string) => void): readonly Identity[] => {
  const yaml = readYamlFile(file, IdentitiesFile)
  const { principals } = yaml.value
  unique(yaml, 'id', (entry) => entry.id)
  unique(yaml, 'credential.id', (entry) => entry.credential.id)
  unique(yaml, 'credential.tokenDigest', (entry) => entry.credential.tokenDigest)
  const people = new Map(principals.filter(isPerson).map((entry) => [entry.id, entry.person ?? entry.id]))

  return principals.flatMap((entry, i) => {
    const place = (key: string) => `${yaml.at(['principals', i, key])}: principals.${i}.${key}`
    const fault = faultIn(entry, people)
    if (fault) throw new ConfigError(`${place(fault.key)}: ${fault.reason}`)
    const principal = principalOf(entry, people)
    if (principal) return [{ principal, credential: entry.credential }]
    warn(`${place('onBehalfOf')}: is not the id of a person in this file, so \`${entry.id}\` is not let in`)
    return []
  })
}

type People = ReadonlyMap<string, string>

const faultIn = ({ kind, person, onBehalfOf }: PrincipalEntry, people: People) => {
  if (kind !== 'agent') return onBehalfOf && { key: 'onBehalfOf', reason: 'only an agent acts for someone' }
  if (onBehalfOf === undefined) return { key: 'onBehalfOf', reason: 'an agent needs the person that it acts for' }
  const answerable = people.get(onBehalfOf)
  const isOther = person !== undefined && answerable !== undefined && person !== answerable
  return isOther ? { key: 'person', reason: 'must be the person that it acts for; leave it out' } : undefined
}

const principalOf = (
  { id, kind, person, onBehalfOf, groups }: PrincipalEntry,
  people: People,
): Principal | undefined => {
  if (kind === 'person') return { id, kind, person: person ?? id, groups }
  if (kind === 'service') return { id, kind, ...(person !== undefined && { person }), groups }
  const answerable = onBehalfOf && people.get(onBehalfOf)
  return answerable === undefined || onBehalfOf === undefined
    ? undefined
    : { id, kind, person: answerable, onBehalfOf, groups }
}

const isPerson = ({ kind }: PrincipalEntry) => kind === 'person'

const unique = (
  { value, at }: YamlFile<z.output<typeof IdentitiesFile>>,
  name: string,
  keyOf: (entry: PrincipalEntry) => string,
): void => {
  const seen = new Set<string>()
  for (const [i, entry] of value.principals.entries()) {
    const key = keyOf(entry)
    if (seen.has(key)) {
      throw new ConfigError(`${at(['principals', i, ...name.split('.')])}: principals.${i}.${name}: is there twice`)
    }
    seen.add(key)
  }
}
