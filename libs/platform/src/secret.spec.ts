import { format, inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { Secret } from './secret.ts'

const secret = new Secret('hunter2-hunter2')
const holder = { roles: { app: secret }, list: [secret] }

describe('a secret', () => {
  it('is told to who asks for it by name', () => expect(secret.reveal()).toBe('hunter2-hunter2'))

  it.each([
    ['inspected', () => inspect(holder, { depth: Infinity, showHidden: true, getters: true })],
    ['inspected with nothing of its own', () => inspect(holder, { customInspect: false, showHidden: true, depth: 9 })],
    ['formatted', () => format('%s %o %O %j', secret, secret, holder, holder)],
    ['written into a text', () => `${secret}`],
    ['serialised', () => JSON.stringify(holder)],
    ['cloned', () => inspect(structuredClone(holder), { depth: 9, showHidden: true })],
    ['spread', () => inspect({ ...secret }, { showHidden: true })],
    ['part of an error', () => inspect(new Error('x', { cause: holder }), { depth: 9 })],
  ])('is not seen where it is %s', (_, shown) => {
    expect(shown()).not.toContain('hunter2')
    expect(shown()).not.toBe('')
  })

  it('can be compared', () => {
    expect(secret.equals(new Secret('hunter2-hunter2'))).toBe(true)
    expect(secret.equals(new Secret('hunter3'))).toBe(false)
  })
})
