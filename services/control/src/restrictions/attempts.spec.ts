import { Digest, Instant, PrincipalId, SessionId, StatementId } from '@countersign/contracts'
import { describe, expect, it } from 'vitest'
import { Attempts, isDenied, type DeniedStatement, type Intended } from './attempts.ts'

const SESSION = SessionId.parse('01a1f83b-f806-7c3a-85f1-d29e4b7a6081')
const START = Date.parse('2026-11-23T10:00:00.000Z')
const at = (seconds: number) => Instant.parse(new Date(START + seconds * 1_000).toISOString())

let sequence = 0
const denied = (seconds: number, more: Partial<DeniedStatement> = {}): DeniedStatement => ({
  principalId: PrincipalId.parse('ana'),
  sessionId: SESSION,
  statementId: StatementId.parse(`${SESSION}.${++sequence}`),
  digest: Digest.parse('a'.repeat(64)),
  at: at(seconds),
  before: { 0: seconds },
  ...more,
})
const attemptsOf = (attempts: number, now = () => at(0)) =>
  new Attempts({ attempts, withinMinutes: 10, forMinutes: 30 }, now)

describe('denied statements of one principal', () => {
  it('are one too many when they are so many within the time', () => {
    const attempts = attemptsOf(3)
    const [first, second, third] = [denied(0), denied(60), denied(599)]
    expect([attempts.add(first), attempts.add(second)]).toEqual([undefined, undefined])
    expect(attempts.add(third)).toMatchObject({
      principalId: 'ana',
      attempts: [first, second, third],
      attemptsNeeded: 3,
      because: '3 of its statements were denied within 10 minutes',
      until: at(599 + 30 * 60),
    })
  })

  it('are not when the first is too old', () => {
    const attempts = attemptsOf(3)
    expect([0, 300, 600].map((seconds) => attempts.add(denied(seconds)))).toEqual([undefined, undefined, undefined])
    expect(attempts.add(denied(650))).toBeDefined()
  })

  it('are counted for each principal by itself', () => {
    const attempts = attemptsOf(2)
    expect(attempts.add(denied(0))).toBeUndefined()
    expect(attempts.add(denied(1, { principalId: PrincipalId.parse('bo') }))).toBeUndefined()
    expect(attempts.add(denied(2))).toMatchObject({ principalId: 'ana' })
  })

  it('that came in one text, or are told of twice, count once', () => {
    const attempts = attemptsOf(2)
    const one = denied(0)
    expect([one, one, denied(0.004), denied(0.009)].map((each) => attempts.add(each))).toEqual(Array(4).fill(undefined))
    const another = denied(0.001, { digest: Digest.parse('b'.repeat(64)) })
    expect(attempts.add(another)?.attempts).toEqual([one, another])
    expect(attempts.add(another)).toBeDefined()
  })

  it('count once though the log is read again', () => {
    const attempts = attemptsOf(2)
    const one = denied(0)
    for (let times = 0; times < 3; times++) {
      expect(attempts.add(one)).toBeUndefined()
      attempts.answered(SESSION)
    }
  })

  it('count each time that they were tried again, however quickly', () => {
    const attempts = attemptsOf(3)
    const three = [denied(0), denied(0.001), denied(0.002)]
    const found = three.map((each) => {
      attempts.answered(SESSION)
      return attempts.add(each)
    })
    expect(found.map((each) => each?.attempts)).toEqual([undefined, undefined, three])
  })

  it('are not counted at all where nobody is to be restricted', () => {
    const attempts = attemptsOf(0)
    expect(attempts.add(denied(0))).toBeUndefined()
    expect(attempts.resumeFrom({ 0: 9 })).toEqual({ 0: 9 })
  })

  it('are read again by whoever starts while they count', () => {
    let now = at(0)
    const attempts = attemptsOf(5, () => now)
    attempts.add(denied(10, { before: { 0: 7, 1: 20 } }))
    attempts.add(denied(300, { before: { 0: 90 } }))
    now = at(400)
    expect(attempts.resumeFrom({ 0: 100, 1: 30 })).toEqual({ 0: 7, 1: 0 })
    now = at(620)
    expect(attempts.resumeFrom({ 0: 100, 1: 30 })).toEqual({ 0: 90, 1: 0 })
    now = at(1_000)
    expect(attempts.resumeFrom({ 0: 100, 1: 30 })).toEqual({ 0: 100, 1: 30 })
  })
})

describe('an attempt', () => {
  const intended = (more: Partial<Intended>) =>
    ({ verdict: 'deny', policies: ['p'], actions: ['read'], ...more }) as Intended
  it.each<[string, Partial<Intended>, boolean]>([
    ['what a policy denies', {}, true],
    ['what no policy permits', { policies: [] }, true],
    ['what is denied because it cannot be understood to the end', { actions: ['unknown'] }, true],
    ['no slip of the pen', { policies: [], actions: ['unknown'] }, false],
    ['not what is held', { verdict: 'hold' }, false],
    ['not what is allowed', { verdict: 'mask' }, false],
  ])('is %s', (_, more, expected) => expect(isDenied(intended(more))).toBe(expected))
})
