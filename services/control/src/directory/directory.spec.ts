import { CredentialId, Digest, Instant, PrincipalId, type Principal } from '@countersign/contracts'
import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { Directory } from './directory.ts'
import type { Identity } from './identities-file.ts'

describe('the directory', () => {
  it('knows whose token it is', () => {
    expect(directory.holderOf('token-of-bo', now)).toMatchObject({ principal: { id: 'bo' }, credentialId: 'bo-1' })
    for (const token of ['', 'token-of-', 'token-of-bo ', 'TOKEN-OF-BO', digestOf('token-of-bo')]) {
      expect([token, directory.holderOf(token, now)]).toEqual([token, 'unknown'])
    }
  })

  it('lets a credential end at its time, to the millisecond', () => {
    const end = Instant.parse('2027-01-01T00:00:00.000Z')
    expect(directory.holderOf('token-of-old', now)).toMatchObject({ principal: { id: 'old' } })
    expect(directory.holderOf('token-of-old', end)).toBe('expired')
  })

  it('finds the people of a group: each human once, no programs, none who cannot sign in', () => {
    expect(directory.peopleIn('owners', now)).toEqual(['ana', 'bo', 'olga'])
    expect(directory.peopleIn('owners', Instant.parse('2027-01-01T00:00:00.000Z'))).toEqual(['ana', 'bo'])
    expect(directory.peopleIn('none', now)).toEqual([])
  })

  it.each<[string, Principal, string[]]>([
    ['a person', principal('ana', 'person', { person: 'ana' }), ['ana']],
    ['a second identity of theirs', principal('ana-admin', 'person', { person: 'ana' }), ['ana']],
    ['their agent', principal('copilot', 'agent', { person: 'ana', onBehalfOf: PrincipalId.parse('ana') }), ['ana']],
    [
      'an agent that hides its person',
      principal('copilot', 'agent', { onBehalfOf: PrincipalId.parse('ana-admin') }),
      ['copilot', 'ana'],
    ],
    [
      'an agent that names another person than the directory does',
      principal('copilot', 'agent', { person: 'bo' }),
      ['bo', 'ana'],
    ],
    ['a service', principal('etl', 'service', {}), []],
  ])('says which humans may not sign for %s', (_, one, people) =>
    expect([...directory.humansBehind(one)].sort()).toEqual([...people].sort()),
  )

  it('is what it was replaced with, and nothing else', () => {
    const changed = new Directory([identity(principal('ana', 'person', {}))])
    changed.replace([identity(principal('bo', 'person', {}))])
    expect(changed.holderOf('token-of-ana', now)).toBe('unknown')
    expect(changed.holderOf('token-of-bo', now)).toMatchObject({ principal: { id: 'bo' } })
  })
})

const now = Instant.parse('2026-11-22T12:00:00.000Z')

function principal(id: string, kind: Principal['kind'], more: Partial<Principal>): Principal {
  return { id: PrincipalId.parse(id), kind, groups: ['owners'], ...more }
}

const digestOf = (text: string) => createHash('sha256').update(text).digest('hex')

const identity = (one: Principal, expiresAt = '2099-01-01T00:00:00.000Z'): Identity => ({
  principal: one,
  credential: {
    id: CredentialId.parse(`${one.id}-1`),
    tokenDigest: Digest.parse(digestOf(`token-of-${one.id}`)),
    expiresAt: Instant.parse(expiresAt),
    roles: {},
  },
})

const directory = new Directory([
  identity(principal('ana', 'person', { person: 'ana' })),
  identity(principal('ana-admin', 'person', { person: 'ana' })),
  identity(principal('bo', 'person', { person: 'bo' })),
  identity(principal('old', 'person', { person: 'olga' }), '2027-01-01T00:00:00.000Z'),
  identity(principal('copilot', 'agent', { person: 'ana', onBehalfOf: PrincipalId.parse('ana') })),
  identity(principal('etl', 'service', {})),
])
