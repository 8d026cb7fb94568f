import { readFileSync } from 'node:fs'
import { clientFile } from './runtimes/program.ts'

/** What every client runs, in whatever language it is written. */
export const STATEMENTS_FILE = clientFile('statements.json')

export const STATEMENTS = JSON.parse(readFileSync(STATEMENTS_FILE, 'utf8')) as {
  readonly masked: Readonly<Record<string, string>>
  readonly errors: Readonly<Record<string, string>>
}
