import { mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { lastWords, withLogFile } from './log-file.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'countersign-log-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

describe('a log file', () => {
  it('is appended to, and only its owner may read it', () => {
    const file = join(folder, 'below', 'a.log')
    for (const line of ['one\n', 'two\n']) withLogFile(file, (descriptor) => writeSync(descriptor, line))
    expect(readFileSync(file, 'utf8')).toBe('one\ntwo\n')
    expect(statSync(file).mode & 0o777).toBe(0o600)
  })

  it('is set aside when it has grown large', () => {
    const file = join(folder, 'a.log')
    writeFileSync(file, 'old')
    truncateSync(file, 16 * 1024 * 1024 + 1)
    withLogFile(file, (descriptor, from) => {
      expect(from).toBe(0)
      writeSync(descriptor, 'new')
    })
    expect(readFileSync(file, 'utf8')).toBe('new')
    expect(statSync(`${file}.1`).size).toBeGreaterThan(16 * 1024 * 1024)
  })
})

describe('the last words in a log file', () => {
  const said = (text: string, from?: number) => {
    const file = join(folder, 'said.log')
    writeFileSync(file, text)
    return lastWords(file, from)
  }

  it('are the last line that says something', () => expect(said('one\ntwo\n\n')).toBe('two'))

  it('are the message and the error of a structured line', () =>
    expect(said('{"level":"error","message":"cannot start","error":"no policy"}\n')).toBe('cannot start: no policy'))

  it('are the line itself where its structure says nothing', () =>
    expect(said('{"level":"error"}')).toBe('{"level":"error"}'))

  it('do not go back before the start that is asked about', () => expect(said('old\n', 4)).toBe('it said nothing'))

  it('are missed where there is no file', () => expect(lastWords(join(folder, 'none'))).toBe('it said nothing'))
})
