import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Connection } from 'mysql2/promise'
import { Principal, Target } from '@countersign/contracts'
import { compilePolicies, decide, defaultPolicies, requestFrom, type Count, type Decision } from '@countersign/policy'
import { SqlRefusedError, SqlSyntaxError, type Facts } from '@countersign/sql'
import {
  catalogueQueriesOfMysql,
  mysql,
  readMysqlCatalogue,
  type MysqlCatalogue,
  type MysqlCatalogueAnswers,
  type MysqlCommand,
  type MysqlSession,
} from '@countersign/sql-mysql'
import { startMariadb, type Mariadb } from './mariadb.ts'

/* The shop on a MariaDB server, and statements for it as a node would judge them. */

/** One statement of the corpus, with the verdict that is right for it (README.md). */
export interface MysqlCorpusRow {
  readonly id: string
  readonly sql: string
  readonly class: string
  readonly should: 'allow' | 'review' | 'deny'
  readonly why: string
  /** What MariaDB 10.11 answers, when that is an error. */
  readonly errno?: number
  /** What it really changed there. */
  readonly changed?: readonly string[]
}

const read = (file: string) => readFileSync(fileURLToPath(new URL(file, import.meta.url)), 'utf8')

export const mysqlCorpus: readonly MysqlCorpusRow[] = read('mysql.jsonl')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as MysqlCorpusRow)

export const mysqlEveryday: readonly string[] = read('mysql-everyday.sql')
  .split(/\n\s*\n/)
  .map((paragraph) => paragraph.replaceAll(/^-- .*$/gm, '').trim())
  .filter((statement) => statement !== '')

/** Its statements: `delimiter` is a word of MySQL's own client, which the server never sees. */
const schema = (): readonly string[] => {
  const [plain = '', programs = ''] = read('mysql-schema.sql').split('delimiter //\n')
  return [...plain.split(/;\n/), ...programs.split(/\/\/\n/)].map((one) => one.trim()).filter((one) => one !== '' && one !== 'delimiter ;')
}

export const makeShop = async (connection: Connection): Promise<void> => {
  for (const name of ['shop', 'sales', 'other']) await connection.query(`DROP DATABASE IF EXISTS ${name}`)
  for (const statement of schema()) await connection.query(statement)
  // What the server guesses of the number of rows, it guesses right then.
  await connection.query('ANALYZE TABLE customers, orders, payments, employees, sessions, carts, settings, events')
}

export const startMysqlShop = async (): Promise<Mariadb> => {
  const server = await startMariadb()
  const connection = await server.connect()
  await makeShop(connection)
  await connection.end()
  return server
}

export const rowsOf = async (connection: Connection, sql: string): Promise<readonly (readonly unknown[])[]> => {
  const [rows] = await connection.query({ sql, rowsAsArray: true })
  return Array.isArray(rows) ? rows.filter((row) => Array.isArray(row)) : []
}

export const loadMysqlCatalogue = async (connection: Connection): Promise<MysqlCatalogue> => {
  const answers: Record<string, readonly (readonly unknown[])[]> = {}
  for (const [name, sql] of Object.entries(catalogueQueriesOfMysql)) answers[name] = await rowsOf(connection, sql)
  return readMysqlCatalogue(answers as MysqlCatalogueAnswers)
}

const CLASSES: Readonly<Record<string, string>> = {
  'shop.customers.full_name': 'name',
  'shop.customers.email': 'email',
  'shop.customers.phone': 'phone',
  'shop.customers.ssn': 'person-id',
  'shop.customers.dob': 'birthday',
  'shop.customers.notes': 'text',
  'shop.customers.profile': 'text',
  'shop.payments.card_number': 'card',
  'shop.payments.iban': 'iban',
  'shop.employees.name': 'name',
  'shop.employees.salary': 'salary',
  'shop.employees.national_id': 'person-id',
  'shop.sessions.token': 'secret',
  'sales.leads.contact_email': 'email',
}
export const mysqlClassOf = (column: string): string => CLASSES[column] ?? 'clear'

export const ana = Principal.parse({ id: 'ana', kind: 'person', groups: ['developers'] })
export const copilot = Principal.parse({ id: 'copilot', kind: 'agent', onBehalfOf: 'ana', groups: ['agents'] })
const target = Target.parse({ environment: 'prod', database: 'shop' })
const policies = compilePolicies(defaultPolicies())
const SESSION: MysqlSession = { database: 'shop', temporary: [] }
const COUNT_LIMIT = 1_000

export interface Judged {
  readonly verdict: Decision['verdict']
  readonly because: string
  readonly facts: readonly Facts[]
}

/** As a node judges a text: each command by itself, and the worst answer is the answer. */
export class MysqlJudge {
  readonly #counter: Connection
  readonly #catalogue: MysqlCatalogue
  readonly #principal: Principal

  constructor(counter: Connection, catalogue: MysqlCatalogue, principal: Principal = ana) {
    this.#counter = counter
    this.#catalogue = catalogue
    this.#principal = principal
  }

  async judge(text: string): Promise<Judged> {
    const facts: Facts[] = []
    const decisions: Decision[] = []
    try {
      const { commands } = mysql.understand(text)
      for (const command of commands) {
        const its = mysql.judge(command, { catalogue: this.#catalogue, session: SESSION })
        facts.push(its)
        decisions.push(this.#decide(its, await this.#counts(command, its, text)))
      }
    } catch (error) {
      if (!(error instanceof SqlSyntaxError) && !(error instanceof SqlRefusedError)) throw error
      return { verdict: 'deny', because: error.code, facts }
    }
    const worst = ['deny', 'hold', 'allow'].map((verdict) => decisions.find((one) => one.verdict === verdict)).find((one) => one)
    return { verdict: worst?.verdict ?? 'allow', because: (worst?.policies ?? []).join(' '), facts }
  }

  #decide(facts: Facts, counts: readonly Count[]): Decision {
    const circumstances = { principal: this.#principal, target, transaction: 'idle', hour: 12, weekday: 1, minuteOfDay: 720 } as const
    return decide(policies, requestFrom(facts, circumstances, mysqlClassOf, counts))
  }

  async #counts(command: MysqlCommand, { countable }: Facts, text: string): Promise<readonly Count[]> {
    const counts: Count[] = []
    if (!countable) return counts
    for (const { index, sql, exact, parameters } of mysql.countQueries(command, text, COUNT_LIMIT)) {
      if (parameters.length > 0) continue
      await this.#counter.query('START TRANSACTION READ ONLY')
      const rows = await rowsOf(this.#counter, sql).catch(() => [])
      await this.#counter.query('ROLLBACK')
      const [row] = rows
      if (row) counts.push({ index, rows: Number(row[0]), exact })
    }
    return counts
  }
}
