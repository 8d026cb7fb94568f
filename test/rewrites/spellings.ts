import { tokensOf, type Token } from '@countersign/sql'

/*
 * The same tokens written in another way: comments, white space, case, quotes, dollar quotes, escapes.
 */

const GAPS = [' ', '\n', '\t\r\n ', ' /**/', ' /* ; DROP TABLE x */', ' /* /* nested */ -- */', ' -- x\n', " -- '\n"]

const spellings = (token: Token, previous: string | undefined): readonly string[] => {
  const { text, name, isKeyword } = token
  if (isKeyword) return [text, text.toUpperCase(), text.slice(0, 1).toUpperCase() + text.slice(1)]
  if (name === 'IDENT' && /^[a-z_][a-z0-9_]*$/.test(text)) {
    const escaped = [...text].map((char) => `\\${char.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')
    return [text, text.toUpperCase(), `"${text}"`, ...(previous === '.' ? [] : [`U&"${escaped}"`])]
  }
  const inside = /^'([^'\\]*)'$/.exec(text)?.[1]
  if (name === 'SCONST' && inside !== undefined && !inside.includes('$')) {
    return [text, `$q$${inside}$q$`, `E'${inside}'`, ...(previous === 'uescape' ? [] : [`U&'${inside}'`])]
  }
  return [text]
}

/** `choices` picks a spelling for each token and a gap after it. */
export const respelled = (text: string, choices: readonly number[]): string =>
  tokensOf(text)
    .map((token, index, all) => {
      const ways = spellings(token, all[index - 1]?.text)
      const choice = choices[index % choices.length] ?? 0
      return `${ways[choice % ways.length]}${GAPS[Math.floor(choice / 8) % GAPS.length]}`
    })
    .join('')
