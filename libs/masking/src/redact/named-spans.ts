import { sensitiveClassOf, type Span } from './span.ts'

const LITERAL = String.raw`(?:[Ee]'(?:[^'\\]|''|\\[^])*'|'[^']*(?:''[^']*)*'|\d[\d.-]{2,40})`
const NAME = String.raw`(?<![\w$])"?(?<name>[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]{1,62})"?(?:::\w{1,40})?`
const SIGN = String.raw`(?:=|<>|!=|:=|:|[<>]=?|\b(?:i?like|in|between)\b)`

/** A name, a sign or word of comparison, and constants: `"ssn" = '…'`, `dob: 1985-07-04`, `phone in ('…', '…')`. */
const NAMED = new RegExp(
  String.raw`${NAME}\s{0,4}${SIGN}\s{0,4}\(?\s{0,4}(?<value>${LITERAL}(?:\s{0,4}(?:,|and)\s{0,4}${LITERAL})*)`,
  'giu',
)

/** `PASSWORD '…'` in CREATE ROLE, where no sign stands between. */
const PASSWORD = new RegExp(String.raw`\bpassword\s{1,4}(?<value>${LITERAL})`, 'giu')

/** Constants beside a name that says that they are sensitive. */
export const namedSpans = (text: string): readonly Span[] => [
  ...[...text.matchAll(NAMED)].flatMap((match) => {
    const dataClass = sensitiveClassOf(match.groups?.['name'] ?? '')
    return dataClass ? [spanOf(match, dataClass)] : []
  }),
  ...[...text.matchAll(PASSWORD)].map((match) => spanOf(match, 'password')),
]

/** Without the outermost quotes, so that the text still reads as SQL. */
const spanOf = (match: RegExpExecArray, dataClass: Span['class']): Span => {
  const value = match.groups?.['value'] ?? ''
  const end = match.index + match[0].length
  const opening = value.search(/'/)
  return value.endsWith("'")
    ? { start: end - value.length + opening + 1, end: end - 1, class: dataClass }
    : { start: end - value.length, end, class: dataClass }
}
