import { closeSync, existsSync, fstatSync, mkdirSync, openSync, readFileSync, renameSync, statSync } from 'node:fs'
import { dirname } from 'node:path'

const SIZE_MAX = 16 * 1024 * 1024

/** Opens the file to append to. One that has grown large is set aside first; the one set aside before it is dropped. */
export const openLogFile = (file: string): number => {
  mkdirSync(dirname(file), { recursive: true })
  if (existsSync(file) && statSync(file).size > SIZE_MAX) renameSync(file, `${file}.1`)
  return openSync(file, 'a', 0o600)
}

/** Runs a function with the file open, and remembers from where on the lines are new. */
export const withLogFile = <T>(file: string, use: (descriptor: number, from: number) => T): T => {
  const descriptor = openLogFile(file)
  try {
    return use(descriptor, fstatSync(descriptor).size)
  } finally {
    closeSync(descriptor)
  }
}

/** What was written last, from the given place on: the message of the last line where that is JSON. */
export const lastWords = (file: string, from = 0): string => {
  const text = existsSync(file) ? readFileSync(file).subarray(from).toString('utf8') : ''
  const line = text
    .trimEnd()
    .split('\n')
    .findLast((candidate) => candidate.trim() !== '')
  return line === undefined ? 'it said nothing' : messageOf(line.trim())
}

const messageOf = (line: string): string => {
  try {
    const { message, error } = JSON.parse(line) as { message?: unknown; error?: unknown }
    return [message, error].filter((part) => typeof part === 'string').join(': ') || line
  } catch {
    return line
  }
}
