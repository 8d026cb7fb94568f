import { describe, expect, it } from 'vitest'
import { engineConfig, engineUsers, type EngineSettings } from './engine-config.ts'
import { engineLibrary } from './engine-library.ts'

const settings: EngineSettings = {
  directory: '/home/a & b/<clickhouse>',
  owner: { user: 'countersign', password: 'owner-secret' },
  readers: [{ user: 'sre', password: 'reader-secret' }],
  database: 'countersign',
  memoryBytesMax: 1_000_000_000,
}

describe('the configuration of the embedded ClickHouse', () => {
  it('holds no password in clear', () => {
    const users = engineUsers(settings)
    expect(users).not.toMatch(/owner-secret|reader-secret/)
    expect(users.match(/<password_sha256_hex>[0-9a-f]{64}</g)).toHaveLength(2)
  })

  it('escapes a path', () =>
    expect(engineConfig(settings, '/home/a & b/users.xml')).toContain('<path>/home/a &#38; b/users.xml</path>'))

  it.each(['default', 'a b', 'x</x><y>', '', 'a.b', '1a'])('refuses `%s` as the name of a user', (user) =>
    expect(() => engineUsers({ ...settings, readers: [{ user, password: 'x' }] })).toThrow(
      expect.objectContaining({ code: 'CLICKHOUSE_BAD_NAME' }),
    ),
  )

  it('refuses a database name that would be more than a name', () =>
    expect(() => engineUsers({ ...settings, database: 'x.* TO sre; --' })).toThrow(
      expect.objectContaining({ code: 'CLICKHOUSE_BAD_NAME' }),
    ))
})

describe('engineLibrary', () => {
  it('says what to do where there is no engine', () =>
    expect(() => engineLibrary('win32-x64')).toThrow(/win32-x64.*CLICKHOUSE_URL/))
})
