import { z } from 'zod'
import { Config } from './config-schema.ts'

/** JSON Schema of countersign.yaml, for editors: what one writes, so what has a default may be left out. */
export const configJsonSchema = (): Readonly<Record<string, unknown>> => {
  const { $schema, ...schema } = z.toJSONSchema(Config, { io: 'input' })
  return { $schema, $id: 'urn:countersign:config', title: 'countersign.yaml', ...schema }
}
