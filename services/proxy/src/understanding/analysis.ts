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
  /** The connection that has the settings, and the search path that it has now. */
  #prepared: Client | undefined
  #path: string | undefined

  constructor(config: UpstreamConfig, servers: Servers) {
    this.#side = new SideConnection(config, servers)
  }

  /** Undefined when the server cannot be asked now. `temporary`: tables that it is to take the statement's names for. */
  async treeOf(
    text: string,
    searchPath: readonly string[],
    parameterTypes: readonly number[],
    temporary: readonly TemporaryTable[] = [],
  ): Promise<ServerTree> {
    try {
      return await this.#side.run(async (client) => {
        const meant = await this.#prepare(client, searchPath)
        if (!meant) return undefined
        if (temporary.length === 0) return analysed(client, text, parameterTypes)
        return await equipped(client, text, parameterTypes, temporary)
      })
    } catch {
      return undefined
    }
  }

  /** The server's numbers of these types; undefined when it does not know them all, or cannot be asked now. */
  async typesOf(names: readonly string[], searchPath: readonly string[]): Promise<readonly number[] | undefined> {
    try {
      return await this.#side.run(async (client) => {
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
    return this.#side.close()
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
        if (error.code?.length !== 5) throw error
        return { sqlstate: error.code }
      },
      done: () => (tree === undefined ? undefined : { tree }),
    })
  } finally {
    client.off('notice', noticed)
  }
}
