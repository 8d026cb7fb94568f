import { Instant, PrincipalId, StatementId, type GovernanceEvent } from '@countersign/contracts'
import { describe, expect, it } from 'vitest'
import { release, restrict, restrictionIn, restrictionInForce, type Restrict } from './restriction.ts'

const SESSION = '01a1f83b-f806-7c3a-85f1-d29e4b7a6081'
const copilot = PrincipalId.parse('copilot')
const cy = PrincipalId.parse('cy')
const at = (minute: number) => Instant.parse(`2026-11-23T10:${String(minute).padStart(2, '0')}:00.000Z`)
const attempt = (n: number, minute: number) => ({ statementId: StatementId.parse(`${SESSION}.${n}`), at: at(minute) })
const asked = (attempts: Restrict['attempts'], now = 5, until = 35): Restrict => ({
  principalId: copilot,
  because: 'too much',
  attempts,
  attemptsNeeded: 2,
  until: at(until),
  at: at(now),
})

/** What is written down of one command after another. */
const story = (...commands: ((past: readonly GovernanceEvent[]) => readonly GovernanceEvent[])[]) => {
  let past: readonly GovernanceEvent[] = []
  const said = commands.map((command) => {
    const events = command(past)
    past = [...past, ...events]
    return events.map(({ type }) => type).join()
  })
  return { said, past }
}
const expired = (minute: number) => release({ principalId: copilot, because: 'expired', at: at(minute) })
const lifted = (minute: number) =>
  release({ principalId: copilot, because: 'lifted', by: cy, reason: 'a test', at: at(minute) })

describe('a restriction', () => {
  it('comes of enough attempts, and of no fewer', () => {
    expect(restrict(asked([attempt(1, 1)]))([])).toEqual([])
    const { said, past } = story(restrict(asked([attempt(1, 1), attempt(2, 2)])))
    expect(said).toEqual(['principal.restricted'])
    expect(restrictionIn(past)).toMatchObject({ attempts: [`${SESSION}.1`, `${SESSION}.2`], until: at(35) })
    expect(restrictionInForce(past)?.data).toMatchObject({ restricted: true, until: at(35), because: 'too much' })
  })

  it('is one, however often it is asked for', () => {
    const again = asked([attempt(1, 1), attempt(2, 2)])
    const others = asked([attempt(3, 3), attempt(4, 4)])
    expect(story(restrict(again), restrict(again), restrict(others)).said).toEqual(['principal.restricted', '', ''])
  })

  it('ends when its time is up, not before, and once', () => {
    const { said, past } = story(restrict(asked([attempt(1, 1), attempt(2, 2)])), expired(34), expired(35), expired(36))
    expect(said).toEqual(['principal.restricted', '', 'principal.released', ''])
    expect(restrictionIn(past)).toBeUndefined()
    expect(restrictionInForce(past)?.data).toMatchObject({ restricted: false, because: 'the time is up' })
  })

  it('can be lifted, once, and not where there is none', () => {
    expect(lifted(6)([])).toEqual([])
    const { said, past } = story(restrict(asked([attempt(1, 1), attempt(2, 2)])), lifted(6), lifted(7), expired(40))
    expect(said).toEqual(['principal.restricted', 'principal.released', '', ''])
    expect(restrictionInForce(past)?.data).toMatchObject({ restricted: false, because: 'lifted by cy' })
  })

  it('does not come again of what it came of before, nor of what was tried before it was lifted', () => {
    const first = asked([attempt(1, 1), attempt(2, 2)])
    const mixed = (now: number) => asked([attempt(2, 2), attempt(3, 3), attempt(4, 5), attempt(5, 7)], now, 50)
    const anew = asked([attempt(4, 5), attempt(5, 7), attempt(6, 8)], 8, 50)
    const { said, past } = story(restrict(first), lifted(6), restrict(first), restrict(mixed(7)), restrict(anew))
    expect(said).toEqual(['principal.restricted', 'principal.released', '', '', 'principal.restricted'])
    expect(restrictionIn(past)?.attempts).toEqual([`${SESSION}.5`, `${SESSION}.6`])
  })

  it('does not come so late that it would be over', () =>
    expect(restrict(asked([attempt(1, 1), attempt(2, 2)], 35))([])).toEqual([]))

  it('says nothing to nodes of who never had one', () => expect(restrictionInForce([])).toBeUndefined())
})
