import type { Logger } from '@countersign/platform'
import { expect, describe, it } from 'vitest'
import { FailureRecord, type AuthFailed } from './failure-record.ts'
import { sparingly } from './sparingly.ts'

const failure = (data: object = {}): AuthFailed =>
  ({ type: 'auth.failed', data: { because: 'wrong-token', ...data } }) as unknown as AuthFailed

const recording = () => {
  let now = 0
  const recorded: AuthFailed['data'][] = []
  const failures = new FailureRecord(
    ({ data }) => void recorded.push(data),
    () => now,
  )
  const sum = () => recorded.reduce((total, { attempts = 1 }) => total + attempts, 0)
  return { failures, recorded, sum, pass: (ms: number) => (now += ms) }
}

describe('failed logins in the record', () => {
  it('stand each for itself, as long as they are few', () => {
    const { failures, recorded } = recording()
    for (let count = 0; count < 100; count++) failures.add(failure())
    expect(recorded).toHaveLength(100)
    expect(recorded.every(({ attempts }) => attempts === undefined)).toBe(true)
  })

  it('are bounded in an attack, and none is missing from the sum', () => {
    const { failures, recorded, sum, pass } = recording()
    for (let count = 0; count < 1_000_000; count++) {
      failures.add(failure())
      if (count % 10_000 === 0) pass(1)
    }
    expect(recorded.length).toBeLessThan(600)
    pass(1_000)
    failures.add(failure())
    expect(sum()).toBe(1_000_001)
  })

  it('say what was locked however many there are', () => {
    const { failures, recorded } = recording()
    for (let count = 0; count < 1_000; count++) failures.add(failure())
    failures.add(failure({ lock: { scope: 'address' } }))
    expect(recorded.at(-1)).toMatchObject({ lock: { scope: 'address' }, attempts: 501 })
  })

  it('that a lock refuses are told at the first, the tenth, the hundredth of each', () => {
    const { failures, recorded } = recording()
    const attempt = { address: '10.0.0.1', user: 'ana' }
    for (let count = 0; count < 5_000; count++) failures.addRefused(failure(), attempt, 1)
    failures.addRefused(failure(), { ...attempt, user: 'bo' }, 1)
    failures.addRefused(failure(), attempt, 2)
    expect(recorded.map(({ attempts = 1 }) => attempts)).toEqual([1, 9, 90, 900, 1, 1])
  })
})

describe('a log that is written sparingly', () => {
  it('holds so many warnings a second, says how many it does not, and every error', () => {
    let now = 0
    const lines: string[] = []
    const write = (level: string) => (message: string, fields?: object) =>
      void lines.push(`${level} ${message} ${JSON.stringify(fields ?? {})}`)
    const logger: Logger = { info: write('info'), warn: write('warn'), error: write('error') }
    const sparing = sparingly(logger, () => now)
    for (let count = 0; count < 10_000; count++) sparing.warn('turned away', { count })
    expect(lines).toHaveLength(200)
    sparing.error('failed')
    sparing.info('said')
    expect(lines.slice(200)).toEqual(['error failed {}', 'info said {}'])
    now += 1_000
    sparing.warn('turned away')
    expect(lines.at(-1)).toBe('warn turned away {"unsaid":9800}')
  })
})
