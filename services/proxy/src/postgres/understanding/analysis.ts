import { setTimeout as sleep } from 'node:timers/promises'
import {
  ANALYSIS_PATH_QUERY,
  ANALYSIS_SETTINGS,
  ANALYSIS_TITLE,
  analysisPath,
  createTemporary,
  TEMPORARY,
  temporaryNumber,
  type TemporaryTable,
} from '@countersign/sql'
import type { UpstreamConfig } from '@countersign/platform'
import type { Client } from 'pg'
import type { Servers } from '../upstream/servers.ts'
import { SideConnection } from '../upstream/side-connection.ts'
import { converse } from '../upstream/submit.ts'
import type { ServerTree } from './parser-jobs.ts'

/**
 * Asks the server what it makes of a statement: it parses it, resolves its names and unfolds views and rules, and runs
 * nothing (libs/sql, `ANALYSIS_SETTINGS`).
 */
export class Analysis {
  readonly #side: SideConnection
  readonly #idleMs: number | undefined
  #asked = 0
  #idle: NodeJS.Timeout | undefined
  /** The connection that has the settings, and the search path that it has now. */
  #prepared: Client | undefined
  #path: string | undefined

  /** `idleMs`: the connection is given back when it has not been asked for so long. */
  constructor(config: UpstreamConfig, servers: Servers, idleMs?: number) {
    this.#side = new SideConnection(config, servers)
    this.#idleMs = idleMs
  }

  /**
   * Undefined when the server cannot be asked now, `locked` when something that the statement speaks of is locked.
   * `waiting`: told which process of the server waits for the lock, while it waits.
   */
  async treeOf(
    text: string,
    searchPath: readonly string[],
    parameterTypes: readonly number[],
    waiting?: (processId: number) => Promise<void>,
  ): Promise<ServerTree | 'locked'> {
    try {
      return await this.#run(async (client) => {
        if (!(await this.#prepare(client, searchPath))) return undefined
        const answer = analysed(client, text, parameterTypes)
        if (waiting) await tellWhileWaiting(client, answer, waiting)
        return answer
      })
    } catch (error) {
      return sqlstateOf(error) === LOCK_NOT_AVAILABLE ? 'locked' : undefined
    }
  }

  /** The same, taking the statement's names for tables like these. */
  async equippedTreeOf(
    text: string,
    searchPath: readonly string[],
    parameterTypes: readonly number[],
    temporary: readonly TemporaryTable[],
  ): Promise<ServerTree> {
    try {
      return await this.#run(async (client) => {
        const meant = await this.#prepare(client, searchPath)
        return meant ? await equipped(client, text, parameterTypes, temporary) : undefined
      })
    } catch {
      return undefined
    }
  }

  /** The server's numbers of these types; undefined when it does not know them all, or cannot be asked now. */
  async typesOf(names: readonly string[], searchPath: readonly string[]): Promise<readonly number[] | undefined> {
    try {
      return await this.#run(async (client) => {
        if (!(await this.#prepare(client, searchPath))) return undefined
        const { rows } = await client.query<[string | null]>({ text: TYPES_QUERY, values: [names], rowMode: 'array' })
        const numbers = rows.map(([oid]) => Number(oid))
        return numbers.length === names.length && numbers.every((oid) => oid > 0) ? numbers : undefined
      })
    } catch {
      return undefined
    }
  }

  close(): Promise<void> {
    clearTimeout(this.#idle)
    return this.#side.close()
  }

  async #run<T>(work: (client: Client) => Promise<T>): Promise<T> {
    clearTimeout(this.#idle)
    this.#asked += 1
    try {
      return await this.#side.run(work)
    } finally {
      this.#asked -= 1
      if (this.#asked === 0 && this.#idleMs !== undefined) {
        this.#idle = setTimeout(() => void this.#side.close(), this.#idleMs).unref()
      }
    }
  }

  /**
   * Resolves with whether names mean here what they mean to the client: the server passes over schemas of which our
   * role has no USAGE.
   */
  async #prepare(client: Client, searchPath: readonly string[]): Promise<boolean> {
    if (client !== this.#prepared) {
      for (const setting of ANALYSIS_SETTINGS) await client.query(setting)
      this.#prepared = client
      this.#path = undefined
    }
    const schemas = searchPath.filter((schema) => schema !== 'pg_catalog' || searchPath[0] !== schema)
    const path = analysisPath(schemas)
    if (path === this.#path) return true
    this.#path = undefined
    await client.query(path)
    const { rows } = await client.query<[string[]]>({ text: ANALYSIS_PATH_QUERY, rowMode: 'array' })
    const isPermanent = (schema: string) => !schema.startsWith(TEMPORARY)
    if (JSON.stringify(rows[0]?.[0].filter(isPermanent)) !== JSON.stringify(schemas.filter(isPermanent))) return false
    this.#path = path
    return true
  }
}

