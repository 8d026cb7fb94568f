/**
 * The `options` start-up parameter: command-line switches as PostgreSQL reads them (`-c name=value`, `-cname=value`,
 * `--name=value`), separated by white space that a backslash may protect.
 *
 * Returns undefined when there is anything else in it: what is not understood is refused.
 */
export const parseOptions = (options: string): ReadonlyMap<string, string> | undefined => {
  const settings = new Map<string, string>()
  const words = wordsOf(options)
  while (words.length > 0) {
    const word = words.shift() ?? ''
    const assignment = word === '-c' ? words.shift() : switchOf(word)
    const equals = assignment?.indexOf('=') ?? -1
    if (assignment === undefined || equals < 1) return undefined
    settings.set(assignment.slice(0, equals).replaceAll('-', '_').toLowerCase(), assignment.slice(equals + 1))
  }
  return settings
}

const switchOf = (word: string): string | undefined => {
  if (word.startsWith('--')) return word.slice(2)
  return word.startsWith('-c') ? word.slice(2) : undefined
}

const wordsOf = (options: string): string[] => {
  const words: string[] = []
  let word: string | undefined
  for (let at = 0; at < options.length; at++) {
    const char = options.charAt(at)
    if (/\s/.test(char)) {
      if (word !== undefined) words.push(word)
      word = undefined
      continue
    }
    const protectedChar = char === '\\' && at + 1 < options.length
    word = (word ?? '') + (protectedChar ? options.charAt(++at) : char)
  }
  if (word !== undefined) words.push(word)
  return words
}
