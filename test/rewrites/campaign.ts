import type { Principal, Target } from '@countersign/contracts'
import { compilePolicies, decide, defaultPolicies, type Decision } from '@countersign/policy'
import { SqlRefusedError, SqlSyntaxError, touchesOf, understand, type Facts } from '@countersign/sql'
import type { Client } from 'pg'
import { GuardedSession, type Judged } from '../corpus/guarded-session.ts'
import { classOf, GUARD } from '../corpus/shop.ts'
import type { Postgres } from '../corpus/postgres.ts'
import { loadCatalogue, SideConnection } from '../corpus/side-connection.ts'
import { respelled } from './spellings.ts'
import { OF_ANYTHING, OF_CHANGES, OF_QUERIES, type Wrapping } from './wrappings.ts'

/*
 * Statements of the corpora, rewritten in ways that keep what they do, judged with the real server and the shipped
 * policies: the verdict must not become more lenient, and what was masked must stay masked.
 */

export interface Weakened {
  readonly seed: number
  readonly how: string
  readonly original: string
  readonly rewritten: string
  readonly why: string
}

export interface Tally {
  tried: number
  /** Rewritten to something that the server takes. */
  judged: number
  readonly weakened: Weakened[]
}

interface Word {
  readonly severity: number
  readonly policies: string
  /** Sensitive columns of which values are returned. */
  readonly returned: ReadonlySet<string>
}

interface Original {
  readonly sql: string
  readonly kind: 'query' | 'change' | 'other'
  readonly word: Word
}

const SEVERITY: Readonly<Record<Decision['verdict'], number>> = { allow: 0, hold: 1, deny: 2 }
const DENIED: Word = { severity: 2, policies: 'refused', returned: new Set() }

export class Rewriting {
  private readonly session: GuardedSession
  private readonly client: Client
  private readonly clients: readonly Client[]
  private readonly policies = compilePolicies(defaultPolicies())
  private readonly originals: Original[] = []

  private constructor(session: GuardedSession, clients: readonly Client[]) {
    this.session = session
    const [client] = clients
    if (!client) throw new Error('no client')
    this.client = client
    this.clients = clients
  }

  static async over(
    server: Postgres,
    guard: { readonly principal: Principal; readonly target: Target },
    statements: readonly string[],
  ): Promise<Rewriting> {
    const clients = [await server.connect('shop'), await server.connect('shop'), await server.connect('shop', GUARD)]
    const [client, counter, side] = clients
    if (!client || !counter || !side) throw new Error('no client')
    const catalogue = await loadCatalogue(side)
    const session = new GuardedSession(client, await SideConnection.over(side), counter, catalogue, {
      ...guard,
      classOf,
    })
    const rewriting = new Rewriting(session, clients)
    for (const sql of statements) await rewriting.take(sql)
    return rewriting
  }

  get statements(): number {
    return this.originals.length
  }

  async close(): Promise<void> {
    for (const client of this.clients) await client.end()
  }

  /** One rewriting of one statement, both chosen by the seed. */
  async attempt(seed: number, tally: Tally): Promise<void> {
    const random = randomOf(seed)
    const original = this.originals[random(this.originals.length)]
    if (!original) return
    tally.tried += 1
    const { text, how, silent, last } = rewrite(original, random)
    const word = await this.wordOn(text, last)
    if (!word) return
    tally.judged += 1
    const why = weaknessOf(original.word, word, silent)
    if (why !== undefined) tally.weakened.push({ seed, how, original: original.sql, rewritten: text, why })
  }

  /**
   * Each statement made into a view, and into functions: what is made is judged, and what then runs. All are made
   * first, so that the schema is read once.
   */
  async asObjects(tally: Tally, every = 1): Promise<void> {
    const made: { original: Original; how: string; create: string; use: string }[] = []
    for (const [index, original] of this.originals.entries()) {
      if (index % every !== 0) continue
      for (const { how, create, use } of objectsOf(original, `made_${index}`)) {
        const isMade = await this.client.query(create).then(
          () => true,
          () => false,
        )
        if (isMade) made.push({ original, how, create, use })
      }
    }
    this.session.learn(await loadCatalogue(this.client))
    for (const { original, how, create, use } of made) {
      tally.tried += 1
      const [first, then] = [await this.wordOn(create, undefined), await this.wordOn(use, undefined)]
      if (!then) continue
      tally.judged += 1
      const word = { ...then, severity: Math.max(first?.severity ?? 0, then.severity) }
      const why = weaknessOf(original.word, word, how.startsWith('silent'))
      if (why !== undefined)
        tally.weakened.push({ seed: 0, how, original: original.sql, rewritten: `${create}; ${use}`, why })
    }
  }

  private async take(sql: string): Promise<void> {
    const kind = kindOf(sql)
    const word = kind && (await this.wordOn(sql, undefined))
    if (kind && word) this.originals.push({ sql, kind, word })
  }

  /** Undefined: the server does not take it, so nothing of it happens. */
  private async wordOn(text: string, last: string | undefined): Promise<Word | undefined> {
    try {
      return wordOf(last === undefined ? await this.session.judge(text) : await this.later(text, last), (judged) =>
        this.verdictOn(judged),
      )
    } catch (error) {
      if (error instanceof SqlSyntaxError) return undefined
      if (error instanceof SqlRefusedError) return DENIED
      throw error
    }
  }

