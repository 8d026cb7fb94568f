import { setTimeout as sleep } from 'node:timers/promises'
import { CertificateAuthority, freePorts } from '@countersign/testing'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { startShopDatabase, type ShopDatabase } from '../../../../test/support/shop-database.ts'
import { password, RawClient, startup } from '../postgres/testing/raw-client.ts'
import { RunningNode } from '../postgres/testing/running-node.ts'

/*
 * Failed logins against a whole node. Linux lets a client of this machine come from any address in 127/8, so several
 * addresses are at hand.
 */

const PATIENTLY = { timeout: 20_000 }
const ANA = { id: 'ana', token: 'cs_token_of_ana' }
const BO = { id: 'bo', token: 'cs_token_of_bo' }
const HERE = '127.0.0.2'
const THERE = '127.0.0.3'
const ELSEWHERE = '127.0.0.4'

let database: ShopDatabase
let node: RunningNode
const clients: RawClient[] = []

const startNode = async (lockout: Readonly<Record<string, number>>): Promise<RunningNode> =>
  RunningNode.start({
    authority: await CertificateAuthority.make('People CA'),
    ports: await freePorts(3),
    upstream: database.upstream,
    principals: [ANA, BO],
    node: { lockout },
  })

beforeAll(async () => {
  database = await startShopDatabase()
})
afterEach(async () => {
  for (const client of clients.splice(0)) client.close()
  await node?.stop()
})
afterAll(() => database?.postgres.stop())

/** What becomes of one login: `in`, or what the client is told, severity and fields. */
const tries = async (address: string, user: string, token: string): Promise<string> => {
  const client = await RawClient.open(node.port, address)
  clients.push(client)
  client.send(startup({ user, database: 'shop' }))
  await client.until(/^R|^E.*\0\0$/s)
  if (!client.text.startsWith('E')) {
    client.forget()
    client.send(password(token))
    await client.until(/^R|^E.*\0\0$/s)
  }
  if (client.text.startsWith('R')) return 'in'
  await client.untilClosed()
  const field = (letter: string) => new RegExp(`\\0${letter}([^\\0]*)`).exec(client.text)?.[1]
  return `${field('C')} ${field('M')}`
}

const failed = () => node.recorded('auth.failed')
const LOCKED = /^28000 too many failed logins: try again in \d+ s$/

describe('a name that fails three times from one address', () => {
  it('is locked out there, with the right token too, and nowhere else; and nobody else is', async () => {
    node = await startNode({ failuresMax: 3, lockSeconds: 8 })
    for (let time = 0; time < 3; time++)
      expect(await tries(HERE, 'ana', 'cs_x')).toBe('28P01 password authentication failed')
    expect(await tries(HERE, 'ana', ANA.token)).toMatch(LOCKED)
    expect(await tries(THERE, 'ana', ANA.token)).toBe('in')
    expect(await tries(HERE, 'bo', BO.token)).toBe('in')
    await expect.poll(() => failed().length, PATIENTLY).toBe(4)
    expect(failed().map(({ because, lock, attempts, address }) => [because, lock?.scope, attempts, address])).toEqual([
      ['wrong-token', undefined, undefined, HERE],
      ['wrong-token', undefined, undefined, HERE],
      ['wrong-token', 'principal-at-address', undefined, HERE],
      ['locked-out', undefined, undefined, HERE],
    ])
    const { lock, at } = failed()[2] ?? {}
    expect(Date.parse(lock?.until ?? '') - Date.parse(at ?? '')).toBeGreaterThan(7_900)
    await sleep(Date.parse(lock?.until ?? '') - Date.now() + 50)
    expect(await tries(HERE, 'ana', ANA.token)).toBe('in')
  })

  it('cannot fill the record while it is locked out, and the sum of it is right', async () => {
    node = await startNode({ failuresMax: 1 })
    await tries(HERE, 'ana', 'cs_x')
    for (let time = 0; time < 110; time++) expect(await tries(HERE, 'ana', 'cs_x')).toMatch(LOCKED)
    await expect.poll(() => failed().length, PATIENTLY).toBe(4)
    expect(failed().map(({ because, attempts = 1 }) => [because, attempts])).toEqual([
      ['wrong-token', 1],
      ['locked-out', 1],
      ['locked-out', 9],
      ['locked-out', 90],
    ])
  })
})

describe('an unknown name', () => {
  it('is told what a known one is told, is locked out as that is, and is told apart in the record', async () => {
    node = await startNode({ failuresMax: 2 })
    const told = async (user: string) => [
      await tries(HERE, user, 'cs_x'),
      await tries(HERE, user, ANA.token),
      (await tries(HERE, user, 'cs_x')).replace(/\d+ s$/, 'n s'),
    ]
    const [known, unknown] = [await told('bo'), await told('nobody')]
    expect(unknown).toEqual(known)
    await expect.poll(() => failed().length, PATIENTLY).toBe(6)
    const because = failed().map((each) => [each.user, each.because])
    expect(because).toEqual([
      ['bo', 'wrong-token'],
      ['bo', 'wrong-token'],
      ['bo', 'locked-out'],
      ['nobody', 'unknown-principal'],
      ['nobody', 'unknown-principal'],
      ['nobody', 'locked-out'],
    ])
    for (const secret of ['cs_x', ANA.token]) expect(JSON.stringify([node.events, node.lines])).not.toContain(secret)
  })
})

describe('an address from which many names fail', () => {
  it('is locked for strangers, and not for who has logged in from it before', async () => {
    node = await startNode({ failuresPerAddressMax: 5 })
    expect(await tries(HERE, 'ana', ANA.token)).toBe('in')
    for (const name of ['n1', 'n2', 'n3', 'n4', 'n5']) await tries(HERE, name, 'cs_x')
    expect(await tries(HERE, 'bo', BO.token)).toMatch(LOCKED)
    expect(await tries(HERE, 'ana', ANA.token)).toBe('in')
    expect(await tries(THERE, 'bo', BO.token)).toBe('in')
    await expect.poll(() => failed().find(({ lock }) => lock)?.lock?.scope, PATIENTLY).toBe('address')
  })
})

describe('a name that is tried from everywhere', () => {
  it('is locked out nowhere: wrong tokens are answered slowly, the right one at once', async () => {
    node = await startNode({ failuresPerPrincipalMax: 3 })
    for (const address of [HERE, THERE, ELSEWHERE]) await tries(address, 'ana', 'cs_x')
    await expect.poll(() => failed().at(-1)?.lock?.scope, PATIENTLY).toBe('principal')
    const started = performance.now()
    expect(await tries(HERE, 'ana', 'cs_x')).toBe('28P01 password authentication failed')
    expect(performance.now() - started).toBeGreaterThan(900)
    for (const address of [HERE, THERE, ELSEWHERE, '127.0.0.5'])
      expect(await tries(address, 'ana', ANA.token)).toBe('in')
  })
})
