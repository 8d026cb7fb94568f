import { Body, HEADER_BYTES } from '../body.ts'
import { BACKEND } from '../tags.ts'
import { cstring, message } from '../message.ts'

/*
 * ErrorResponse => 'E' length [field] 0        NoticeResponse => 'N' length [field] 0
 *   field => Byte1 code, String value
 */

/** The fields that we write and look at; others are kept by their letter. */
export interface NoticeFields {
  readonly severity: 'ERROR' | 'FATAL' | 'NOTICE' | 'WARNING'
  /** SQLSTATE, five characters. */
  readonly code: string
  readonly message: string
  readonly detail?: string | undefined
  readonly hint?: string | undefined
  /** Where in the client's text, counted in characters from 1. */
  readonly position?: number | undefined
  /** The server's routine that says so. */
  readonly routine?: string | undefined
}

export const errorResponse = (fields: NoticeFields): Buffer => message(BACKEND.errorResponse, ...partsOf(fields))

export const noticeResponse = (fields: NoticeFields): Buffer => message(BACKEND.noticeResponse, ...partsOf(fields))

const partsOf = ({ severity, code, message, detail, hint, position, routine }: NoticeFields): Buffer[] => {
  const fields: [string, string | undefined][] = [
    ['S', severity],
    ['V', severity],
    ['C', code],
    ['M', message],
    ['D', detail],
    ['H', hint],
    ['P', position?.toString()],
    ['R', routine],
  ]
  const given = fields.filter((field): field is [string, string] => field[1] !== undefined)
  return [...given.map(([letter, value]) => cstring(letter + value.replaceAll('\0', ''))), Buffer.from([0])]
}

/** Field letter to value, in the order in which they came. */
export type RawFields = Map<string, string>

/** Reads an ErrorResponse or a NoticeResponse. */
export const readNotice = (bytes: Buffer, start: number, end: number): RawFields => {
  const body = new Body(bytes, start + HEADER_BYTES, end)
  const fields: RawFields = new Map()
  for (let letter = body.byte(); letter !== 0; letter = body.byte()) {
    fields.set(String.fromCharCode(letter), body.cstring())
  }
  body.end()
  return fields
}

/** Writes fields back under the tag that they came with. */
export const writeNotice = (tag: number, fields: RawFields): Buffer =>
  message(
    tag,
    ...[...fields].flatMap(([letter, value]) => [Buffer.from(letter, 'latin1'), cstring(value)]),
    Buffer.from([0]),
  )