  /** What is prepared or declared first, and runs then. The server may refuse it, and then there is nothing to run. */
  private async later(text: string, last: string): Promise<readonly Judged[]> {
    await this.client.query('BEGIN')
    try {
      // Each is judged, so the pair is what the stricter of the two says.
      const first = await this.session.judge(text)
      await this.session.run(text)
      return [...first, ...(await this.session.judge(last))]
    } catch (error) {
      if (error instanceof SqlRefusedError) throw error
      throw new SqlSyntaxError(error instanceof Error ? error.message : String(error), 0)
    } finally {
      await this.client.query('ROLLBACK; DEALLOCATE ALL')
    }
  }

  private verdictOn({ request }: Judged): Decision {
    return decide(this.policies, request)
  }
}

const kindOf = (sql: string): Original['kind'] | undefined => {
  try {
    const [command, ...more] = understand(sql).commands
    if (!command || more.length > 0 || sql.includes('$1')) return undefined
    if (command.node === 'SelectStmt') return command.creates.length > 0 ? 'other' : 'query'
    return CHANGES.has(command.node) ? 'change' : 'other'
  } catch (error) {
    if (error instanceof SqlSyntaxError || error instanceof SqlRefusedError) return undefined
    throw error
  }
}

const CHANGES = new Set(['InsertStmt', 'UpdateStmt', 'DeleteStmt', 'MergeStmt'])

const wordOf = (judged: readonly Judged[], verdictOn: (judged: Judged) => Decision): Word | undefined => {
  if (judged.some(({ facts }) => facts.fails !== undefined)) return undefined
  const decisions = judged.map(verdictOn)
  return {
    severity: Math.max(0, ...decisions.map(({ verdict }) => SEVERITY[verdict])),
    policies: decisions.flatMap(({ policies }) => policies).join(' '),
    returned: new Set(judged.flatMap(({ facts }) => sensitiveReturned(facts))),
  }
}

const sensitiveReturned = (facts: Facts): readonly string[] =>
  touchesOf(facts).flatMap(({ relation, column, how }) => {
    const name = `${relation}.${column ?? ''}`
    return how === 'returned' && classOf(name) !== 'clear' ? [name] : []
  })

const weaknessOf = (original: Word, word: Word, silent: boolean): string | undefined => {
  if (word.severity < original.severity) return `${original.policies} is ${word.policies}`
  // What is held gives nothing until it is countersigned.
  if (silent || word.severity > 0) return undefined
  const clear = [...original.returned].filter((column) => !word.returned.has(column))
  return clear.length > 0 ? `not masked any more: ${clear.join()}` : undefined
}

const objectsOf = (
  { sql, kind }: Original,
  name: string,
): readonly { readonly how: string; readonly create: string; readonly use: string }[] => {
  const q = sql.replace(/;\s*$/, '')
  const code = (how: string, returns: string, language: string, body: string) => ({
    how,
    create: `CREATE FUNCTION ${name}_${language}() RETURNS ${returns} LANGUAGE ${language} AS $made$ ${body} $made$`,
    use: `SELECT ${name}_${language}()`,
  })
  if (kind === 'change')
    return [code('silent: function', 'void', 'sql', q), code('silent: PL/pgSQL', 'void', 'plpgsql', `BEGIN ${q}; END`)]
  if (kind !== 'query') return []
  return [
    { how: 'view', create: `CREATE VIEW ${name} AS ${q}`, use: `SELECT s::text FROM ${name} s` },
    code('function', 'SETOF text', 'sql', `SELECT s::text FROM (${q}) s`),
    code('PL/pgSQL', 'SETOF text', 'plpgsql', `BEGIN RETURN QUERY SELECT s::text FROM (${q}) s; END`),
  ]
}

interface Rewritten {
  readonly text: string
  readonly how: string
  readonly silent: boolean
  /** What runs the text, where it only prepares. */
  readonly last: string | undefined
}

const LAST: Readonly<Record<string, string>> = {
  execute: 'EXECUTE made_of_it',
  fetch: 'FETCH ALL FROM made_of_it',
}

const rewrite = ({ sql, kind }: Original, random: (below: number) => number): Rewritten => {
  const used: Wrapping[] = []
  let text = sql.replace(/;\s*$/, '')
  const wrap = (wrapping: Wrapping | undefined) => {
    if (!wrapping) return
    used.push(wrapping)
    text = wrapping.wrap(text)
  }
  if (kind === 'change' && random(2) === 0) wrap(OF_CHANGES[random(OF_CHANGES.length)])
  if (kind === 'query') for (let left = random(4); left > 0; left--) wrap(OF_QUERIES[random(OF_QUERIES.length)])
  if (kind !== 'other') wrap(OF_ANYTHING[random(OF_ANYTHING.length)])
  const isSpelt = random(3) > 0
  const choices = Array.from({ length: 7 + random(16) }, () => random(1_000))
  const name = used.at(-1)?.name ?? ''
  return {
    text: isSpelt ? spelt(text, choices) : text,
    how: [...used.map((each) => each.name), ...(isSpelt ? ['spelling'] : [])].join(', '),
    silent: used.some((each) => each.silent),
    last: LAST[name],
  }
}

/** What is no token of the grammar is left as it is. */
const spelt = (text: string, choices: readonly number[]): string => {
  if (!/^[\x20-\x7e\s]*$/.test(text)) return text
  try {
    return respelled(text, choices)
  } catch (error) {
    if (error instanceof SqlSyntaxError || error instanceof SqlRefusedError) return text
    throw error
  }
}

/** The same seed, the same numbers (mulberry32). */
const randomOf = (seed: number): ((below: number) => number) => {
  let state = (seed * 2_654_435_761) >>> 0
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 4_294_967_296) * below)
  }
}
