import { describe, expect, it } from 'vitest'
import { findValues } from './find-values.ts'
import { TOKEN_RULES, type TokenRule } from './token-rules.ts'

// Tokens are put together here from their rules: nothing in this file looks like a leaked key to those who search for
// some.

describe('vendors', () => {
  it('are at least twenty-five', () => expect(new Set(TOKEN_RULES.map((rule) => rule.vendor)).size).toBeGreaterThan(25))

  it.each(TOKEN_RULES)('$vendor: $prefix', (rule) => {
    const token = tokenOf(rule, rule.min)
    for (const [before, after] of [
      ['', ''],
      ['key ', ' was used'],
      ['k=', '&x=1'],
      ['"', '"'],
      ['https://example.com/?k=', ''],
      ['(', ').'],
    ]) {
      expect(foundIn(`${before}${token}${after}`), `${before}…${after}`).toEqual([[rule.class, token]])
    }
  })

  it.each(TOKEN_RULES)('$vendor: $prefix is not taken for a token when it is too short', (rule) => {
    expect(foundIn(`see ${tokenOf(rule, rule.min - 1)} `).map(([dataClass]) => dataClass)).not.toContain(rule.class)
  })

  it.each(TOKEN_RULES.filter((rule) => rule.max === rule.min))('$vendor: $prefix has one length', (rule) => {
    expect(foundIn(`see ${tokenOf(rule, rule.max + 1)} `)).toEqual([])
  })

  it.each(TOKEN_RULES)('$vendor: $prefix does not begin in the middle of a word', (rule) => {
    expect(foundIn(`x${tokenOf(rule, rule.min)}`).map(([, text]) => text)).not.toContain(tokenOf(rule, rule.min))
  })
})

describe('web tokens', () => {
  const header = Buffer.from('{"alg":"HS256","typ":"JWT"}').toString('base64url')
  const payload = Buffer.from('{"sub":"1234567890","name":"A"}').toString('base64url')

  it.each([
    ['signed', [header, payload, 'c2lnbmF0dXJl'.repeat(3)]],
    ['unsigned', [header, payload, '']],
    ['encrypted', [header, 'a2V5'.repeat(9), 'aXY'.repeat(4), 'Y2lwaGVy'.repeat(4), 'dGFn'.repeat(4)]],
  ])('%s', (_name, parts) => {
    const token = parts.join('.')
    expect(foundIn(`Cookie: session=${token}; path=/`)).toEqual([['secret', token]])
  })

  it('are not every word that begins alike', () =>
    expect(foundIn('eyJhbGciOiJIUzI1NiJ9 eyJ.a.b eyJust.some.words')).toEqual([]))
})

describe('password hashes', () => {
  const filled = (length: number) => 'aB3/'.repeat(length).slice(0, length)

  it.each([
    `$2b$12$${filled(53)}`,
    `$2y$10$${filled(53)}`,
    `$argon2id$v=19$m=65536,t=3,p=4$${filled(22)}$${filled(43)}`,
    `$6$rounds=5000$${filled(8)}$${filled(86)}`,
    `$1$${filled(8)}$${filled(22)}`,
    `$y$j9T$${filled(22)}$${filled(43)}`,
    `SCRAM-SHA-256$4096:${filled(24)}=$${filled(43)}=:${filled(43)}=`.replaceAll(':', '$'),
    `pbkdf2_sha256$600000$${filled(22)}$${filled(43)}=`,
  ])('%s', (hash) => expect(foundIn(`hash ${hash} end`)).toEqual([['password', hash]]))

  it('are no prices and no parameters', () => expect(foundIn('$1 $2 $12.50 $1,000.00 $$ $body$')).toEqual([]))
})

describe('private keys', () => {
  const lines = Array.from({ length: 4 }, () => 'MIIEpAIBAAKCAQEA'.repeat(4)).join('\n')
  const dashes = '-'.repeat(5)
  const pem = (kind: string, title = 'PRIVATE KEY') =>
    `${dashes}BEGIN ${kind}${title}${dashes}\n${lines}\n${dashes}END ${kind}${title}${dashes}`

  it.each(['', 'RSA ', 'EC ', 'OPENSSH ', 'ENCRYPTED '])('%s', (kind) => {
    expect(foundIn(`key:\n${pem(kind)}\nend`)).toEqual([['secret', pem(kind)]])
  })

  it('are hidden to the end when their end is missing', () => {
    const cut = pem('RSA ').slice(0, 120)
    expect(foundIn(`x ${cut}`)).toEqual([['secret', cut]])
  })

  it('are not what everyone may know', () => {
    expect(foundIn(pem('', 'CERTIFICATE'))).toEqual([])
    expect(foundIn(pem('', 'PUBLIC KEY'))).toEqual([])
  })
})

describe('passwords where they are used', () => {
  it.each([
    ['postgres://app:hunter2@db.example.com:5432/shop', 'hunter2'],
    ['redis://:s3cret@cache:6379', 's3cret'],
    ['mongodb+srv://u:p@ss/w0rd@c.example.net/x', 'p@ss/w0rd'],
    ['host=db user=app password=hunter2 dbname=shop', 'hunter2'],
    ["host=db password='two words' user=app", 'two words'],
    ['Server=db;User Id=app;Password=hunter2;Encrypt=true', 'hunter2'],
    ['jdbc:postgresql://db/shop?user=app&password=hunter2', 'hunter2'],
    ['PGPASSWORD=hunter2 psql', 'hunter2'],
    ['Passwort: geheim1', 'geheim1'],
    ['{"a": 1, "password": "hunter2"} ', 'hunter2'],
    [String.raw`log: {\"password\":\"hunter2\"}`, 'hunter2'],
  ])('%s', (text, password) => expect(foundIn(text).map(([, found]) => found)).toEqual([password]))

  it.each([
    ['AWS_SECRET_ACCESS_KEY=aB3dE5gH7jK9mN1pQ3sT5vX7zA9cE1gH3jK5mN7p', 'aB3dE5gH7jK9mN1pQ3sT5vX7zA9cE1gH3jK5mN7p'],
    ['client_secret: "aB3dE5gH7jK9mN1p"', 'aB3dE5gH7jK9mN1p'],
    ['Authorization: Bearer aB3dE5gH7jK9mN1p', 'aB3dE5gH7jK9mN1p'],
    ['X-Api-Key: aB3dE5gH7jK9mN1p', 'aB3dE5gH7jK9mN1p'],
  ])('%s', (text, secret) => expect(foundIn(text)).toEqual([['secret', secret]]))

  it.each([
    'password=***',
    'password=[password]',
    'password = $1',
    'password=${PGPASSWORD}',
    'password: null',
    'http://host:8080/a@b',
    'http://host/a:b@c',
    'the token: refreshed',
    'secret=short',
    'max_tokens=4096000000000',
    'password',
    'password=',
  ])('leaves %s', (text) => expect(foundIn(text)).toEqual([]))
})

const foundIn = (text: string) =>
  findValues(text, 'certain').map((found) => [found.class, text.slice(found.start, found.end)])

/** The alphabet's characters one after the other, which have digits and both cases among them where it has. */
const tokenOf = (rule: TokenRule, length: number): string => {
  const alphabet = Array.from({ length: 128 }, (_, code) => String.fromCharCode(code)).filter(
    (c) => rule.alphabet[c.charCodeAt(0)] === 1,
  )
  const alnums = alphabet.filter((c) => /[a-z0-9]/i.test(c))
  return (
    rule.prefix + Array.from({ length: Math.max(length, 0) }, (_, i) => alnums[(i * 7 + 3) % alnums.length]).join('')
  )
}
