import type { ServerAddress, TargetSessionAttrs, UpstreamConfig } from '@countersign/platform'
import { describe, expect, it } from 'vitest'
import { BackOff } from './back-off.ts'
import { NoServerError } from './no-server-error.ts'
import { Servers } from './servers.ts'
import { misfitOf, roundsOf } from './session-attrs.ts'

/** How a server answers: as a primary or a standby, read-only or not, or with an error; or not at all in time. */
type Answer = 'primary' | 'standby' | 'read-only' | 'silent' | { readonly code: string; readonly message?: string }

const REFUSED: Answer = { code: 'ECONNREFUSED' }

class World {
  now = 0
  readonly tried: string[] = []
  readonly closed: string[] = []
  readonly answers: Record<string, Answer>
  readonly servers: Servers

  constructor(answers: Record<string, Answer>, upstream: Partial<UpstreamConfig> = {}, random = () => 0) {
    this.answers = answers
    const hosts = Object.keys(answers).map((host) => ({ host, port: 5432 }))
    const config = { ...CONFIG, hosts, ...upstream } as UpstreamConfig
    this.servers = new Servers(config, { now: () => 'now', clock: () => this.now, random })
  }

  readonly open = async ({ host }: ServerAddress, timeoutMs: number) => {
    this.tried.push(host)
    const answer = this.answers[host]
    if (answer === 'silent') {
      this.now += timeoutMs
      throw new Error('timeout expired')
    }
    if (typeof answer === 'object') throw Object.assign(new Error(answer.message), answer)
    const standby = answer === 'standby'
    return {
      connection: host,
      told: { standby, readOnly: standby || answer === 'read-only' },
      close: () => void this.closed.push(host),
    }
  }

  async reach(wanted: TargetSessionAttrs, withinMs?: number): Promise<string> {
    try {
      return (await this.servers.reach(roundsOf(wanted), this.open, withinMs)).connection
    } catch (error) {
      if (error instanceof NoServerError) return `${error.answered ? 'not now' : 'gone'}: ${error.message}`
      throw error
    }
  }
}

const CONFIG = { targetSessionAttrs: 'any', loadBalanceHosts: 'disable', connectTimeoutMs: 2_000 }

