import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { until } from './testing/running-control.ts'
import { watchFiles } from './watch-files.ts'

let folder: string
let changes: number
let stop: () => void
const at = (name: string) => join(folder, name)

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cs-watch-'))
  mkdirSync(at('policies'))
  writeFileSync(at('one'), 'a')
  writeFileSync(at('policies/a.cedar'), 'a')
  changes = 0
  stop = watchFiles([at('one'), at('policies'), at('missing')], () => (changes += 1), 10)
})

afterEach(() => {
  stop()
  rmSync(folder, { recursive: true })
})

it.each<[string, () => void]>([
  ['is written', () => writeFileSync(at('one'), 'b')],
  ['is put in place of another', () => (writeFileSync(at('new'), 'a'), renameSync(at('new'), at('one')))],
  ['becomes a link', () => (unlinkSync(at('one')), symlinkSync(at('policies/a.cedar'), at('one')))],
  ['is taken away', () => unlinkSync(at('one'))],
  ['comes', () => writeFileSync(at('missing'), 'a')],
  ['comes into a folder', () => writeFileSync(at('policies/b.cedar'), 'b')],
  ['goes from a folder', () => unlinkSync(at('policies/a.cedar'))],
])('sees that a file %s, and tells it once', async (_, change) => {
  change()
  await until(() => changes > 0)
  await new Promise((resolve) => setTimeout(resolve, 60))
  expect(changes).toBe(1)
})

it('says nothing of files that stay as they are', async () => {
  await new Promise((resolve) => setTimeout(resolve, 60))
  expect(changes).toBe(0)
})

it('tells of a file that was being written for a while, once it is left alone', async () => {
  const seen: string[] = []
  stop()
  stop = watchFiles([at('one')], () => seen.push(readFileSync(at('one'), 'utf8')), 10)
  for (const text of ['x', 'xx', 'xxx', 'xxxx']) {
    writeFileSync(at('one'), text)
    await new Promise((resolve) => setTimeout(resolve, 3))
  }
  await until(() => seen.at(-1) === 'xxxx')
})