const TYPES_QUERY = `SELECT pg_catalog.to_regtype(name)::pg_catalog.oid
  FROM pg_catalog.unnest($1::pg_catalog.text[]) WITH ORDINALITY AS named (name, place) ORDER BY place`

/** Names that are not there or not clear: that the tables lack keys and defaults has nothing to do with it. */
const WHATEVER_KEYS = new Set(['42601', '42702', '42703', '42883', '42P01'])

const LOCK_NOT_AVAILABLE = '55P03'
/** A statement that is not locked is analysed by then. */
const WAITING_MS = 50

/** What `waiting` finds out matters only while the lock is waited for, so what goes wrong with it does not. */
const tellWhileWaiting = async (
  client: Client,
  answer: Promise<unknown>,
  waiting: (processId: number) => Promise<void>,
): Promise<void> => {
  const { processID } = client as unknown as { readonly processID: number }
  const answered = answer.then(
    () => true,
    () => true,
  )
  const late = sleep(WAITING_MS, false)
  if (!(await Promise.race([answered, late]))) await waiting(processID).catch(() => {})
}

const sqlstateOf = (error: unknown): unknown =>
  typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined

/**
 * What says nothing of the statement: locked or stopped meanwhile, out of something, about to end. Of class 55 the
 * rest is about the statement.
 */
const PASSING = /^(?:55P03|53...|57...|58...|XX...|08...|40...)$/

/** Among tables that are gone again afterwards. Without keys and rows, so that only a tree is believed of it. */
const equipped = async (
  client: Client,
  text: string,
  types: readonly number[],
  temporary: readonly TemporaryTable[],
): Promise<ServerTree> => {
  await client.query('BEGIN READ WRITE')
  try {
    const tables: (TemporaryTable & { readonly oid: number })[] = []
    for (const table of temporary) {
      await client.query(createTemporary(table))
      const { rows } = await client.query<[string]>({ text: temporaryNumber(table), rowMode: 'array' })
      tables.push({ ...table, oid: Number(rows[0]?.[0]) })
    }
    const tree = await analysed(client, text, types)
    if (!tree || 'tree' in tree) return tree && { ...tree, temporary: tables }
    return WHATEVER_KEYS.has(tree.sqlstate) ? { ...tree, equipped: true } : undefined
  } finally {
    await client.query('ROLLBACK')
  }
}

interface Notice {
  readonly message?: string | undefined
  readonly detail?: string | undefined
}

/** One Parse and one Sync; the tree comes as a notice before their answer. */
const analysed = async (client: Client, text: string, types: readonly number[]): Promise<ServerTree> => {
  let tree: string | undefined
  const noticed = ({ message, detail }: Notice) => {
    if (message === ANALYSIS_TITLE && detail !== undefined) tree = detail
  }
  client.on('notice', noticed)
  try {
    return await converse<ServerTree>(client, {
      submit: (connection) => {
        connection.parse({ text, name: '', types })
        connection.sync()
      },
      failed: (error) => {
        if (error.code?.length !== 5 || PASSING.test(error.code)) throw error
        return { sqlstate: error.code }
      },
      done: () => (tree === undefined ? undefined : { tree }),
    })
  } finally {
    client.off('notice', noticed)
  }
}
