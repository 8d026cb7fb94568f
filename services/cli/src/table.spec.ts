import { describe, expect, it } from 'vitest'
import { shortened, table, visible, visibleLines } from './table.ts'

describe('a table', () => {
  it('is aligned, and has no spaces at the end of a line', () =>
    expect(
      table(
        ['ID', 'WHO'],
        [
          ['rq_1', 'ana'],
          ['rq_22', 'ü'],
        ],
      ),
    ).toEqual(['ID     WHO', 'rq_1   ana', 'rq_22  ü']))

  it('has a header alone when there is nothing in it', () => expect(table(['ID', 'WHO'], [])).toEqual(['ID  WHO']))
})

describe('text of others', () => {
  it('cannot steer the terminal', () => {
    expect(visible('drop\u001b[2K\u0007 table')).toBe('drop\\u001b[2K\\u0007 table')
    expect(visible('a\u202eb\u200bc')).toBe('a\\u202eb\\u200bc')
    expect(visible('a\nb\tc')).toBe('a b c')
    expect(visibleLines('select 1\r\n\tfrom\u001b x')).toBe('select 1\n    from\\u001b x')
  })

  it('is shortened by characters, and says so', () => {
    expect(shortened('abc', 3)).toBe('abc')
    expect(shortened('abcd', 3)).toBe('ab…')
    expect(shortened('😀😀😀', 2)).toBe('😀…')
  })
})
