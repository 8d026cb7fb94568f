import { readFileSync } from 'node:fs'
import { parseAst } from 'vitest/node'

/** What a file names of other packages: what it imports, and every text in it that may be the name of one. */
export interface Named {
  readonly imports: readonly string[]
  readonly texts: readonly string[]
}

/** By the parser that also builds the tests, so that what looks like an import in a text or a comment is none. */
export const namedIn = (file: string): Named => {
  const named = { imports: [] as string[], texts: [] as string[] }
  const lang = file.endsWith('ts') ? 'ts' : 'js'
  collect(parseAst(readFileSync(file, 'utf8'), { lang }), named)
  return named
}

interface Found {
  readonly imports: string[]
  readonly texts: string[]
}

const collect = (node: unknown, found: Found): void => {
  if (Array.isArray(node)) for (const each of node) collect(each, found)
  if (!isNode(node)) return
  const text = textOf(node)
  if (text !== undefined) found.texts.push(text)
  found.imports.push(...importsOf(node))
  for (const part of Object.values(node)) collect(part, found)
}

type Node = Readonly<Record<string, unknown>> & { readonly type: string }

const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string'

const IMPORTING = ['ImportDeclaration', 'ExportNamedDeclaration', 'ExportAllDeclaration', 'ImportExpression']

/** Also `require('x')`, `createRequire(…)('x')` and `….resolve('x')`. */
const importsOf = ({ type, source, callee, arguments: args }: Node): readonly string[] => {
  if (IMPORTING.includes(type)) return textsOf(source)
  if (type === 'CallExpression' && loads(callee)) return textsOf(Array.isArray(args) ? args[0] : undefined)
  return []
}

const loads = (callee: unknown): boolean => {
  if (!isNode(callee)) return false
  const { type, name, property, callee: inner } = callee
  if (type === 'Identifier') return name === 'require'
  if (type === 'MemberExpression') return isNode(property) && property['name'] === 'resolve'
  return type === 'CallExpression' && isNode(inner) && inner['name'] === 'createRequire'
}

const textsOf = (node: unknown): readonly string[] => {
  const text = isNode(node) && node.type === 'Literal' ? textOf(node) : undefined
  return text === undefined ? [] : [text]
}

/** A literal, or the beginning of a template up to its first value. */
const textOf = ({ type, value, quasis }: Node): string | undefined => {
  if (type === 'Literal' && typeof value === 'string') return value
  const [first] = type === 'TemplateLiteral' && Array.isArray(quasis) ? quasis : []
  // Null where a tag reads the raw text, and the escapes are none.
  const { cooked } = (first?.value ?? {}) as { readonly cooked?: string | null }
  return cooked ?? undefined
}

/** `pg` of `pg/lib/utils`, `@nestjs/common` of `@nestjs/common/x`; nothing of files and of Node.js. */
export const packageOf = (name: string): string | undefined =>
  /^(?:\.|\/|node:|file:)/.test(name) ? undefined : /^(?:@[^/]+\/)?[^/]+/.exec(name)?.[0]
