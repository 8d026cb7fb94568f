import { keysIn } from './key-spans.ts'
import { redactText } from './redact-text.ts'

/** The fields of an ErrorResponse or NoticeResponse, by the names that the protocol's documentation gives them. */
export interface ServerMessage {
  readonly code?: string | undefined
  readonly message?: string | undefined
  readonly detail?: string | undefined
  readonly hint?: string | undefined
  readonly position?: string | undefined
  readonly internalQuery?: string | undefined
  readonly where?: string | undefined
  readonly schema?: string | undefined
  readonly table?: string | undefined
  readonly column?: string | undefined
  readonly dataType?: string | undefined
  readonly constraint?: string | undefined
  readonly routine?: string | undefined
}

export interface ServerMessageOptions {
  /**
   * The statement touches something sensitive: then whatever a value could stand in is removed, not only what is known.
   */
  readonly strict: boolean
  /** Names that may stay when they are quoted, such as those that the statement itself uses. */
  readonly known?: ReadonlySet<string>
}

const MASKED = '[masked]'

/**
 * A message of the server without sensitive values. They stand in it as quoted constants (`invalid input syntax for
 * type
 * integer: "…"`), as keys and rows of constraints, as lines of JSON, and wherever a function's author puts them.
 */
export const redactServerMessage = <M extends ServerMessage>(
  message: M,
  { strict, known }: ServerMessageOptions,
): M => {
  const redact =
    strict && !isAboutStatement(message) ? strictly(message, known) : (text: string) => redactText(text).text
  const redacted: Partial<Record<keyof ServerMessage, string>> = {}
  for (const field of ['message', 'detail', 'hint', 'where', 'internalQuery'] as const) {
    const text = message[field]
    if (text !== undefined) redacted[field] = redact(text, field)
  }
  return { ...message, ...redacted }
}

/**
 * A position in the statement shows that the server found fault with its text, before anything ran; casts to `regclass`
 * and the like complain with the same words and codes, but while running, and then there is no position.
 */
const isAboutStatement = ({ code = '', position }: ServerMessage): boolean =>
  position !== undefined && code.startsWith('42')

/** Text that a function's author wrote, or that came from another server: anything may stand anywhere in it. */
const FOREIGN_ROUTINES = /^(exec_stmt_(raise|assert)|dblink_|pgfdw_|plperl|PLy_|pltcl|throw_tcl)/

const strictly = (message: ServerMessage, known: ReadonlySet<string> = new Set()) => {
  const isForeign = FOREIGN_ROUTINES.test(message.routine ?? '') || message.code?.startsWith('P0') === true
  const { schema, table, column, dataType, constraint } = message
  const names = new Set([
    ...known,
    ...[schema, table, column, dataType, constraint].filter((name) => name !== undefined),
  ])
  return (text: string, field: string): string => {
    if (field === 'internalQuery' || (isForeign && field !== 'where')) return MASKED
    // Details of more than one line quote what was read: the line of an XML document, and an arrow below it.
    if (field === 'detail' && text.includes('\n')) return MASKED
    return redactText(
      text
        .split('\n')
        .map((line) => withoutValues(line, names))
        .join('\n'),
    ).text
  }
}

const withoutValues = (line: string, names: ReadonlySet<string>): string =>
  [withoutKeys, withoutRow, withoutJson, (text: string) => withoutQuoted(text, names), withoutNumbers].reduce(
    (text, remove) => remove(text),
    line,
  )

const withoutKeys = (line: string): string =>
  keysIn(line).reduceRight((text, { start, end }) => text.slice(0, start) + MASKED + text.slice(end), line)

const withoutRow = (line: string): string => line.replace(/(Failing row contains \().*/s, `$1${MASKED}).`)

const withoutJson = (line: string): string => line.replace(/(JSON data, line \d+: ).*/s, `$1${MASKED}`)

/** A constant after a colon goes to the last quote, because quotes inside it are not doubled. */
const withoutQuoted = (line: string, names: ReadonlySet<string>): string => {
  const colon = line.indexOf(': "')
  const last = line.lastIndexOf('"')
  const cut = colon >= 0 && last > colon + 2 ? `${line.slice(0, colon + 3)}${MASKED}${line.slice(last)}` : line
  return cut
    .replaceAll(/"([^"]*)"/g, (quoted, inner: string) =>
      inner === MASKED || names.has(inner) ? quoted : `"${MASKED}"`,
    )
    .replaceAll(/'(?:[^']|'')*'/g, `'${MASKED}'`)
}

/** So many digits are no line number and no count of columns. */
const withoutNumbers = (line: string): string => line.replaceAll(/\d(?:[.,:-]?\d){4,}/g, MASKED)
