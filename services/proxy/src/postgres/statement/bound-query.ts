import { formatAt } from '@countersign/pgwire'
import type { Client } from 'pg'
import { converse } from '../upstream/submit.ts'
import type { BoundParameters } from './judge.ts'

/**
 * The rows of a query of ours that uses the client's own parameters, of the types and in the formats that it gave
 * them. `numbers`: for each of the query's parameters the client's that it is. Undefined when the server refuses it.
 */
export const rowsWith = (
  client: Client,
  text: string,
  numbers: readonly number[],
  bound: BoundParameters | undefined,
): Promise<readonly (readonly (string | null)[])[] | undefined> => {
  const types = numbers.map((number) => bound?.types[number - 1] ?? 0)
  const values = numbers.map((number) => valueOf(bound, number))
  const rows: (readonly (string | null)[])[] = []
  return converse<readonly (readonly (string | null)[])[] | undefined>(client, {
    submit: (connection) => {
      connection.parse({ text, name: '', types })
      connection.bind({ portal: '', statement: '', values, binary: false, valueMapper: (value) => value })
      connection.execute({ portal: '', rows: 0 })
      connection.sync()
    },
    row: (fields) => void rows.push(fields.map((field) => (field === null ? null : String(field)))),
    failed: () => undefined,
    done: () => rows,
  })
}

/** `pg` sends a Buffer in binary format, and a string as text. */
const valueOf = (bound: BoundParameters | undefined, number: number): Buffer | string | null => {
  const value = bound?.values[number - 1] ?? null
  return value === null || formatAt(bound?.formats ?? [], number - 1) === 1 ? value : value.toString('utf8')
}