describe('the servers of a database', () => {
  it.each([
    ['any', 'b'],
    ['read-write', 'd'],
    ['read-only', 'b'],
    ['primary', 'c'],
    ['standby', 'b'],
    ['prefer-standby', 'b'],
  ] as const)('are tried in their order, for %s', async (wanted, expected) => {
    const world = new World({ a: REFUSED, b: 'standby', c: 'read-only', d: 'primary' })
    expect(await world.reach(wanted)).toBe(expected)
  })

  it('are passed over when they do not fit, and let go', async () => {
    const world = new World({ a: 'standby', b: 'primary' })
    await world.reach('primary')
    expect([world.tried, world.closed]).toEqual([['a', 'b'], ['a']])
  })

  it('are taken as they are in the second round of prefer-standby, those that answered only', async () => {
    const world = new World({ a: REFUSED, b: 'primary' })
    expect(await world.reach('prefer-standby')).toBe('b')
    expect(world.tried).toEqual(['a', 'b', 'b'])
  })

  it('are each named when none will do', async () => {
    const world = new World({ a: 'standby', b: REFUSED, c: { code: '57P03', message: 'the system is starting up' } })
    expect(await world.reach('primary')).toBe(
      'not now: a:5432: it is a standby; b:5432: connection refused; c:5432: the system is starting up',
    )
    expect(await new World({ a: REFUSED, b: { code: 'ENOTFOUND' } }).reach('any')).toBe(
      'gone: a:5432: connection refused; b:5432: host name not found',
    )
  })

  it.each(['28P01', '3D000', '53300', '22023'])('end the search when one refuses the login with %s', async (code) => {
    const world = new World({ a: { code, message: 'no' }, b: 'primary' })
    expect(await world.reach('any')).toMatch(/^gone: a:5432: it refused the login/)
    expect(world.tried).toEqual(['a'])
    expect(world.servers.states[0]).toMatchObject({ ok: true })
  })

  it('are left alone for longer and longer while they are silent, and counted on again when they answer', async () => {
    const world = new World({ a: 'silent', b: 'primary' })
    const tries: number[] = []
    while (world.now < 60_000) {
      const before = world.tried.length
      await world.reach('any')
      if (world.tried[before] === 'a') tries.push(world.now)
      world.now += 100
    }
    const gaps = tries.slice(1).map((at, index) => at - (tries[index] ?? 0))
    expect(gaps.length).toBeGreaterThan(3)
    expect(gaps.toSorted((x, y) => x - y)).toEqual(gaps)
    expect(gaps.at(-1)).toBeGreaterThan(10_000)
    world.answers['a'] = 'primary'
    await world.servers.probe(world.open, 0)
    expect(await world.reach('any')).toBe('a')
  })

  it('take no longer together than they may', async () => {
    const world = new World({ a: 'silent', b: 'silent', c: 'primary' })
    expect(await world.reach('any', 3_000)).toBe(
      'gone: a:5432: no answer in 2000 ms; b:5432: no answer in 1000 ms; c:5432: not tried: no time was left',
    )
    expect(world.now).toBe(3_000)
  })

  it('are shuffled where that is asked for, each of them first as often', async () => {
    let seed = 1
    const random = () => (seed = (seed * 16_807) % 2_147_483_647) / 2_147_483_647
    const world = new World({ a: 'primary', b: 'primary', c: 'primary' }, { loadBalanceHosts: 'random' }, random)
    const firsts = { a: 0, b: 0, c: 0 }
    for (let time = 0; time < 3_000; time++) firsts[(await world.reach('any')) as 'a'] += 1
    for (const count of Object.values(firsts)) expect(count).toBeGreaterThan(900)
  })

  it('are usable when one that is wanted has answered last', async () => {
    const world = new World({ a: 'primary', b: 'standby' }, { targetSessionAttrs: 'primary' })
    expect(world.servers.usable).toBe(false)
    await world.servers.probe(world.open, 0)
    expect(world.servers.usable).toBe(true)
    world.answers['a'] = REFUSED
    await world.reach('primary')
    expect(world.servers.usable).toBe(false)
    expect(world.servers.states).toMatchObject([
      { server: 'a:5432', ok: false, reason: 'connection refused' },
      { server: 'b:5432', ok: true, role: 'standby' },
    ])
  })

  it('are looked after when nothing was heard of them, and only then', async () => {
    const world = new World({ a: 'primary', b: 'primary' })
    await world.reach('any')
    world.now += 5
    await world.servers.probe(world.open, 10)
    expect(world.tried).toEqual(['a', 'b'])
    world.servers.lost({ host: 'a', port: 5432 })
    await world.servers.probe(world.open, 10)
    expect(world.tried).toEqual(['a', 'b', 'a'])
  })
})

it('a server that does not say what it is will do for `any` only', () => {
  const told = { standby: undefined, readOnly: undefined }
  const wanted = ['any', 'read-write', 'read-only', 'primary', 'standby'] as const
  expect(wanted.filter((each) => misfitOf(each, told) === undefined)).toEqual(['any'])
})

it('a back-off doubles up to its bound, is never below the half of it, and begins anew after a success', () => {
  const [least, most] = [new BackOff(100, 1_000, () => 0), new BackOff(100, 1_000, () => 0.999_999)]
  expect([1, 2, 3, 4, 5].map(() => Math.round(least.failed()))).toEqual([50, 100, 200, 400, 500])
  expect([1, 2, 3, 4, 5].map(() => Math.round(most.failed()))).toEqual([100, 200, 400, 800, 1_000])
  least.succeeded()
  expect(least.failed()).toBe(50)
})
