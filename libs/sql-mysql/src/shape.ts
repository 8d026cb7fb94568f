import { SqlRefusedError, SqlSyntaxError } from '@countersign/sql'
import { tokensOf, type Token } from './lexer.ts'

/**
 * The text with plain constants taken out and comments and white space made one, so that statements that differ in
 * nothing else share what is known of them; undefined for what has none. Each kind of constant has a mark of its own:
 * the server chooses how to compare by it.
 */
export const shapeOfMysql = (text: string): string | undefined => {
  const tokens = tokensIn(text)
  return tokens?.map(printed).join(' ')
}

const tokensIn = (text: string): readonly Token[] | undefined => {
  try {
    return tokensOf(text)
  } catch (error) {
    if (error instanceof SqlSyntaxError || error instanceof SqlRefusedError) return undefined
    throw error
  }
}

const printed = ({ kind, text, introducer }: Token): string => {
  if (kind === 'string') return introducer === undefined ? "'?'" : `${introducer}'?'`
  if (kind === 'bits') return "x'?'"
  if (kind === 'number') return /^\d{1,19}$/.test(text) ? '0' : '0.0'
  if (kind === 'quoted') return `\`${text.replaceAll('`', '``')}\``
  return kind === 'variable' ? JSON.stringify(text) : text
}
