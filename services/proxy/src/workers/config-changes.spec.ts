import type { Config } from '@countersign/platform'
import { describe, expect, it } from 'vitest'
import { configChanges, fixedAmong } from './config-changes.ts'

const database = (name: string, more: object = {}) => ({
  name,
  environment: 'prod',
  upstream: { host: 'db', port: 5432, roles: { app: 'secret' }, ...more },
})
const config = (node: object = {}, databases = [database('shop')], more: object = {}): Config =>
  ({
    log: { kind: 'embedded', directory: '/log' },
    databases,
    node: { name: 'n', listen: { host: 'h', port: 1 }, limits: { connectionsMax: 5 }, workers: 2, ...node },
    holds: { inlineSeconds: 30 },
    control: { listen: { host: 'c', port: 2 } },
    audit: { listen: { host: 'a', port: 3 } },
    ...more,
  }) as unknown as Config

const changed = (after: Config) => configChanges(config(), after)

describe('what a new configuration changes', () => {
  it('is nothing when it says the same, in any order', () =>
    expect(
      configChanges(config({}, [database('a'), database('b')]), config({}, [database('b'), database('a')])),
    ).toEqual([]))

  it('is named, and never shown', () => {
    const after = config({ limits: { connectionsMax: 6 } }, [database('shop', { roles: { app: 'other' } })])
    expect(changed(after)).toEqual(['databases.prod/shop.upstream.roles.app', 'node.limits.connectionsMax'])
  })

  it('is a secret as well that does not show itself', () => {
    class Hidden {
      readonly #text: string
      constructor(text: string) {
        this.#text = text
      }
      reveal = () => this.#text
    }
    const as = (password: string) => config({}, [database('shop', { guard: { password: new Hidden(password) } })])
    expect(configChanges(as('a'), as('b'))).toEqual(['databases.prod/shop.upstream.guard.password'])
    expect(configChanges(as('a'), as('a'))).toEqual([])
  })

  it('is a database that is new, or not there any more, as a whole', () => {
    expect(changed(config({}, [database('shop'), database('crm')]))).toEqual(['databases.prod/crm'])
    expect(changed(config({}, [database('crm')]))).toEqual(['databases.prod/crm', 'databases.prod/shop'])
  })

  it('is told of the one of two that have the same name in different environments', () => {
    const test = (port: number) => ({ ...database('shop', { port }), environment: 'test' })
    const [before, after] = [1, 2].map((port) => config({}, [database('shop'), test(port)])) as [Config, Config]
    expect(configChanges(before, after)).toEqual(['databases.test/shop.upstream.port'])
  })

  it('is not what other services read', () =>
    expect(changed(config({}, undefined, { audit: { listen: { host: 'x', port: 9 } } }))).toEqual([]))

  it.each([
    ['node.listen.port', config({ listen: { host: 'h', port: 9 } })],
    ['node.name', config({ name: 'm' })],
    ['node.workers', config({ workers: 3 })],
    ['log.directory', config({}, undefined, { log: { kind: 'embedded', directory: '/other' } })],
  ])('cannot be %s while the node runs', (name, after) => {
    expect(fixedAmong(changed(after))).toEqual([name])
    expect(fixedAmong(['node.listening', 'node.limits.connectionsMax', 'holds.inlineSeconds'])).toEqual([])
  })
})
