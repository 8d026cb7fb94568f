import { TOPICS } from '@countersign/contracts'
import { describe, expect, it, vi } from 'vitest'
import { Status } from './status.ts'

describe('Status', () => {
  it('tells when something stops working and when it works again, not each time', () => {
    const changed = vi.fn<(what: string, fault?: string) => void>()
    const status = new Status(changed)
    status.failed('clickhouse', new Error('connect ECONNREFUSED\n at somewhere'))
    status.failed('clickhouse', new Error('connect ECONNREFUSED\n at somewhere'))
    status.works('clickhouse')
    status.works('clickhouse')
    status.failed(TOPICS.access, 'gone')
    expect(changed.mock.calls).toEqual([
      ['clickhouse', 'connect ECONNREFUSED'],
      ['clickhouse'],
      [TOPICS.access, 'gone'],
    ])
    expect([...status.faults]).toEqual([[TOPICS.access, 'gone']])
    expect(status.counted.failures).toBe(2)
  })

  it('tells once that the server has gone away, however each attempt puts it', () => {
    const changed = vi.fn<(what: string, fault?: string) => void>()
    const status = new Status(changed)
    for (const message of [
      'socket hang up',
      'connect ECONNREFUSED 127.0.0.1:8123',
      'read ECONNRESET',
      'Timeout error.',
    ])
      status.failed('clickhouse', new Error(message))
    status.failed('clickhouse', Object.assign(new Error('no'), { type: 'UNKNOWN_TABLE', code: '60' }))
    expect(changed.mock.calls.map(([, fault]) => fault)).toEqual([
      'socket hang up',
      'ClickHouse says UNKNOWN_TABLE (code 60)',
    ])
  })

  it('does not repeat what ClickHouse quotes of a row', () => {
    const status = new Status()
    const said = Object.assign(new Error("Cannot parse 'hunter2' as a number"), {
      type: 'CANNOT_PARSE_TEXT',
      code: '6',
    })
    status.failed('clickhouse', said)
    expect(status.faults.get('clickhouse')).toBe('ClickHouse says CANNOT_PARSE_TEXT (code 6)')
  })
})
