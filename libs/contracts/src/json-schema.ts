import { z } from 'zod'
import { Commit } from './commit.ts'
import { contractsOf, type Contract } from './contract.ts'
import { FAMILIES } from './families.ts'
import type { Topic } from './topics.ts'

export type JsonSchema = Readonly<Record<string, unknown>>

/**
 * JSON Schema (draft 2020-12) for outsiders, by name: `<type>@<version>` for each event as it lies in a record, those of
 * long ago included, and `commit@1` for the record around them. A schema accepts what our own reader accepts, so fields
 * that it does not name are allowed.
 */
export const jsonSchemas = (): ReadonlyMap<string, JsonSchema> =>
  new Map([
    ['commit@1', { ...headOf('commit@1'), ...bodyOf(Commit) }],
    ...[...FAMILIES].flatMap(([topic, family]) =>
      contractsOf(family).map((contract) => [nameOf(contract), eventSchema(topic, contract)] as const),
    ),
  ])

const eventSchema = (topic: Topic, contract: Contract): JsonSchema => {
  const { description, ...data } = bodyOf(contract.schema)
  return {
    ...headOf(nameOf(contract)),
    ...(description !== undefined && { description }),
    $comment: `Lies in ${topic}.`,
    type: 'object',
    properties: { type: { const: contract.type }, version: { const: contract.version }, data },
    required: ['type', 'version', 'data'],
  }
}

const nameOf = ({ type, version }: Contract) => `${type}@${version}`

const headOf = (name: string): JsonSchema => ({
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  $id: `urn:countersign:${name}`,
  title: name,
})

const bodyOf = (schema: z.ZodType): JsonSchema => {
  const { $schema: _, ...body } = z.toJSONSchema(schema, { io: 'input' })
  return body
}
