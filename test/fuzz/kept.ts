import { existsSync, readFileSync } from 'node:fs'

/**
 * A conversation that has found something once. What happens is kept and not only the seed, because a seed says
 * something else as soon as the generator is another one.
 */
export interface Kept<Plan> {
  readonly because: string
  readonly seed: number
  readonly plan: Plan
}

/** Bytes as text: readable where they are printable. */
const BYTES = 'bytes:'

export const keep = (kept: Kept<unknown>): string =>
  JSON.stringify(kept, (_, value: unknown) =>
    isBufferJson(value) ? BYTES + Buffer.from(value.data).toString('latin1') : value,
  )

const isBufferJson = (value: unknown): value is { readonly data: readonly number[] } =>
  typeof value === 'object' && value !== null && 'type' in value && value.type === 'Buffer' && 'data' in value

/** `corpus/<target>.jsonl`: one conversation a line. */
export const keptOf = <Plan>(target: string): readonly Kept<Plan>[] => {
  const file = new URL(`corpus/${target}.jsonl`, import.meta.url)
  if (!existsSync(file)) return []
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line, revived) as Kept<Plan>)
}

const revived = (_: string, value: unknown): unknown =>
  typeof value === 'string' && value.startsWith(BYTES) ? Buffer.from(value.slice(BYTES.length), 'latin1') : value
