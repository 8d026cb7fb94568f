/*
 * node --conditions=source libs/platform/scripts/write-config-schema.ts
 */
import { writeFileSync } from 'node:fs'
import { configJsonSchema } from '@countersign/platform'

const file = new URL('../../../deploy/countersign.schema.json', import.meta.url)

writeFileSync(file, `${JSON.stringify(configJsonSchema(), undefined, 2)}\n`)
