import type { LockoutConfig } from '@countersign/platform'
import { beforeEach, describe, expect, it } from 'vitest'
import { FailedLogins } from './failed-logins.ts'
import { isLoopback, networkOf } from './network.ts'
import { Recent } from './recent.ts'

const RULES: LockoutConfig = {
  windowSeconds: 60,
  lockSeconds: 30,
  failuresMax: 3,
  failuresPerAddressMax: 10,
  failuresPerPrincipalMax: 20,
}

let seconds: number
let logins: FailedLogins
beforeEach(() => {
  seconds = 1_000_000
  logins = new FailedLogins(() => seconds * 1000, 1_000)
})

const from = (address: string, user: string) => ({ address, user })
const HERE = '203.0.113.1'
const THERE = '203.0.113.2'
const fails = (times: number, address: string, user: string) => {
  for (let time = 0; time < times; time++) logins.failed(from(address, user), RULES)
}
const isLocked = (address: string, user: string) => logins.lockedUntil(from(address, user)) !== undefined

describe('a name that fails again and again from one address', () => {
  it('is locked there by the failure that is one too many, and told until when', () => {
    fails(2, HERE, 'ana')
    expect(isLocked(HERE, 'ana')).toBe(false)
    const lock = logins.failed(from(HERE, 'ana'), RULES)
    expect(lock).toEqual({ scope: 'principal-at-address', until: (seconds + 30) * 1000 })
    expect(logins.lockedUntil(from(HERE, 'ana'))).toBe((seconds + 30) * 1000)
  })

  it('is not locked anywhere else, and nobody else is', () => {
    fails(3, HERE, 'ana')
    expect([isLocked(THERE, 'ana'), isLocked(HERE, 'bo')]).toEqual([false, false])
  })

  it('is let in again when the time is over, and has as many tries as before', () => {
    fails(3, HERE, 'ana')
    seconds += 30
    expect(isLocked(HERE, 'ana')).toBe(false)
    fails(2, HERE, 'ana')
    expect(isLocked(HERE, 'ana')).toBe(false)
    fails(1, HERE, 'ana')
    expect(isLocked(HERE, 'ana')).toBe(true)
  })

  it('has its failures forgotten when the window is over, and when it logs in', () => {
    fails(2, HERE, 'ana')
    seconds += 61
    fails(2, HERE, 'ana')
    expect(isLocked(HERE, 'ana')).toBe(false)
    logins.succeeded(from(HERE, 'ana'))
    fails(2, HERE, 'ana')
    expect(isLocked(HERE, 'ana')).toBe(false)
  })
})

describe('an address from which many names fail', () => {
  const spray = () => {
    for (let name = 0; name < 10; name++) fails(1, HERE, `name-${name}`)
  }

  it('is locked for names that nobody has tried', () => {
    spray()
    expect([isLocked(HERE, 'bo'), isLocked(THERE, 'bo')]).toEqual([true, false])
  })

  it('is not locked for who has logged in from it before', () => {
    logins.succeeded(from(HERE, 'bo'))
    spray()
    expect([isLocked(HERE, 'bo'), isLocked(HERE, 'cy')]).toEqual([false, true])
  })

  it('is the whole /64 of IPv6', () => {
    for (let host = 1; host <= 10; host++) fails(1, `2001:db8:1:2::${host.toString(16)}`, `name-${host}`)
    expect([isLocked('2001:db8:1:2:ffff::9', 'bo'), isLocked('2001:db8:1:3::9', 'bo')]).toEqual([true, false])
  })
})

describe('a name that fails from everywhere', () => {
  it('is said to be under attack, and locked out nowhere', () => {
    const locks = Array.from({ length: 20 }, (_, host) => logins.failed(from(`198.51.100.${host}`, 'ana'), RULES))
    expect(locks.filter(Boolean)).toEqual([{ scope: 'principal', until: (seconds + 30) * 1000 }])
    expect(logins.underAttack('ana')).toBe(true)
    expect([isLocked(HERE, 'ana'), isLocked('198.51.100.3', 'ana')]).toEqual([false, false])
    seconds += 30
    expect(logins.underAttack('ana')).toBe(false)
  })
})

describe('an attack with ever new names and addresses', () => {
  it('does not make it grow', () => {
    const address = (n: number) => `10.${(n >> 16) & 255}.${(n >> 8) & 255}.${n & 255}`
    for (let n = 0; n < 50_000; n++) logins.failed(from(address(n), 'x'.repeat(100) + n), RULES)
    expect(logins.size).toBeLessThanOrEqual(4_000)
  })

  it('does not make it forget who is locked out', () => {
    fails(3, HERE, 'ana')
    for (let n = 0; n < 20_000; n++) logins.failed(from(`10.0.${(n >> 8) & 255}.${n & 255}`, `n${n}`), RULES)
    expect(isLocked(HERE, 'ana')).toBe(true)
  })

  it('of which all are locked makes room all the same', () => {
    const held = new Recent<number>(10, () => true)
    for (let n = 0; n < 1_000; n++) held.set(`${n}`, n)
    expect([held.size, held.get('999')]).toEqual([10, 999])
  })
})

describe('what counts as one address', () => {
  it.each([
    ['127.0.0.1', '127.0.0.1'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['::1', '0:0:0:0::/64'],
    ['2001:db8::17', '2001:db8:0:0::/64'],
    ['2001:0DB8:0001:0002:3:4:5:6', '2001:db8:1:2::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['1:2:3:4:5:6:7::', '1:2:3:4::/64'],
    ['', ''],
  ])('is of %s: %s', (address, network) => expect(networkOf(address)).toBe(network))

  it.each([
    ['127.0.0.1', true],
    ['127.8.9.10', true],
    ['::ffff:127.0.0.1', true],
    ['::1', true],
    ['128.0.0.1', false],
    ['::ffff:10.0.0.1', false],
    ['', false],
  ])('%s is this machine: %s', (address, own) => expect(isLoopback(address)).toBe(own))
})
