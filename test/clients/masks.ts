import { expect } from 'vitest'
import type { Cell, Table } from './saw.ts'

/** Columns that must not leave as they are, by the names of the masked statements in statements.json. */
const SENSITIVE: Readonly<Record<string, readonly string[]>> = {
  customers: ['first_name', 'last_name', 'email', 'phone', 'ssn', 'date_of_birth', 'street', 'postal_code', 'profile'],
  accounts: ['email', 'display_name', 'phone', 'password_hash', 'last_login_ip'],
  employees: ['full_name', 'work_email', 'mobile', 'bank_account', 'tax_ref'],
  patients: ['mrn', 'full_name', 'date_of_birth', 'insurance_id', 'diagnosis_code', 'diagnosis', 'physician'],
  payments: ['cardholder', 'card_number', 'iban'],
  'other types': [
    'ssn',
    'card_number',
    'date_of_birth',
    'birth_date',
    'email_addresses',
    'phone_numbers',
    'last_login_ip',
    'contact',
    'iban',
    'home_address',
  ],
  lists: ['email_addresses', 'birth_dates'],
  computed: ['lowered', 'start', 'next_day', 'contact', 'from_row'],
  parameters: ['email'],
}

/** Free text may hold a sensitive value or not; what is certain is checked by the values themselves. */
const MIXED = ['notes', 'remarks']

/** A part of a JSON document is masked as a whole, so it may become a string. It must still be JSON. */
const RESHAPED = ['computed.contact']

/** Every masked value is of the type that the driver gives the raw one, and is not the raw one; all else is the same. */
export const expectMasked = (statement: string, direct: Table, node: Table): void => {
  expect(node.columns).toEqual(direct.columns)
  expect(node.rows).toHaveLength(direct.rows.length)
  const seen = new Set<string>()
  for (const [at, row] of direct.rows.entries()) {
    for (const [column, name] of direct.columns.entries()) {
      const raw = row[column] ?? null
      const masked = node.rows[at]?.[column] ?? null
      const place = `${statement}, row ${at + 1}, ${name}`
      if (MIXED.includes(name)) continue
      if (raw === null || !SENSITIVE[statement]?.includes(name)) expect(masked, place).toEqual(raw)
      else {
        seen.add(name)
        expect(masked, `${place} was masked`).not.toEqual(raw)
        if (!RESHAPED.includes(`${statement}.${name}`))
          expect(shapeOf(masked), `type of ${place}`).toEqual(shapeOf(raw))
      }
    }
  }
  expect([...seen].sort(), 'there was something to mask').toEqual([...(SENSITIVE[statement] ?? [])].sort())
}

/** Types only: of a document those of its parts too, of a list that it is one. */
const shapeOf = (cell: Cell): unknown => {
  if (cell === null) return null
  const [type, value] = cell
  if (typeof value === 'string' || Array.isArray(value)) return type
  return [type, Object.fromEntries(Object.entries(value).map(([key, part]) => [key, shapeOf(part)]))]
}

/** Raw values, long enough not to be found by accident, that stood in sensitive columns. */
export const rawValues = (statement: string, direct: Table): readonly string[] =>
  direct.rows.flatMap((row) =>
    direct.columns.flatMap((name, column) =>
      SENSITIVE[statement]?.includes(name) ? textsIn(row[column] ?? null, name) : [],
    ),
  )

const LENGTH_MIN = 7

/** Of a document only what is personal by its form: its preferences may be seen. */
const textsIn = (cell: Cell, column: string): readonly string[] => {
  if (cell === null) return []
  const [, value] = cell
  if (typeof value === 'string') return isRaw(value, column) ? [value] : []
  return Object.values(value).flatMap((part) => textsIn(part, column))
}

const isRaw = (text: string, column: string): boolean =>
  text.length >= LENGTH_MIN && (!['profile', 'contact'].includes(column) || /@|\+\d/.test(text))
