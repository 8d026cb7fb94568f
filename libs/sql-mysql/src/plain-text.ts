import type { Token } from './lexer.ts'

/*
 * A statement in plain words, for the parsers: our tokens, printed so that no parser can read them in another way.
 * Strings have become `'s0'`, `'s1'` …; unusual names `cs0`, `cs1` …; and what changes neither tables nor columns nor rows
 * (index hints, priorities, partitions, locks) is left out, because each parser knows another part of it.
 */

export interface PlainText {
  /** For sqlparser-ts, and for node-sql-parser, which knows less. */
  readonly primary: string
  readonly second: string
  readonly tokens: readonly Token[]
  /** `FOR UPDATE`, `LOCK IN SHARE MODE` and the like stood in it. */
  readonly locks: boolean
  /** `INTO @x` stood in it. */
  readonly intoVariables: boolean
  /** What the made up names and strings stand for. */
  readonly meant: ReadonlyMap<string, Token>
}

export const plainText = (tokens: readonly Token[]): PlainText => {
  const locks = withoutLocks(tokens)
  const into = withoutVariables(locks.kept)
  const kept = TRIMMED.reduce((left, trim) => trim(left), into.kept)
  const meant = new Map<string, Token>()
  const prefix = madeUpPrefix(tokens)
  const printed = kept.map((token, index) => print(token, index, kept, meant, prefix))
  const places = new Map(kept.map((token, at) => [token, at]))
  const second = forSecond(kept).map((token) => printed[places.get(token) ?? -1] ?? token.text)
  return {
    primary: printed.join(' '),
    second: tight(second.join(' ')),
    tokens: kept,
    locks: locks.found,
    intoVariables: into.found,
    meant,
  }
}

/** Made up names begin like no name of the text. */
const madeUpPrefix = (tokens: readonly Token[]): string => {
  let prefix = 'cs'
  while (tokens.some(({ text }) => text.toLowerCase().startsWith(prefix))) prefix += 's'
  return prefix
}

const PLAIN_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/

const print = (
  token: Token,
  index: number,
  all: readonly Token[],
  meant: Map<string, Token>,
  prefix: string,
): string => {
  const { kind, text, word } = token
  const [last, next] = [all[index - 1], all[index + 1]]
  const madeUp = `${prefix}${index}`
  const remember = (written: string): string => {
    meant.set(madeUp, token)
    return written
  }
  if (kind === 'string' || kind === 'bits') return remember(`'${madeUp}'`)
  if (kind === 'variable') return remember(`@${madeUp}`)
  if (kind === 'quoted') return PLAIN_NAME.test(text) ? `\`${text}\`` : remember(`\`${madeUp}\``)
  if (kind === 'word' && (last?.text === '.' || !PLAIN_NAME.test(text))) {
    return PLAIN_NAME.test(text) ? `\`${text}\`` : remember(`\`${madeUp}\``)
  }
  if (text === '&&' && kind === 'sign') return 'AND'
  if (text === '||' && kind === 'sign') return 'OR'
  if (text === '!' && kind === 'sign') return '~'
  if (word === 'MOD' && next?.text !== '(') return '%'
  return kind === 'word' && OTHER_WORDS[word] ? OTHER_WORDS[word] : text
}

const OTHER_WORDS: Readonly<Record<string, string>> = {
  DISTINCTROW: 'DISTINCT',
  STRAIGHT_JOIN: 'JOIN',
  RLIKE: 'REGEXP',
}

