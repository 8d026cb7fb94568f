import { describe, expect, it } from 'vitest'
import { foundIn, maskedColumn, OWN, strictestOf, UNKNOWN, type KnownColumn, type MaskRule } from './masked-column.ts'

const EMAIL: KnownColumn = { name: 'shop.customer.email', class: 'email' }
const SECRET: KnownColumn = { name: 'shop.customer.password', class: 'secret' }
const CITY: KnownColumn = { name: 'shop.customer.city', class: 'clear' }

const MASKS: MaskRule = () => ({ clear: false, kind: undefined })
const SHOWS: MaskRule = () => ({ clear: true, kind: undefined })
const AS_IT_IS = { derived: false, unknown: false }

const masked = (found: Parameters<typeof maskedColumn>[0], rule = MASKS, mayBeSensitive = true) =>
  maskedColumn(found, rule, () => mayBeSensitive)

describe('a result column', () => {
  it('is treated as the column that it comes from', () =>
    expect(masked(foundIn([EMAIL], MASKS, AS_IT_IS))).toEqual({
      class: 'email',
      whole: false,
      decision: { clear: false },
    }))

  it('is masked in the way that policy says', () =>
    expect(masked(foundIn([EMAIL], MASKS, AS_IT_IS), () => ({ clear: false, kind: 'null' }))).toMatchObject({
      decision: { clear: false, kind: 'null' },
    }))

  it('is shown when policy shows what it comes from', () =>
    expect(masked(foundIn([EMAIL], SHOWS, AS_IT_IS), SHOWS)).toMatchObject({ decision: { clear: true } }))

  it('keeps nothing of several values, and is as harmful as the worst of them', () =>
    expect(masked(foundIn([EMAIL, SECRET], MASKS, AS_IT_IS))).toMatchObject({ class: 'secret', whole: true }))

  it('keeps nothing of a value that is computed', () =>
    expect(masked(foundIn([EMAIL], MASKS, { derived: true, unknown: false }))).toMatchObject({ whole: true }))

  it('is looked into when nothing is known against it', () =>
    expect([masked(foundIn([CITY], MASKS, AS_IT_IS)), masked(OWN)]).toEqual([
      { class: 'clear', whole: false, decision: { clear: false } },
      { class: 'clear', whole: false, decision: { clear: false } },
    ]))

  it('is masked whole when it is unknown and its statement reads what is sensitive', () => {
    expect(masked(UNKNOWN)).toEqual({ class: 'unknown', whole: true, decision: { clear: false } })
    expect(masked(UNKNOWN, MASKS, false)).toMatchObject({ class: 'clear', whole: false })
  })
})

describe('a column of a view', () => {
  const clear = foundIn([CITY], MASKS, AS_IT_IS)
  const email = foundIn([EMAIL], MASKS, AS_IT_IS)

  it('hides nothing by what it is called', () =>
    expect(masked(strictestOf(clear, email))).toMatchObject({ class: 'email' }))

  it('is treated as it is called when its values are not known to be worse', () =>
    expect(masked(strictestOf(email, clear))).toMatchObject({ class: 'email', whole: false }))
})
