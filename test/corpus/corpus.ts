import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** One statement of the guardrail corpus, with the verdict that is right for it (README.md). */
export interface CorpusRow {
  readonly id: string
  readonly sql: string
  readonly class: string
  readonly should: 'allow' | 'review' | 'deny'
  readonly why: string
  readonly setup?: readonly string[]
  readonly pii?: readonly string[]
  readonly sqlstate15?: string
}

const folder = dirname(fileURLToPath(import.meta.url))
const read = (file: string) => readFileSync(join(folder, file), 'utf8')

export const corpus: readonly CorpusRow[] = read('guard.jsonl')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as CorpusRow)

export const schema = read('schema.sql')
export const roles = read('roles.sql')

/** Ordinary statements, all of which are allowed: a paragraph each, after its comment lines. */
export const everyday: readonly string[] = read('everyday.sql')
  .split(/\n\s*\n/)
  .map((paragraph) => paragraph.replaceAll(/^--.*$/gm, '').trim())
  .filter((statement) => statement !== '')
