import { describe, expect, it } from 'vitest'
import { StartupRefusedError } from '../../startup/startup-refused.ts'
import { readClientSettings } from './client-settings.ts'

const read = (parameters: Record<string, string>) => readClientSettings(new Map(Object.entries(parameters)))

describe('what a client may ask for at start-up', () => {
  it('is settings for the server, from the packet and from options', () => {
    const settings = read({ user: 'ana', database: 'shop', DateStyle: 'ISO', options: '-c statement_timeout=5s' })
    expect(settings).toMatchObject({ user: 'ana', database: 'shop', application: undefined, holdSeconds: undefined })
    expect(Object.fromEntries(settings.server)).toEqual({ datestyle: 'ISO', statement_timeout: '5s' })
  })

  it('is a name for itself, which the server is not told', () => {
    const { application, server } = read({ user: 'ana', application_name: 'psql' })
    expect([application, server.has('application_name')]).toEqual(['psql', false])
  })

  it('is the database of its own name, when it names none', () => expect(read({ user: 'ana' }).database).toBe('ana'))

  it.each(['UTF8', 'utf-8', "'utf8'", 'SQL_ASCII'])('is text in %s', (client_encoding) =>
    expect(() => read({ user: 'ana', client_encoding })).not.toThrow(),
  )

  it.each([
    ['30', 30],
    ['30s', 30],
    ['0', 0],
  ])('is to be kept waiting for %s', (hold, seconds) =>
    expect(read({ user: 'ana', options: `-c countersign.hold=${hold}` }).holdSeconds).toBe(seconds),
  )
})

describe('what is refused at start-up', () => {
  it.each([
    ['database', true],
    ['true', true],
    ['1', true],
    ['nonsense', true],
    ['false', false],
    ['off', false],
    ['0', false],
    [undefined, false],
  ])('replication=%s is told', (replication, wanted) => {
    const parameters = new Map([
      ['user', 'ana'],
      ...(replication === undefined ? [] : [['replication', replication]]),
    ] as [string, string][])
    expect(readClientSettings(parameters).replication).toBe(wanted)
  })

  it.each([
    ['no user', {}],
    ['another encoding', { user: 'ana', client_encoding: 'SJIS' }],
    ['another encoding in options', { user: 'ana', options: '-c client_encoding=GBK' }],
    ['another role', { user: 'ana', options: '-c role=postgres' }],
    ['another role in the packet', { user: 'ana', role: 'postgres' }],
    ['another reading of strings', { user: 'ana', options: '-c standard_conforming_strings=off' }],
    ['somebody else’s session', { user: 'ana', 'countersign.session': 'x' }],
    ['a wait of an hour', { user: 'ana', options: '-c countersign.hold=3600' }],
    ['switches that are not settings', { user: 'ana', options: '-d 5' }],
  ])('is %s', (_, parameters) => expect(() => read(parameters as Record<string, string>)).toThrow(StartupRefusedError))
})