/** node-sql-parser wants names and calls without white space inside. */
const tight = (text: string): string =>
  text
    .replaceAll(' . ', '.')
    .replaceAll(
      /\b(?!IN\b|VALUES\b|AND\b|OR\b|NOT\b|AS\b|ON\b|USING\b|KEY\b|FROM\b|WHERE\b|SELECT\b|JOIN\b|EXISTS\b|UNION\b|ALL\b|INTO\b|OVER\b|ANY\b|SOME\b|WHEN\b|THEN\b|ELSE\b|BY\b|VALUE\b|AGAINST\b|MATCH\b)(\w+) \(/gi,
      '$1(',
    )

type Trim = (tokens: readonly Token[]) => readonly Token[]

const SELECT_WORDS = new Set([
  'SQL_CALC_FOUND_ROWS',
  'SQL_NO_CACHE',
  'SQL_SMALL_RESULT',
  'SQL_BIG_RESULT',
  'SQL_BUFFER_RESULT',
  'HIGH_PRIORITY',
  'STRAIGHT_JOIN',
])
const CHANGE_WORDS = new Set(['LOW_PRIORITY', 'DELAYED', 'QUICK', 'HIGH_PRIORITY'])
const CHANGES = new Set(['INSERT', 'UPDATE', 'DELETE', 'REPLACE'])

/** `SELECT SQL_NO_CACHE …`, `UPDATE LOW_PRIORITY IGNORE …` */
const withoutPriorities: Trim = (tokens) => {
  let verb = ''
  return tokens.filter(({ word }) => {
    if (word === 'SELECT' || CHANGES.has(word)) verb = word
    else if (verb === 'SELECT' && (word === 'ALL' || word === 'DISTINCT')) return true
    else if (verb === 'SELECT' && SELECT_WORDS.has(word)) return false
    else if (CHANGES.has(verb) && CHANGE_WORDS.has(word)) return false
    else if ((verb === 'UPDATE' || verb === 'DELETE') && word === 'IGNORE') return false
    else verb = ''
    return true
  })
}

const closing = (tokens: readonly Token[], open: number): number => {
  let depth = 0
  for (let at = open; at < tokens.length; at++) {
    if (tokens[at]?.text === '(' && tokens[at]?.kind === 'sign') depth += 1
    else if (tokens[at]?.text === ')' && tokens[at]?.kind === 'sign') depth -= 1
    if (depth === 0) return at
  }
  return tokens.length
}

const isSign = (token: Token | undefined, sign: string): boolean => token?.kind === 'sign' && token.text === sign

/** Leaves out what `endOf` finds: it gives the place behind it, or undefined where nothing begins. */
const without =
  (endOf: (tokens: readonly Token[], at: number) => number | undefined): Trim =>
  (tokens) => {
    const kept: Token[] = []
    for (let at = 0; at < tokens.length;) {
      const end = endOf(tokens, at)
      const token = tokens[at]
      if (end === undefined && token) kept.push(token)
      at = end ?? at + 1
    }
    return kept
  }

const INDEX_HINTS = new Set(['USE', 'FORCE', 'IGNORE'])
const INDEX_FOR = new Set(['FOR', 'JOIN', 'ORDER', 'GROUP', 'BY'])

/** `USE INDEX FOR ORDER BY (a, b)` */
const withoutIndexHints = without((tokens, at) => {
  if (!INDEX_HINTS.has(tokens[at]?.word ?? '') || !/^(INDEX|KEY)$/.test(tokens[at + 1]?.word ?? '')) return undefined
  let next = at + 2
  while (INDEX_FOR.has(tokens[next]?.word ?? '')) next += 1
  return isSign(tokens[next], '(') ? closing(tokens, next) + 1 : undefined
})

/** `t PARTITION (p0, p1)`; a window's `PARTITION BY` stays. */
const withoutPartitions = without((tokens, at) =>
  tokens[at]?.word === 'PARTITION' && isSign(tokens[at + 1], '(') && onlyNames(tokens, at + 2, closing(tokens, at + 1))
    ? closing(tokens, at + 1) + 1
    : undefined,
)

const onlyNames = (tokens: readonly Token[], from: number, to: number): boolean =>
  tokens.slice(from, to).every(({ kind, text }) => kind === 'word' || kind === 'quoted' || text === ',')

const withoutRollup = without((tokens, at) =>
  tokens[at]?.word === 'WITH' && tokens[at + 1]?.word === 'ROLLUP' ? at + 2 : undefined,
)

const QUERY_BEGINS = new Set(['UNION', 'ALL', 'DISTINCT', 'EXCEPT', 'INTERSECT'])
const word = (text: string, { start, end }: Token): Token => ({ kind: 'word', text, word: text, start, end })

/** `TABLE t` is `SELECT * FROM t`. */
const withoutTable: Trim = (tokens) =>
  tokens.flatMap((token, at) => {
    const last = tokens[at - 1]
    const begins = last === undefined || isSign(last, '(') || QUERY_BEGINS.has(last.word)
    if (token.word !== 'TABLE' || !begins) return [token]
    return [word('SELECT', token), { ...token, kind: 'sign', text: '*', word: '' }, word('FROM', token)]
  })

/** `UPDATE a, b SET …` is `UPDATE a JOIN b SET …`. */
const withoutCommas: Trim = (tokens) => {
  let isBetween = false
  let depth = 0
  return tokens.map((token) => {
    if (isSign(token, '(')) depth += 1
    if (isSign(token, ')')) depth -= 1
    if (depth === 0 && token.word === 'UPDATE') isBetween = true
    if (depth === 0 && token.word === 'SET') isBetween = false
    return isBetween && depth === 0 && isSign(token, ',') ? word('JOIN', token) : token
  })
}

/** `a SOUNDS LIKE b` compares as well, and so does `!a` tell of `a`. */
const withoutSounds = without((tokens, at) =>
  tokens[at]?.word === 'SOUNDS' && tokens[at + 1]?.word === 'LIKE' ? at + 1 : undefined,
)

const TRIMMED: readonly Trim[] = [
  withoutPriorities,
  withoutIndexHints,
  withoutPartitions,
  withoutRollup,
  withoutTable,
  withoutCommas,
  withoutSounds,
]

interface Cut {
  readonly kept: readonly Token[]
  readonly found: boolean
}

const cut = (tokens: readonly Token[], trim: Trim): Cut => {
  const kept = trim(tokens)
  return { kept, found: kept.length < tokens.length }
}

const withoutLocks = (tokens: readonly Token[]): Cut => cut(tokens, without(endOfLock))

const endOfLock = (tokens: readonly Token[], at: number): number | undefined => {
  const words = tokens.slice(at, at + 4).map(({ word }) => word)
  if (words.join(' ') === 'LOCK IN SHARE MODE') return endOfWaiting(tokens, at + 4)
  if (words[0] !== 'FOR' || !/^(UPDATE|SHARE)$/.test(words[1] ?? '')) return undefined
  let next = at + 2
  if (tokens[next]?.word === 'OF') {
    next += 2
    while (isSign(tokens[next], ',')) next += 2
  }
  return endOfWaiting(tokens, next)
}

const endOfWaiting = (tokens: readonly Token[], at: number): number => {
  const [first, second] = [tokens[at], tokens[at + 1]]
  if (first?.word === 'NOWAIT') return at + 1
  if (first?.word === 'SKIP' && second?.word === 'LOCKED') return at + 2
  return first?.word === 'WAIT' && second?.kind === 'number' ? at + 2 : at
}

/** `INTO @a, @b` */
const withoutVariables = (tokens: readonly Token[]): Cut => cut(tokens, without(endOfVariables))

const endOfVariables = (tokens: readonly Token[], at: number): number | undefined => {
  if (tokens[at]?.word !== 'INTO' || tokens[at + 1]?.kind !== 'variable') return undefined
  let next = at + 2
  while (isSign(tokens[next], ',') && tokens[next + 1]?.kind === 'variable') next += 2
  return next
}

const CUTTING = new Set(['SUBSTRING', 'SUBSTR', 'MID'])

/** What node-sql-parser does not know, and what takes no table away from its list. */
const forSecond = (tokens: readonly Token[]): readonly Token[] => {
  const returning = tokens.findIndex(({ word }) => word === 'RETURNING')
  const known = returning < 0 ? tokens : tokens.slice(0, returning)
  return [withoutNatural, withCommas, asSelect, withoutUsing, shortLists, shortRows].reduce(
    (left, trim) => trim(left),
    known,
  )
}

/** `VALUES (1, 2), (3, 4)` uses what `SELECT (1, 2), (3, 4)` uses; and `a <=> b` what `a = b` does. */
const asSelect: Trim = (tokens) =>
  tokens.map((token, at) => {
    const last = tokens[at - 1]
    const begins = last === undefined || isSign(last, '(') || QUERY_BEGINS.has(last.word)
    if (isSign(token, '<=>')) return { ...token, text: '=' }
    if (token.word === 'DEFAULT' && !isSign(tokens[at + 1], '(')) return word('NULL', token)
    return token.word === 'VALUES' && begins ? word('SELECT', token) : token
  })

const isConstant = (token: Token | undefined): boolean =>
  token !== undefined && (['number', 'string', 'bits', 'parameter'].includes(token.kind) || token.word === 'NULL')

/** Where the rows or lists of nothing but constants end that begin here; undefined when none does. */
const endOfRow = (tokens: readonly Token[], at: number): number | undefined => {
  if (!isSign(tokens[at], '(') || !isConstant(tokens[at + 1])) return undefined
  let next = at + 2
  while (isSign(tokens[next], ',') && isConstant(tokens[next + 1])) next += 2
  return isSign(tokens[next], ')') ? next + 1 : undefined
}

/** `IN (1, 2, 3)` names no more tables than `IN (1)` does, and takes the second parser much longer. */
const shortLists: Trim = (tokens) => {
  const kept: Token[] = []
  for (let at = 0; at < tokens.length; at++) {
    const token = tokens[at]
    const end = token?.word === 'IN' ? endOfRow(tokens, at + 1) : undefined
    if (token) kept.push(token)
    if (end === undefined) continue
    kept.push(...tokens.slice(at + 1, at + 3), ...tokens.slice(end - 1, end))
    at = end - 1
  }
  return kept
}

/** `VALUES (1, 2), (3, 4)` likewise. */
const shortRows: Trim = (tokens) => {
  const kept: Token[] = []
  let endOfLast = -1
  for (let at = 0; at < tokens.length; at++) {
    const token = tokens[at]
    const isMore = at === endOfLast && isSign(token, ',')
    const end = endOfRow(tokens, isMore ? at + 1 : at)
    if (token && !(isMore && end !== undefined)) kept.push(token)
    if (end === undefined) continue
    if (!isMore) kept.push(...tokens.slice(at + 1, end))
    at = end - 1
    endOfLast = end
  }
  return kept
}

/** `DELETE FROM a USING b JOIN c …` is `DELETE a FROM b JOIN c …`. */
const withoutUsing: Trim = (tokens) => {
  const verb = tokens.findIndex(({ word }) => word === 'DELETE')
  const using = tokens.findIndex(({ word }, at) => word === 'USING' && !isSign(tokens[at + 1], '('))
  if (verb < 0 || using < 0 || tokens[verb + 1]?.word !== 'FROM') return tokens
  return tokens.flatMap((token, at) => (at === verb + 1 ? [] : [at === using ? word('FROM', token) : token]))
}

const withoutNatural = without((tokens, at) => (tokens[at]?.word === 'NATURAL' ? at + 1 : undefined))

/** `SUBSTRING(a FROM 1 FOR 2)` */
const withCommas: Trim = (tokens) => {
  const inside = new Set<number>()
  tokens.forEach(({ word }, at) => {
    if (!CUTTING.has(word) || !isSign(tokens[at + 1], '(')) return
    let depth = 0
    for (let next = at + 1; next < closing(tokens, at + 1); next++) {
      if (isSign(tokens[next], '(')) depth += 1
      if (isSign(tokens[next], ')')) depth -= 1
      if (depth === 1 && /^(FROM|FOR)$/.test(tokens[next]?.word ?? '')) inside.add(next)
    }
  })
  return tokens.map((token, at) => (inside.has(at) ? { ...token, kind: 'sign', text: ',', word: '' } : token))
}
