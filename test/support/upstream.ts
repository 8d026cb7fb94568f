import { Client } from 'pg'
import { product } from './shared-product.ts'
import { until } from './until.ts'

/** Asks the demo database with no node in between. Rows as lists of values. */
export const upstream = async (sql: string): Promise<unknown[][]> => {
  const client = new Client(product.ready.upstream)
  await client.connect()
  try {
    return (await client.query({ text: sql, rowMode: 'array' })).rows as unknown[][]
  } finally {
    await client.end()
  }
}

/** What is made with no node in between, the node notices by looking: wait until it knows the columns. */
export const untilNodeSees = async (relation: string, columns: number): Promise<void> => {
  await until(async () => {
    const { body } = await product.api<{ columns: { column: string }[] }>('bo', 'catalogue')
    const known = JSON.stringify(body).split(`"public.${relation}.`).length - 1
    return known >= columns ? true : undefined
  }, 40_000)
}
