/*
 * node --conditions=source libs/contracts/scripts/write-schemas.ts
 *
 * Writes schema/<name>.json for every contract, and removes what no contract stands behind any more.
 */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { jsonSchemas } from '@countersign/contracts'

const folder = fileURLToPath(new URL('../schema/', import.meta.url))

mkdirSync(folder, { recursive: true })
for (const file of readdirSync(folder)) rmSync(folder + file)
for (const [name, schema] of jsonSchemas()) {
  writeFileSync(`${folder}${name}.json`, `${JSON.stringify(schema, undefined, 2)}\n`)
}
