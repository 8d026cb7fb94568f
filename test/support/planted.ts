import { Client } from 'pg'
import type { Product } from './product.ts'

let known: readonly string[] | undefined

/** Sensitive values that stand in the demo's customers, read with no node in between. */
export const plantedValues = async (product: Product): Promise<readonly string[]> => {
  known ??= await readPlanted(product)
  return known
}

const readPlanted = async (product: Product): Promise<readonly string[]> => {
  const client = new Client(product.ready.upstream)
  await client.connect()
  try {
    const { rows } = await client.query<Record<string, string | null>>(
      'select email, ssn, phone, street, reverse(ssn) as backwards from customers order by id limit 300',
    )
    const values = rows.flatMap((row) => Object.values(row))
    return [...new Set(values.filter((value): value is string => value !== null && value.length > 6))]
  } finally {
    await client.end()
  }
}
