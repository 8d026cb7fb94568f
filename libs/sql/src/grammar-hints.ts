/** What the server says beside the grammar's message, which is all that this build of the grammar hands over. */
export interface GrammarHint {
  readonly sqlstate?: string
  readonly detail?: string
  readonly hint?: string
}

/*
 * The few messages of gram.y, scan.l and parser.c that come with more than their position, or under another code than
 * that of a syntax error.
 */
const HINTS: readonly (readonly [message: RegExp, GrammarHint])[] = [
  [/^missing argument$/, { hint: 'Use NONE to denote the missing argument of a unary operator.' }],
  [/^unrecognized row security option "/, { hint: 'Only PERMISSIVE or RESTRICTIVE policies are supported currently.' }],
  [
    /^invalid publication object list$/,
    { detail: 'One of TABLE or TABLES IN SCHEMA must be specified before a standalone table or schema name.' },
  ],
  [/^LIMIT #,# syntax is not supported$/, { hint: 'Use separate LIMIT and OFFSET clauses.' }],
  [
    /^UNENCRYPTED PASSWORD is no longer supported$/,
    { sqlstate: '0A000', hint: 'Remove UNENCRYPTED to store the password in encrypted form instead.' },
  ],
  [/^RECHECK is no longer required$/, { sqlstate: '0A000', hint: 'Update your data type.' }],
  [
    /^unsafe use of \\' in a string literal$/,
    { sqlstate: '22P06', hint: "Use '' to write quotes in strings. \\' is insecure in client-only encodings." },
  ],
]

const BAD_ESCAPE = 'invalid Unicode escape'
const IN_ESCAPE_STRING: GrammarHint = {
  sqlstate: '22025',
  hint: String.raw`Unicode escapes must be \uXXXX or \UXXXXXXXX.`,
}
const IN_UNICODE_STRING: GrammarHint = { hint: String.raw`Unicode escapes must be \XXXX or \+XXXXXX.` }

/** `position`: characters before the place in the text. */
export const grammarHint = (message: string, text: string, position: number): GrammarHint => {
  if (message === BAD_ESCAPE) return isInEscapeString(text, position) ? IN_ESCAPE_STRING : IN_UNICODE_STRING
  return HINTS.find(([pattern]) => pattern.test(message))?.[1] ?? {}
}

/** The error stands within its literal: what begins last before it is that one. */
const isInEscapeString = (text: string, position: number): boolean => {
  const begun = text.slice(0, position)
  return begun.search(/E'(?!.*U&['"])/is) >= 0 && begun.search(/U&['"](?!.*E')/is) < 0
}
