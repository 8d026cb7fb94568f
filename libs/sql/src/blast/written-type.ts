import type { TypeName } from 'libpg-query'
import { constantOf, stringsOf } from '../syntax-tree.ts'
import type { WrittenType } from './reach.ts'

/** With every name quoted, so that the server can look it up. What modifies it makes no other type of it. */
export const typeText = ({ names, arrayBounds = [] }: TypeName): string => {
  const quoted = stringsOf(names).map((name) => `"${name.replaceAll('"', '""')}"`)
  return `${quoted.join('.')}${arrayBounds.length > 0 ? '[]' : ''}`
}

export const writtenType = (type: TypeName | undefined): WrittenType | undefined => {
  if (!type) return undefined
  const modifiers = (type.typmods ?? []).map((node) => {
    const constant = constantOf(node)
    return constant?.kind === 'number' ? constant.value : Number.NaN
  })
  return { text: typeText(type), modifiers }
}
