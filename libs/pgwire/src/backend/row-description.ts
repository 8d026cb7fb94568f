import { Body, HEADER_BYTES } from '../body.ts'
import { BACKEND } from '../tags.ts'
import { cstring, int16, int32, message } from '../message.ts'

/*
 * RowDescription => 'T' length [column]
 *   column   => name relation attribute type size modifier format, counted by the Int16 before them
 *   name     => String
 *   relation => Int32 OID   (0: not a column of a relation)
 *   attribute => Int16      (0: not a column of a relation)
 *   type     => Int32 OID,  size => Int16, modifier => Int32, format => Int16 (0 text, 1 binary)
 */
export interface Column {
  readonly name: string
  readonly relation: number
  readonly attribute: number
  readonly type: number
  readonly modifier: number
  readonly format: number
}

export const readRowDescription = (bytes: Buffer, start: number, end: number): readonly Column[] => {
  const body = new Body(bytes, start + HEADER_BYTES, end)
  const columns = body.list(() => columnOf(body))
  body.end()
  return columns
}

const columnOf = (body: Body): Column => {
  const name = body.cstring()
  const relation = body.uint32()
  const attribute = body.int16()
  const type = body.uint32()
  body.int16()
  return { name, relation, attribute, type, modifier: body.int32(), format: body.int16() }
}

const TEXT_OID = 25

/** Describes columns of text that come from nowhere, for answers of our own. */
export const textColumns = (names: readonly string[]): Buffer =>
  message(
    BACKEND.rowDescription,
    int16(names.length),
    ...names.flatMap((name) => [cstring(name), int32(0), int16(0), int32(TEXT_OID), int16(-1), int32(-1), int16(0)]),
  )
