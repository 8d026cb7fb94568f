import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { homeAt, type Home } from '../home.ts'
import { ensureSecrets, tokenDigest } from './secrets.ts'

let home: Home
beforeEach(() => {
  home = homeAt(mkdtempSync(join(tmpdir(), 'countersign-secrets-')))
})
afterEach(() => rmSync(home.directory, { recursive: true }))

describe('the secrets of a home', () => {
  it('are made once, each another, for the owner of the home alone', () => {
    const made = ensureSecrets(home)
    const all = [
      ...Object.values(made.tokens),
      ...Object.values(made.roles),
      made.postgres,
      made.clickhouse,
      made.clickhouseReader,
    ]
    expect(new Set(all).size).toBe(all.length)
    expect(all.every((secret) => secret.replace(/^cs_/, '').length === 43)).toBe(true)
    expect(statSync(home.secrets).mode & 0o777).toBe(0o600)
    expect(ensureSecrets(home)).toEqual(made)
  })

  it('are not made in a folder that holds the data of somebody else', () => {
    mkdirSync(home.postgres)
    mkdirSync(home.eventLog)
    expect(() => ensureSecrets(home)).toThrow(
      `${home.directory} holds log, postgres and no secrets.json: give another --home, or put that file back`,
    )
    expect(existsSync(home.secrets)).toBe(false)
  })

  it.each(['', 'not json', '{"tokens":{}}'])('are refused when the file holds %j', (text) => {
    writeFileSync(home.secrets, text)
    expect(() => ensureSecrets(home)).toThrow(/secrets.json cannot be read: put it back, or give another --home/)
  })
})

it('a token is known by its SHA-256', () =>
  expect(tokenDigest('cs_abc')).toBe('5194b158cd585be3d960f2998c3fd5b2b2c003bdd09661b7a71e104d81278149'))
