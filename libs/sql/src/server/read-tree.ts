import { TreeError } from '../sql-error.ts'

/*
 * The server's query tree in the form that PostgreSQL itself writes and reads (nodeToString, outfuncs.c), the same
 * for versions 13 to 18 but for the fields of each node:
 *
 *   node   => '{' label (':' field value)* '}'
 *   list   => '(' value* ')'        its first word tells lists of numbers (i, o, x) and sets (b) from others
 *   value  => node | list | string | word | '<>' | length '[' byte* ']'
 *   string => '"' … '"'             a backslash keeps the next character from meaning anything
 *   word   => characters up to white space, a parenthesis or a brace, with the same backslash
 *
 * Names that users chose stand in it as words. A word may begin with a colon, so a field has exactly one value and
 * nothing is ever guessed from how the next word looks.
 */

export interface TreeNode {
  readonly tag: string
  readonly fields: Readonly<Record<string, TreeValue>>
}

export type TreeValue = TreeNode | readonly TreeValue[] | string | null

/** Deeper than any statement that the parser lets through, and still within a small stack. */
const DEPTH_MAX = 1_500

/**
 * The server breaks the text of a notice into lines of 78 bytes, at a space, which it drops; only where there is none
 * it breaks anywhere. With words shorter than this there always is one, so a line feed is always a space.
 */
const WORD_LENGTH_MAX = 70
/** No character takes more than three bytes for each of its codes. */
const WORD_LENGTH_SURE = 23

export const readTree = (text: string): readonly TreeNode[] => {
  const reader = new Reader(text.replaceAll('\n', ' '))
  const value = reader.value(0)
  reader.end()
  const nodes = isList(value) ? value : [value]
  if (!nodes.every(isNode)) throw new TreeError('TREE_UNEXPECTED', 'query tree is not a list of nodes')
  return nodes
}

export const isNode = (value: TreeValue | undefined): value is TreeNode =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

export const isList = (value: TreeValue | undefined): value is readonly TreeValue[] => Array.isArray(value)

const SPACE = 0x20
const TAB = 0x09
const BACKSLASH = 0x5c

/** Whatever ends a word, by its code: it is asked for each character of a tree. */
const ENDS_WORD = Uint8Array.from({ length: 128 }, (_, code) => (' \t(){}'.includes(String.fromCharCode(code)) ? 1 : 0))

class Reader {
  private readonly text: string
  private at = 0

  constructor(text: string) {
    this.text = text
  }

  value(depth: number): TreeValue {
    if (depth > DEPTH_MAX) throw new TreeError('TREE_TOO_DEEP', `query tree is nested deeper than ${DEPTH_MAX} levels`)
    this.space()
    const char = this.text[this.at]
    if (char === '{') return this.node(depth)
    if (char === '(') return this.list(depth)
    if (char === '"') return this.quoted()
    return this.bytes(this.word())
  }

  end(): void {
    this.space()
    if (this.at < this.text.length) throw this.malformed('the end')
  }

  private node(depth: number): TreeNode {
    this.at += 1
    const tag = this.word() ?? ''
    const fields: Record<string, TreeValue> = {}
    for (this.space(); this.text[this.at] !== '}'; this.space()) {
      if (this.text[this.at] !== ':') throw this.malformed('a field')
      this.at += 1
      const field = this.word() ?? ''
      fields[field] = this.value(depth + 1)
    }
    this.at += 1
    return { tag, fields }
  }

  private list(depth: number): readonly TreeValue[] {
    this.at += 1
    const items: TreeValue[] = []
    for (this.space(); this.text[this.at] !== ')'; this.space()) {
      if (this.at >= this.text.length) throw this.malformed('the end of a list')
      items.push(this.value(depth + 1))
    }
    this.at += 1
    return items
  }

  private quoted(): string {
    const start = this.at
    let value = ''
    for (this.at += 1; this.text[this.at] !== '"'; this.at += 1) {
      if (this.text[this.at] === '\\') this.at += 1
      if (this.at >= this.text.length) throw this.malformed('the end of a string')
      value += this.text[this.at]
    }
    this.at += 1
    this.checkLength(start)
    return value
  }

  private word(): string | null {
    const start = this.at
    let hasEscapes = false
    for (; this.at < this.text.length; this.at += 1) {
      const code = this.text.charCodeAt(this.at)
      if (code < 128 && ENDS_WORD[code] === 1) break
      if (code !== BACKSLASH) continue
      hasEscapes = true
      this.at += 1
    }
    this.at = Math.min(this.at, this.text.length)
    if (this.at === start) throw this.malformed('a word')
    this.checkLength(start)
    const word = this.text.slice(start, this.at)
    if (hasEscapes) return word.replaceAll(/\\(.?)/gs, '$1')
    return word === '<>' ? null : word
  }

  /** The value of a constant: its length and its bytes. They are skipped: nobody here needs to know them. */
  private bytes(word: string | null): string | null {
    this.space()
    if (this.text[this.at] !== '[') return word
    const end = this.text.indexOf(']', this.at)
    if (end < 0) throw this.malformed('the end of a constant')
    this.at = end + 1
    return word
  }

  private checkLength(start: number): void {
    if (this.at - start <= WORD_LENGTH_SURE) return
    if (this.at - start <= WORD_LENGTH_MAX && Buffer.byteLength(this.text.slice(start, this.at)) <= WORD_LENGTH_MAX)
      return
    throw new TreeError('TREE_AMBIGUOUS', 'query tree holds a name that is too long to be told from a broken line')
  }

  private space(): void {
    for (;;) {
      const code = this.text.charCodeAt(this.at)
      if (code !== SPACE && code !== TAB) return
      this.at += 1
    }
  }

  private malformed(expected: string): TreeError {
    return new TreeError('TREE_MALFORMED', `query tree is malformed at character ${this.at}: expected ${expected}`)
  }
}
