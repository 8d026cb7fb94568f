import type { PolicyJson } from '@cedar-policy/cedar-wasm/nodejs'

/** Stands for all of them: a policy that hands the context on as a whole may look at any. */
export const EVERY_FACT = '*'

/** The attributes of the context that a policy looks at, from its conditions. */
export const contextFacts = ({ conditions }: Pick<PolicyJson, 'conditions'>): readonly string[] => [
  ...new Set(factsIn(conditions)),
]

const factsIn = (expression: unknown): readonly string[] => {
  if (Array.isArray(expression)) return expression.flatMap(factsIn)
  if (!isRecord(expression)) return []
  if (isContext(expression)) return [EVERY_FACT]
  const access = accessOf(expression)
  if (access) return access
  return Object.values(expression).flatMap(factsIn)
}

/** `context.rows` and `context has rows`. */
const accessOf = (expression: Record<string, unknown>): readonly string[] | undefined => {
  const access = expression['.'] ?? expression['has']
  if (!isRecord(access) || !isContext(access['left'])) return undefined
  const { attr } = access
  if (typeof attr === 'string') return [attr]
  return Array.isArray(attr) && typeof attr[0] === 'string' ? [attr[0]] : [EVERY_FACT]
}

const isContext = (value: unknown): boolean => isRecord(value) && value['Var'] === 'context'

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
