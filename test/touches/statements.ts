import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { corpus, everyday } from '../corpus/corpus.ts'

const folder = dirname(fileURLToPath(import.meta.url))
const read = (file: string) => readFileSync(join(folder, file), 'utf8')

export const schema = read('schema.sql')
export const reader = read('reader.sql')

/** Written for this: a line each. */
export const own: readonly string[] = read('queries.sql')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('--'))

/** Everything of the other corpora that needs nothing to be set up. */
export const others: readonly string[] = [...everyday, ...corpus.filter(({ setup }) => !setup).map(({ sql }) => sql)]
