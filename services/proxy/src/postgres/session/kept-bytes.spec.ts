import { expect, it } from 'vitest'
import { KeptBytes } from './kept-bytes.ts'
import { Meaning, preparedFrom } from './meaning.ts'

it('has room for any number of messages of which nothing is kept', () => {
  const kept = new KeptBytes(new Meaning(() => 1), 100_000)
  for (let count = 0; count < 10_000; count++) expect(kept.hasRoomFor(1_000)).toBe(true)
  expect(kept.hasRoomFor(60_000)).toBe(false)
})

it('counts what is kept, and what a name stood for before while the server has not answered', () => {
  const meaning = new Meaning(() => 1)
  const kept = new KeptBytes(meaning, 100_000)
  let count = 0
  while (kept.hasRoomFor(10_000)) {
    meaning.prepared.change('', preparedFrom('x'.repeat(10_000), []), 0)
    count += 1
  }
  expect(count).toBe(4)
  meaning.prepared.clear()
  expect(kept.hasRoomFor(10_000)).toBe(true)
})
