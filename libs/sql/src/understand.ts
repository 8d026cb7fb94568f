import { Buffer } from 'node:buffer'
import type { RawStmt } from 'libpg-query'
import type { Command, Understanding } from './command.ts'
import { parse } from './parser.ts'
import { readCommand } from './read-command.ts'
import { constantsOf } from './shape.ts'
import { isShapeable } from './shapeable.ts'
import { Source } from './source.ts'
import { checkText } from './text-limits.ts'

/**
 * What a text says, statement by statement. Synchronous; call `loadParser` before.
 *
 * Throws SqlSyntaxError for what PostgreSQL's grammar refuses and SqlRefusedError for what is not even parsed. Anything
 * else that it throws means that the parser is broken: the caller replaces the worker.
 */
export const understand = (text: string): Understanding => {
  checkText(text)
  const statements = parse(text)
  const bytes = Buffer.from(text)
  const [only, second] = statements
  const isAlone = only !== undefined && second === undefined
  const constants = isAlone ? constantsOf(text) : []
  return {
    commands: statements.map((statement) => commandAt(statement, bytes, constants)),
    shapeable: isAlone && isShapeable(only.stmt, text),
  }
}

const commandAt = (
  { stmt, stmt_location: start = 0, stmt_len: length }: RawStmt,
  bytes: Buffer,
  constants: ReturnType<typeof constantsOf>,
): Command => {
  const end = length ? start + length : bytes.length
  const text = bytes.toString('utf8', start, end)
  const span = { start, end }
  // A text that has a shape is ASCII, so its places are bytes as well.
  const moved = constants.map((constant) => ({ start: constant.start - start, end: constant.end - start }))
  return { ...readCommand(stmt ?? { RawStmt: {} }, new Source(text, start, moved)), span }
}
