import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Principal } from '@countersign/contracts'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { homeAt, type Home } from '../home.ts'
import { ensureDirectoryFiles } from './directory-files.ts'
import { ensureSecrets, tokenDigest } from './secrets.ts'

let home: Home
beforeEach(() => {
  home = homeAt(mkdtempSync(join(tmpdir(), 'countersign-directory-')))
})
afterEach(() => rmSync(home.directory, { recursive: true }))

const NOW = new Date('2026-11-22T19:00:00.000Z')

describe('the directory of the demo', () => {
  it('knows every principal by the digest of its token, and holds no token', () => {
    const secrets = ensureSecrets(home)
    ensureDirectoryFiles(home, secrets, NOW)
    const text = readFileSync(home.identities, 'utf8')
    const { principals } = parse(text) as { principals: readonly Entry[] }
    expect(principals.map(({ id }) => id)).toEqual(Object.keys(secrets.tokens))
    for (const entry of principals) {
      expect(Principal.safeParse(entry).success).toBe(true)
      const token = secrets.tokens[entry.id]
      expect(entry.credential).toMatchObject({ tokenDigest: tokenDigest(token), expiresAt: '2027-11-22T19:00:00.000Z' })
      expect(text).not.toContain(token)
    }
    expect(principals.find(({ id }) => id === 'copilot')).toMatchObject({
      kind: 'agent',
      onBehalfOf: 'ana',
      person: 'ana',
      credential: { roles: { '*': 'shop_agent' } },
    })
  })

  it('is left alone once it is there: a revocation outlives a restart', () => {
    const secrets = ensureSecrets(home)
    writeFileSync(home.identities, 'principals: []\n')
    ensureDirectoryFiles(home, secrets, NOW)
    expect(readFileSync(home.identities, 'utf8')).toBe('principals: []\n')
    expect(existsSync(home.owners)).toBe(true)
  })
})

interface Entry {
  readonly id: 'ana' | 'copilot'
  readonly credential: { readonly tokenDigest: string }
}
