import type { DatabaseConfig } from '@countersign/platform'
import { describe, expect, it } from 'vitest'
import { routeTo } from './route.ts'

const database = (environment: string, serverNames?: readonly string[], name = 'shop') =>
  ({ name, environment, ...(serverNames && { serverNames }) }) as DatabaseConfig

const PROD = database('prod', ['db.prod.example.net', '*.db.prod.example.net'])
const STAGING = database('staging', ['db.staging.example.net'])
const CANARY = database('canary', ['canary.db.prod.example.net'])
const DEMO = database('demo')
const ALL = [PROD, STAGING, CANARY, DEMO]

describe('a client that asks for `shop`', () => {
  it.each([
    ['db.prod.example.net', PROD],
    ['DB.Prod.Example.NET.', PROD],
    ['shop.db.prod.example.net', PROD],
    ['canary.db.prod.example.net', CANARY],
    ['db.staging.example.net', STAGING],
    ['a.shop.db.prod.example.net', DEMO],
    ['localhost', DEMO],
    ['xdb.prod.example.net', DEMO],
    ['', DEMO],
    [undefined, DEMO],
  ])('under the name %s', (serverName, expected) => expect(routeTo(ALL, 'shop', serverName)).toBe(expected))

  it.each(['elsewhere.example.net', undefined])('is refused under %s where every database has names', (serverName) =>
    expect(routeTo([PROD, STAGING], 'shop', serverName)).toBeUndefined(),
  )
})

it('finds under a name only what has it, though another database of that name is open to every name', () => {
  const orders = database('demo', undefined, 'orders')
  expect(routeTo([...ALL, orders], 'orders', 'db.prod.example.net')).toBeUndefined()
  expect(routeTo([...ALL, orders], 'orders', 'elsewhere')).toBe(orders)
})
