import { expect } from 'vitest'

/** What a section must have seen: an object that what it saw must match, or a look of one's own. */
export type Fact = object | ((saw: unknown) => void)

/** What it saw holds these texts somewhere. */
export const mentions =
  (...texts: readonly string[]) =>
  (saw: unknown): void => {
    const said = JSON.stringify(saw)
    expect(texts.filter((text) => !said.includes(text))).toEqual([])
  }

/** Facts that are the same whatever the driver is. */
export const FACTS = {
  types: mentions('12345678901234567890123456789.123456789', '9223372036854775807', 'two words', 'plain words'),
  parameters: mentions("with 'quotes' and"),
  prepared: { runs: expect.any(Number), first: expect.any(Array) },
  temporary_tables: { count: 2 },
  large: { rows: 100_000 },
  portions: { sizes: [...Array.from({ length: 10 }, () => 100), 5] },
  many_results: {},
  notices: mentions('42P07', '25P01', 'noticed 7', 'the hint', 'warned'),
  batch: { inserted: 500, refused: { sqlstate: '23505' } },
  transactions: {
    'rolled back': 0,
    savepoints: 3,
    undefined: '42703',
    aborted: { sqlstate: '25P02' },
    isolation: 'serializable',
    'read only': { sqlstate: '25006' },
  },
  copy_out: { text: { bytes: expect.any(Number) }, csv: { bytes: expect.any(Number) } },
  copy_in: mentions('20000', '22P02'),
  notifications: {
    heard: [
      ['client_news', 'by itself'],
      ['client_news', 'with a parameter'],
    ],
  },
  timeout: mentions('57014', 'statement timeout'),
  connections: { pool: Array.from({ length: 60 }, (_, number) => 2 * number) },
} as const satisfies Record<string, Fact>
