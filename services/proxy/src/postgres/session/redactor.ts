import { redactServerMessage, redactText, type ServerMessage } from '@countersign/masking'
import type { RawFields } from '@countersign/pgwire'
import type { Redactor } from './server-side.ts'

/** The letters of the protocol, and what the fields that may carry values, or tell of them, are called. */
const NAMES = {
  C: 'code',
  M: 'message',
  D: 'detail',
  H: 'hint',
  P: 'position',
  q: 'internalQuery',
  W: 'where',
  s: 'schema',
  t: 'table',
  c: 'column',
  d: 'dataType',
  n: 'constraint',
  R: 'routine',
} as const satisfies Readonly<Record<string, keyof ServerMessage>>

type Letter = keyof typeof NAMES

/** Redacts nothing while `seesEverything`: then what would be redacted is shown to its client anyway. */
export const redactorUnless = (seesEverything: () => boolean): Redactor => ({
  text: (text) => (seesEverything() ? text : redactor.text(text)),
  fields: (fields, strict) => (seesEverything() ? fields : redactor.fields(fields, strict)),
})

/** Puts what the server says beside its results through libs/masking. */
export const redactor: Redactor = {
  text: (text) => redactText(text).text,
  fields: (fields, strict) => {
    const named = Object.fromEntries(
      Object.entries(NAMES).flatMap(([letter, name]) => {
        const value = fields.get(letter)
        return value === undefined ? [] : [[name, value]]
      }),
    ) as ServerMessage
    const redacted = redactServerMessage(named, { strict })
    const written: RawFields = new Map()
    for (const [letter, value] of fields) {
      const name = letter in NAMES ? NAMES[letter as Letter] : undefined
      written.set(letter, (name && redacted[name]) ?? value)
    }
    return written
  },
}
