import { beforeEach, describe, expect, it } from 'vitest'
import { NameTable } from './name-table.ts'

let names: NameTable<string>
beforeEach(() => {
  names = new NameTable()
})

describe('what a name stands for', () => {
  it('is what was said last, also before the server has answered', () => {
    names.change('s', 'one', 0)
    names.change('s', 'two', 0)
    expect(names.get('s')).toBe('two')
  })

  it('is what it was, when the server has not done what was said', () => {
    names.set('s', 'one')
    const change = names.change('s', 'two', 0)
    names.undone(change)
    expect(names.get('s')).toBe('one')
  })

  it('is what was said since, when only what came before was not done', () => {
    names.set('s', 'one')
    const [two, three] = [names.change('s', 'two', 0), names.change('s', 'three', 1)]
    names.undone(two)
    expect(names.get('s')).toBe('three')
    names.undone(three)
    expect(names.get('s')).toBe('one')
  })

  it('is nothing, when it was given away', () => {
    names.set('s', 'one')
    names.answered(names.change('s', undefined, 0))
    expect(names.get('s')).toBeUndefined()
  })

  it('is nothing, when the server has given it away and then failed', () => {
    names.set('', 'one')
    const change = names.change('', 'two', 0)
    names.givenAway(change)
    names.undone(change)
    expect(names.get('')).toBeUndefined()
  })
})

describe('whoever relies on a name', () => {
  it('waits for the answer behind the Sync of the group in which it was changed', () => {
    const change = names.change('s', 'one', 0)
    expect([names.inDoubt('s', 0), names.inDoubt('s', 1)]).toEqual([false, true])
    names.answered(change)
    expect(names.inDoubt('s', 1)).toBe(false)
  })

  it('need not, when nothing was said of it', () => {
    names.set('s', 'one')
    expect([names.inDoubt('s', 1), names.inDoubt('t', 1)]).toEqual([false, false])
  })
})

describe('what is gone', () => {
  it('is forgotten, and what was said of its name since is not', () => {
    names.answered(names.change('p', 'old', 0))
    names.answered(names.change('q', 'old', 0))
    const since = names.change('p', 'new', 1)
    expect(names.forget((value) => value === 'old')).toEqual(['old', 'old'])
    expect([names.get('p'), names.get('q')]).toEqual(['new', undefined])
    names.undone(since)
    expect(names.get('p')).toBeUndefined()
  })

  it('is told once it is replaced', () => {
    names.set('p', 'old')
    expect(names.answered(names.change('p', 'new', 0))).toBe('old')
  })
})
