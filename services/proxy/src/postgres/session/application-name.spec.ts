import { describe, expect, it } from 'vitest'
import type { SessionId } from '@countersign/contracts'
import { ApplicationName, markedName } from './application-name.ts'

const SESSION = '0192f7a0-0000-7000-8000-000000000001' as SessionId

describe('the name that the server is told', () => {
  it.each([
    ['psql', `countersign ${SESSION} psql`],
    ['', `countersign ${SESSION}`],
    ['PostgreSQL JDBC Driver', `countersign ${SESSION} PostgreSQL JDB`],
    ['zürich\n', `countersign ${SESSION} z?rich?`],
    ['cut at a space x', `countersign ${SESSION} cut at a space`],
  ])('of %j is %j', (own, marked) => {
    expect(markedName(SESSION, own)).toBe(marked)
    expect(Buffer.byteLength(markedName(SESSION, own))).toBeLessThanOrEqual(63)
  })
})

describe('the name that the client is told', () => {
  it('is the one it gave, whatever the server is told afterwards', () => {
    const name = new ApplicationName(SESSION, 'PostgreSQL JDBC Driver')
    expect(name.mark).toBeUndefined()
    expect(name.said('my app')).toBe('my app')
    expect(name.mark).toBe(`countersign ${SESSION} my app`)
    expect(name.said(`countersign ${SESSION} my app`)).toBeUndefined()
    expect(name.mark).toBeUndefined()
  })

  it('is whole again when the server comes back to it', () => {
    const name = new ApplicationName(SESSION, 'PostgreSQL JDBC Driver')
    name.said('another')
    expect(name.said(markedName(SESSION, 'PostgreSQL JDBC Driver'))).toBe('PostgreSQL JDBC Driver')
    expect(name.mark).toBeUndefined()
  })

  it('is not marked by the mark of another session', () => {
    const name = new ApplicationName(SESSION, '')
    const other = 'countersign 0192f7a0-0000-7000-8000-000000000002 psql'
    expect(name.said(other)).toBe(other)
    expect(name.mark).toBe(`countersign ${SESSION} countersign 01`)
  })
})
