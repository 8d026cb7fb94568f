import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Connection } from 'mysql2/promise'
import type { Mariadb } from './mariadb.ts'
import { makeShop, rowsOf } from './mysql-shop.ts'

/* What a statement really does: everything that the server has, before and after. */

/** Where the server keeps who may do what. */
const RIGHTS = ['global_priv', 'tables_priv', 'roles_mapping']

/** Names of what is there, each with a digest of what it holds. */
export type Snapshot = ReadonlyMap<string, string>

const SYSTEM_TABLES = ['global_priv', 'db', 'tables_priv', 'columns_priv', 'procs_priv', 'roles_mapping', 'servers', 'event', 'func', 'proc', 'plugin']

export const snapshotOf = async (connection: Connection, data: string): Promise<Snapshot> => {
  const tables = await rowsOf(
    connection,
    "SELECT TABLE_SCHEMA, TABLE_NAME FROM information_schema.TABLES WHERE TABLE_TYPE = 'BASE TABLE' AND TABLE_SCHEMA NOT IN ('mysql', 'information_schema', 'performance_schema', 'sys') ORDER BY 1, 2",
  )
  const names = [
    ...tables.map(([schema, name]) => `\`${String(schema)}\`.\`${String(name)}\``),
    ...SYSTEM_TABLES.map((name) => `mysql.${name}`),
  ]
  const sums = await rowsOf(connection, `CHECKSUM TABLE ${names.join(', ')}`)
  const globals = await rowsOf(connection, 'SHOW GLOBAL VARIABLES')
  return new Map([
    ...sums.map(([name, sum]): [string, string] => [String(name), String(sum)]),
    ['catalogue', definitionsIn(data)],
    ['globals', JSON.stringify(globals.filter(([name]) => !/^gtid|^timestamp$/.test(String(name))))],
  ])
}

/** Each file in which the server keeps what a table, a view or a trigger is, with its content. */
const definitionsIn = (data: string): string => {
  const hash = createHash('sha256')
  for (const { name, parentPath } of readdirSync(data, { recursive: true, withFileTypes: true })) {
    const isDefinition = /\.(frm|par|TRG|TRN|opt)$/.test(name) && !/\/(mysql|performance_schema|sys)$/.test(parentPath)
    if (isDefinition) hash.update(name).update(readFileSync(join(parentPath, name)))
  }
  return hash.digest('hex')
}

export const changedBetween = (before: Snapshot, after: Snapshot): readonly string[] =>
  [...new Set([...before.keys(), ...after.keys()])].filter((name) => before.get(name) !== after.get(name)).sort()

export interface Effect {
  readonly errno?: number
  readonly changed: readonly string[]
}

/** Runs statements one by one, each on the shop as it was made, in a session of its own. */
export class Effects {
  readonly #server: Mariadb
  readonly #admin: Connection
  #base: Snapshot

  private constructor(server: Mariadb, admin: Connection, base: Snapshot) {
    this.#server = server
    this.#admin = admin
    this.#base = base
  }

  static async on(server: Mariadb): Promise<Effects> {
    const admin = await server.connect()
    await admin.query('CREATE DATABASE IF NOT EXISTS saved')
    for (const name of RIGHTS) await admin.query(`CREATE TABLE saved.${name} AS SELECT * FROM mysql.${name}`)
    return new Effects(server, admin, await snapshotOf(admin, server.data))
  }

  async of(sql: string): Promise<Effect> {
    const session = await this.#server.connect('shop')
    await session.query('START TRANSACTION')
    const errno = await errnoOf(session, sql)
    const changed = changedBetween(this.#base, await this.#seenBy(session))
    await session.query('ROLLBACK').catch(() => undefined)
    session.destroy()
    await this.#restore(changed)
    return { ...(errno === undefined ? {} : { errno }), changed }
  }

  /** By the session itself, before its transaction is undone; unless it can see nothing any more, as behind LOCK TABLES. */
  async #seenBy(session: Connection): Promise<Snapshot> {
    const seen = await snapshotOf(session, this.#server.data).catch(() => undefined)
    if (seen && ![...seen.values()].includes('null')) return seen
    await session.end()
    return snapshotOf(this.#admin, this.#server.data)
  }

  /** What the end of the session has not undone, is made anew. */
  async #restore(changed: readonly string[]): Promise<void> {
    if (changed.length === 0) return
    const left = changedBetween(this.#base, await snapshotOf(this.#admin, this.#server.data))
    if (left.length > 0) await this.#rebuild()
  }

  async #rebuild(): Promise<void> {
    for (const name of RIGHTS) {
      await this.#admin.query(`DELETE FROM mysql.${name}`)
      await this.#admin.query(`INSERT INTO mysql.${name} SELECT * FROM saved.${name}`)
    }
    await this.#admin.query('DELETE FROM mysql.servers')
    await this.#admin.query('FLUSH PRIVILEGES')
    await makeShop(this.#admin)
    this.#base = await snapshotOf(this.#admin, this.#server.data)
  }

  close(): Promise<void> {
    return this.#admin.end()
  }
}

const errnoOf = async (session: Connection, sql: string): Promise<number | undefined> => {
  try {
    await session.query(sql)
    return undefined
  } catch (error) {
    return error instanceof Error && 'errno' in error ? Number(error.errno) : 0
  }
}
