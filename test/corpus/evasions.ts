import { readFileSync } from 'node:fs'
import { Principal, Target } from '@countersign/contracts'
import { compilePolicies, decide, defaultPolicies, type Decision } from '@countersign/policy'
import { SqlRefusedError, SqlSyntaxError, type Catalogue, type Facts } from '@countersign/sql'
import type { Client } from 'pg'
import type { CorpusRow } from './corpus.ts'
import { GuardedSession } from './guarded-session.ts'
import type { Binaries, Postgres } from './postgres.ts'
import { classOf, GUARD, startShop } from './shop.ts'
import { loadCatalogue, SideConnection } from './side-connection.ts'

/*
 * Statements that try to be taken for what they are not: each with what it really did, on servers of two versions
 * (`npm run effects -- --evasions` measures it anew), and the verdict that is right for it.
 */

export interface Evasion extends CorpusRow {
  /** What was another thing afterwards, by version; nothing where the server refused it. */
  readonly effects?: Readonly<Record<string, Effects>>
}

export interface Effects {
  /** Tables and sequences whose rows changed, and by how many. */
  readonly rows?: Readonly<Record<string, number | string>>
  readonly catalogue?: readonly string[]
  /** It took a transaction number. */
  readonly xid?: true
  readonly settings?: true
  readonly locks?: true
  readonly listens?: true
  readonly server?: true
  readonly sqlstate?: string
}

export const EVASIONS = new URL('./evasions.jsonl', import.meta.url)

export const evasions: readonly Evasion[] = readFileSync(EVASIONS, 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Evasion)

/** It changed something: `sqlstate` alone did not. */
export const hadEffect = (effects: Effects): boolean => Object.keys(effects).some((what) => what !== 'sqlstate')

export interface Evaded {
  readonly verdict: Decision['verdict']
  readonly policies: readonly string[]
  readonly readOnly: boolean
  /** The server refuses it before it runs. */
  readonly fails: boolean
}

const ana = Principal.parse({ id: 'ana', kind: 'person', groups: ['developers'] })
const target = Target.parse({ environment: 'prod', database: 'shop' })
const policies = compilePolicies(defaultPolicies())

/** The corpus's database with everything that the statements speak of. */
export const startEvasions = async (binaries: Binaries): Promise<Postgres> => {
  const server = await startShop(binaries)
  const shop = await server.connect('shop')
  await shop.query(readFileSync(new URL('./evasions.sql', import.meta.url), 'utf8'))
  await shop.query('ANALYZE victim, plain')
  // What was made last has run some of it.
  await shop.query("INSERT INTO victim SELECT g, 'n' || g FROM generate_series(1, 20) g ON CONFLICT DO NOTHING")
  await shop.end()
  return server
}

/** Its `setup` changes what others would see, so it needs a database of its own. */
export const needsOwn = ({ setup = [] }: Evasion): boolean => setup.some((text) => STRUCTURE.test(text))

const STRUCTURE = /^(CREATE (?!TEMP |DOMAIN pg_temp|FUNCTION pg_temp)|ALTER|DROP|INSERT)/

/** A client's session with what guards it, and the catalogue as it was before anything was set up. */
export class EvasionSession {
  readonly client: Client
  readonly #others: readonly Client[]
  readonly #session: GuardedSession
  readonly #catalogueOf: () => Promise<Catalogue>

  private constructor(client: Client, others: readonly Client[], session: GuardedSession, of: () => Promise<Catalogue>) {
    this.client = client
    this.#others = others
    this.#session = session
    this.#catalogueOf = of
  }

  static async in(server: Postgres, database: string, catalogue?: Catalogue): Promise<EvasionSession> {
    const client = await server.connect(database)
    const [counter, guard] = [await server.connect(database), await server.connect(database, GUARD)]
    const side = await SideConnection.over(guard)
    const of = () => loadCatalogue(guard)
    const known = catalogue ?? (await of())
    const session = new GuardedSession(client, side, counter, known, { principal: ana, target, classOf })
    return new EvasionSession(client, [counter, guard], session, of)
  }

  async setUp({ setup = [] }: Evasion): Promise<void> {
    for (const text of setup) {
      await this.#session.run(text)
      if (STRUCTURE.test(text)) this.#session.learn(await this.#catalogueOf())
    }
  }

  async judge({ sql }: Evasion): Promise<Evaded> {
    try {
      const judged = await this.#session.judge(sql)
      return evadedOf(
        judged.map(({ facts }) => facts),
        judged.map(({ request }) => decide(policies, request)),
      )
    } catch (error) {
      if (error instanceof SqlSyntaxError || error instanceof SqlRefusedError)
        return { verdict: 'deny', policies: [error.code], readOnly: false, fails: true }
      throw error
    }
  }

  async end(): Promise<void> {
    for (const one of [this.client, ...this.#others]) await one.end()
  }
}

const WORST: readonly Decision['verdict'][] = ['deny', 'hold', 'allow']

const evadedOf = (facts: readonly Facts[], decisions: readonly Decision[]): Evaded => ({
  verdict: WORST.find((each) => decisions.some(({ verdict }) => verdict === each)) ?? 'allow',
  policies: decisions.flatMap((decision) => decision.policies),
  readOnly: facts.length > 0 && facts.every(({ readOnly }) => readOnly),
  fails: facts.some(({ fails }) => fails !== undefined),
})
