import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import {
  contract,
  contractsOf,
  MalformedEventError,
  reader,
  UnknownEventError,
  upcast,
  writer,
  type Family,
} from './contract.ts'

/** A door: at first it was opened by somebody; then also at some door; then for some seconds and not for ever. */
const openedV1 = contract('door.opened', 1, z.object({ who: z.string() }))
const openedV2 = contract('door.opened', 2, z.object({ who: z.string(), door: z.string() }))
const openedV3 = contract('door.opened', 3, z.object({ by: z.string(), door: z.string(), seconds: z.int() }))
const locked = contract('door.locked', 1, z.object({ door: z.string(), keys: z.array(z.string()).optional() }))

const doors: Family<typeof openedV3 | typeof locked> = {
  current: [openedV3, locked],
  history: [
    upcast(openedV1, openedV2, ({ who }) => ({ who, door: 'front' })),
    upcast(openedV2, openedV3, ({ who, door }) => ({ by: who, door, seconds: 0 })),
  ],
}
const read = reader(doors)
const write = writer(doors)

const openedBy = (data: object) => ({ type: 'door.opened', data })

describe('an event of long ago', () => {
  it('is lifted through every version since', () =>
    expect(read({ type: 'door.opened', version: 1, data: { who: 'ana' } })).toEqual(
      openedBy({ by: 'ana', door: 'front', seconds: 0 }),
    ))

  it('is lifted from the version that it was written in, and not from the first', () =>
    expect(read({ type: 'door.opened', version: 2, data: { who: 'ana', door: 'back' } })).toEqual(
      openedBy({ by: 'ana', door: 'back', seconds: 0 }),
    ))

  it('must have the shape of its own version: that of a later one is none', () => {
    const data = { by: 'ana', door: 'back', seconds: 5 }
    expect(() => read({ type: 'door.opened', version: 1, data })).toThrow(MalformedEventError)
    expect(read({ type: 'door.opened', version: 3, data })).toEqual(openedBy(data))
  })

  it('stays as it is: what is read is a copy', () => {
    const stored = Object.freeze({ type: 'door.opened', version: 1, data: Object.freeze({ who: 'ana' }) })
    read(stored)
    expect(stored).toEqual({ type: 'door.opened', version: 1, data: { who: 'ana' } })
  })
})

describe('an event that no contract knows', () => {
  it.each([
    ['another type', { type: 'door.dreamt', version: 1 }],
    ['a version to come', { type: 'door.opened', version: 4 }],
    ['a version before the first', { type: 'door.opened', version: 0 }],
    ['a name of something else', { type: 'constructor', version: 1 }],
  ])('is not guessed at: %s', (_, { type, version }) => {
    const stored = { type, version, data: { by: 'ana', door: 'back', seconds: 5 } }
    const error = errorOf(() => read(stored))
    expect(error).toBeInstanceOf(UnknownEventError)
    expect(error).toMatchObject({ code: 'CONTRACT_UNKNOWN_EVENT', stored })
    expect(error?.message).toBe(`no contract for ${type}@${version}`)
  })
})

describe('an event that does not fit its contract', () => {
  it('is refused by the names of its fields, never by their values', () => {
    const data = { by: 'a secret', door: { secret: 1 }, seconds: 'secret' }
    const error = errorOf(() => read({ type: 'door.opened', version: 3, data }))
    expect(error).toMatchObject({ code: 'CONTRACT_MALFORMED_EVENT', stored: { data } })
    expect(error?.message).toBe('door.opened@3 does not fit its contract: door (invalid_type), seconds (invalid_type)')
  })

  it.each([[undefined], [null], ['text'], [[]]])('is refused when its data is %j', (data) =>
    expect(() => read({ type: 'door.locked', version: 1, data })).toThrow(
      'door.locked@1 does not fit its contract: data (invalid_type)',
    ),
  )

  it('is refused when lists in it do not fit', () =>
    expect(() => read({ type: 'door.locked', version: 1, data: { door: 'back', keys: ['a', 7] } })).toThrow(
      'door.locked@1 does not fit its contract: keys.1 (invalid_type)',
    ))
})

describe('a field that its contract does not name', () => {
  it('is not handed on', () =>
    expect(read({ type: 'door.locked', version: 1, data: { door: 'back', colour: 'red' } })).toEqual({
      type: 'door.locked',
      data: { door: 'back' },
    }))
})

describe('an event of today', () => {
  it('is written in today’s version, and read as it was', () => {
    const event = { type: 'door.opened', data: { by: 'ana', door: 'back', seconds: 5 } } as const
    expect(write(event)).toEqual({ ...event, version: 3 })
    expect(read(write(event))).toEqual(event)
  })

  it('is not written when no contract knows its type', () =>
    expect(() => write({ type: 'door.dreamt', data: {} } as never)).toThrow(UnknownEventError))
})

describe('a family', () => {
  it('knows every version of every event once', () =>
    expect(contractsOf(doors)).toEqual([openedV1, openedV2, openedV3, locked]))
})

const errorOf = (act: () => unknown): Error | undefined => {
  try {
    act()
    return undefined
  } catch (error) {
    return error instanceof Error ? error : undefined
  }
}
