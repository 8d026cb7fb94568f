import { readFileSync } from 'node:fs'

/*
 * What differs between two results of one test, and the list of what may: differences.md, read by people and by this.
 */

/** One test that may give another result through a node, and why. */
export interface Explained {
  readonly test: string
  readonly why: string
  /** It depends on what else happens at the moment: it need not be there. */
  readonly sometimes: boolean
  /** Lines of the server's own result (`-`) and of the node's (`+`). */
  readonly lines: readonly string[]
}

/**
 * The file is Markdown: a heading for each test, `sometimes` in brackets behind it where that holds, the reason, and
 * the lines themselves in a `diff` block.
 */
export const readExplained = (file: URL): readonly Explained[] =>
  readFileSync(file, 'utf8')
    .split(/^## /m)
    .slice(1)
    .map((section) => {
      const [heading = '', ...rest] = section.split('\n')
      const text = rest.join('\n')
      const [why = '', block = ''] = text.split('```diff\n')
      return {
        test: heading.replace(/ \(sometimes\)$/, '').trim(),
        why: why.trim(),
        sometimes: heading.endsWith('(sometimes)'),
        lines:
          block
            .split('\n```')[0]
            ?.split('\n')
            .filter((line) => line !== '') ?? [],
      }
    })

/** The lines that only one of the two has, in order, with a sign in front; what both have is left out. */
export const differenceOf = (direct: string, through: string): readonly string[] => {
  const [before, after] = [direct.split('\n'), through.split('\n')]
  const start = commonPrefix(before, after)
  const end = commonPrefix(before.slice(start).toReversed(), after.slice(start).toReversed())
  return diff(before.slice(start, before.length - end), after.slice(start, after.length - end))
}

const commonPrefix = (a: readonly string[], b: readonly string[]): number => {
  let length = 0
  while (length < a.length && length < b.length && a[length] === b[length]) length++
  return length
}

/** By the longest common subsequence; what is longer than this is not looked at line by line. */
const LINES_MAX = 4_000

const diff = (a: readonly string[], b: readonly string[]): readonly string[] => {
  if (a.length > LINES_MAX || b.length > LINES_MAX) {
    return [...a.map((line) => `-${line}`), ...b.map((line) => `+${line}`)]
  }
  const width = b.length + 1
  const common = new Uint32Array((a.length + 1) * width)
  const at = (i: number, j: number) => common[i * width + j] ?? 0
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      common[i * width + j] = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1))
    }
  }
  const lines: string[] = []
  for (let i = 0, j = 0; i < a.length || j < b.length;) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      i++
      j++
    } else if (i < a.length && (j >= b.length || at(i + 1, j) >= at(i, j + 1))) lines.push(`-${a[i++]}`)
    else lines.push(`+${b[j++]}`)
  }
  return lines
}
