import type { Understanding } from './command.ts'
import { normalized } from './parser.ts'
import { shapeOf } from './shape.ts'

/**
 * What statements of one kind have in common, to group them by; nothing is decided on it. `understanding` says that
 * the parser has accepted the text, without which its normalizer answers with an error's text.
 */
export const shapeDigestInput = (text: string, understanding: Understanding | undefined): string => {
  if (!understanding || understanding.commands.length === 0) return text
  return shapeOf(text) ?? normalized(text)
}
