import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { defaultPolicies } from '@countersign/policy'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readPolicySet } from './policy-files.ts'

let folder: string

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'cs-policies-'))
})

afterAll(() => rmSync(folder, { recursive: true }))

describe('a set of policies', () => {
  it('is the shipped one where no folder is named', () => {
    const set = readPolicySet(config())
    expect(set.files).toEqual(defaultPolicies())
    expect(set.version).toMatch(/^[0-9a-f]{16}$/)
    expect(set.ownersOf({ environment: 'demo', database: 'shop' }, 'public.orders')).toEqual(['shop-owners'])
    expect(set.ownersOf({ environment: 'demo', database: 'shop' })).toEqual(['shop-owners'])
    expect(set.ownersOf({ environment: 'prod', database: 'shop' }, 'public.orders')).toEqual([])
    expect(set.ownerGroups).toEqual(new Set(['shop-owners']))
  })

  it('has another version with every change, of names and owners too, and the same without', () => {
    const versions = [
      readPolicySet(config({ policies: { 'a.cedar': PERMIT } })),
      readPolicySet(config({ policies: { 'b.cedar': PERMIT } })),
      readPolicySet(config({ policies: { 'a.cedar': `${PERMIT}\n` } })),
      readPolicySet(config({ policies: { 'a.cedar': PERMIT }, owners: 'demo/shop.* @others\n' })),
    ].map(({ version }) => version)
    expect(new Set(versions).size).toBe(4)
    expect(readPolicySet(config({ policies: { 'a.cedar': PERMIT } })).version).toBe(versions[0])
  })

  it('is made of .cedar files in the order of their names', () =>
    expect(
      readPolicySet(
        config({ policies: { 'b.cedar': PERMIT.replace('all', 'b'), 'a.cedar': PERMIT, 'README.md': 'x' } }),
      ).files.map(({ name }) => name),
    ).toEqual(['a.cedar', 'b.cedar']))

  it.each<[string, Parameters<typeof config>[0], RegExp]>([
    ['a policy that does not compile', { policies: { 'a.cedar': `${PERMIT}\npermit(` } }, /policies\/a\.cedar:2: /],
    ['owners that cannot be read', { owners: '# owners\ndemo/shop.* bo\n' }, /DATAOWNERS:2: /],
    ['a folder without policies', { policies: { 'README.md': 'x' } }, /policies: holds no \.cedar file/],
    ['a folder that is not there', { folder: 'nowhere' }, /nowhere: cannot be read/],
  ])('is refused with %s', (_, options, message) => expect(() => readPolicySet(config(options))).toThrow(message))

  it('is refused without its owners', () =>
    expect(() => readPolicySet({ ...config(), owners: join(folder, 'none') })).toThrow(/none: cannot be read/))
})

const PERMIT = '@id("all") permit (principal, action, resource);'

const config = ({
  policies,
  owners = 'demo/shop.* @shop-owners\n',
  folder: named,
}: { policies?: Record<string, string>; owners?: string; folder?: string } = {}) => {
  const at = join(folder, 'policies')
  rmSync(at, { recursive: true, force: true })
  mkdirSync(at)
  for (const [name, text] of Object.entries(policies ?? {})) writeFileSync(join(at, name), text)
  const file = join(folder, 'DATAOWNERS')
  writeFileSync(file, owners)
  const place = named === undefined ? policies && at : join(folder, named)
  return {
    listen: { host: '', port: 1 },
    identities: '',
    owners: file,
    ...(place !== undefined && { policies: place }),
  }
}
