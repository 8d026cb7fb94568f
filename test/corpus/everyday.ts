import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Binaries, Postgres } from './postgres.ts'
import { startPostgres } from './postgres.ts'
import { GUARD } from './shop.ts'

/*
 * What ORMs, tools and analysts send all day, against everyday/schema.sql. Each file says where its statements come
 * from: made by the tool itself, or written as it sends them.
 */

const folder = join(dirname(fileURLToPath(import.meta.url)), 'everyday')

export interface EverydayStatement {
  readonly tool: string
  readonly sql: string
}

export const everydayStatements: readonly EverydayStatement[] = readdirSync(folder)
  .filter((file) => file.endsWith('.sql') && file !== 'schema.sql')
  .flatMap((file) => paragraphsOf(readFileSync(join(folder, file), 'utf8')).map((sql) => ({ tool: file.slice(0, -4), sql })))

/** A paragraph each; a comment of its own is none. */
function paragraphsOf(text: string): readonly string[] {
  return text
    .split(/\n\s*\n/)
    .map((paragraph) => paragraph.replaceAll(/^--.*$/gm, '').trim())
    .filter((statement) => statement !== '')
}

export const everydaySchema: string = readFileSync(join(folder, 'schema.sql'), 'utf8')

/** Its database, `app`, on a new server. */
export const startEveryday = async (binaries: Binaries): Promise<Postgres> => {
  const server = await startPostgres(binaries)
  const admin = await server.connect('postgres')
  await admin.query('CREATE DATABASE app')
  await admin.query(`CREATE ROLE ${GUARD} LOGIN`)
  await admin.end()
  const app = await server.connect('app')
  await app.query(everydaySchema)
  await app.end()
  return server
}

/** What an application's columns hold. */
const CLASSES: Readonly<Record<string, string>> = {
  'public.users.email': 'email',
  'public.users.name': 'person-name',
  'public.users.profile': 'free-text',
  'public.comments.body': 'free-text',
}

export const everydayClassOf = (column: string): string => CLASSES[column] ?? 'clear'
