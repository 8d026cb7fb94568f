// Writes src/shipped.ts from the schema and the policies, so that the library needs no file at run time.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const read = (file) => readFileSync(join(root, file), 'utf8')
const literal = (text) => `\`${text.replace(/[\\`]|\$\{/g, (special) => `\\${special}`)}\``
const policies = readdirSync(join(root, 'policies'))
  .filter((name) => name.endsWith('.cedar'))
  .sort()

const files = policies.map(
  (name) => `  {\n    name: '${name}',\n    text: ${literal(read(`policies/${name}`))},\n  },\n`,
)
writeFileSync(
  join(root, 'src/shipped.ts'),
  `// Made by scripts/embed.mjs from countersign.cedarschema and policies/: change those.

export const SCHEMA = ${literal(read('countersign.cedarschema'))}

export const SHIPPED: readonly { readonly name: string; readonly text: string }[] = [\n${files.join('')}]\n`,
)
