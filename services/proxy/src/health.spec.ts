import { expect, it } from 'vitest'
import { healthOf, mergeHealth, type DatabaseState, type NodeHealth } from './health.ts'

const up = (name: string): DatabaseState => ({
  name,
  schemaKnown: true,
  failure: undefined,
  usable: true,
  found: 0,
  understood: 0,
  servers: [{ server: `${name}:5432`, ok: true, role: 'primary', reason: undefined, since: 'then', seen: 1 }],
})
const down = (name: string): DatabaseState => ({
  ...up(name),
  usable: false,
  servers: [
    { server: `${name}:5432`, ok: false, role: undefined, reason: 'connection refused', since: 'then', seen: 1 },
  ],
})

it('is ok when everything is there', () =>
  expect(healthOf([], [up('a')])).toEqual({
    ready: true,
    status: 'ok',
    reasons: [],
    databases: [{ name: 'a', ok: true, servers: [{ server: 'a:5432', ok: true, role: 'primary', since: 'then' }] }],
  }))

it('is degraded, and ready, while one of several databases is gone', () =>
  expect(healthOf([], [up('a'), down('b')])).toMatchObject({
    ready: true,
    status: 'degraded',
    reasons: ['b: no server can be used: b:5432: connection refused'],
  }))

it.each([
  ['all databases are gone', healthOf([], [down('a'), down('b')])],
  ['the log is gone', healthOf(['the event log cannot be written'], [up('a')])],
  ['a schema has not been read yet', healthOf([], [up('a'), { ...up('b'), schemaKnown: false }])],
])('is not ready while %s', (_, health) => expect(health).toMatchObject({ ready: false, status: 'not ready' }))

it('is ready without a database whose schema could not be read, when another is there', () =>
  expect(
    healthOf([], [up('a'), { ...down('b'), schemaKnown: false, failure: 'b:5432: connection refused' }]),
  ).toMatchObject({ ready: true, status: 'degraded', reasons: ['b: b:5432: connection refused'] }))

it('is, of several workers, what the worst of them says', () => {
  const [good, worse, bad] = [
    healthOf([], [up('a')]),
    healthOf([], [up('a'), down('b')]),
    healthOf(['broken'], [up('a')]),
  ]
  const merged = (...all: readonly NodeHealth[]) => mergeHealth(new Map(all.map((each, at) => [`w${at}`, each])))
  expect(merged(good, good)).toEqual(good)
  expect(merged(bad)).toEqual(bad)
  expect(merged(good, worse)).toMatchObject({ ready: true, status: 'degraded' })
  expect(merged(good, bad)).toMatchObject({ ready: true, status: 'degraded', reasons: ['w1: broken'] })
  expect(merged()).toMatchObject({ ready: false })
})
