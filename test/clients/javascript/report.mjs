/*
 * What a client saw, as the one JSON document that its spec reads. A section is a function of a side: the database
 * itself, or the node. The same code runs against both, and the spec compares.
 */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'

const { env } = process

export const STATEMENTS = JSON.parse(readFileSync(env.CLIENT_STATEMENTS, 'utf8'))

/** Drivers lie where they were installed for the tests, not in the repository's own node_modules. */
export const driver = (name) => createRequire(join(env.CLIENT_MODULES, 'package.json'))(name)

/** The name is written into rows, so that both sides can write to the same tables. */
const DIRECT = { name: 'direct', dsn: env.CLIENT_DIRECT }
const NODE = { name: 'node', dsn: env.CLIENT_NODE }
const CLEAR = { name: 'clear', dsn: env.CLIENT_CLEAR }
const SERVICE = { name: 'node', dsn: env.CLIENT_SERVICE }
export const AGENT = { name: 'agent', dsn: env.CLIENT_AGENT }
export const WRONG_TOKEN = { name: 'wrong token', dsn: env.CLIENT_WRONG_TOKEN }
export const WRONG_DATABASE = { name: 'wrong database', dsn: env.CLIENT_WRONG_DATABASE }

/** `loads` run as the service, because people may not load in bulk. */
export const report = async ({ about, compared, loads, clear, only }) => {
  const direct = await runAll({ ...compared, ...loads }, DIRECT)
  const node = { ...(await runAll(compared, NODE)), ...(await runAll(loads, SERVICE)) }
  const document = { about, direct, node, clear: await runAll(clear, CLEAR), only: await runAll(only) }
  process.stdout.write(JSON.stringify(document))
}

const runAll = async (sections, side) => {
  const outcomes = {}
  for (const [name, section] of Object.entries(sections)) {
    console.error(name, side?.name ?? '') // Where it is, should it hang.
    outcomes[name] = await runOne(section, side)
  }
  return outcomes
}

/** A section that throws is reported as failed, so that the others are still seen. */
const runOne = async (section, side) => {
  try {
    return { saw: await section(side) }
  } catch (error) {
    return { failed: String(error?.stack ?? error) }
  }
}

const LENGTH_MAX = 2_000

/** A value with the type that the driver gave it. */
export const tell = (value) => {
  if (value === null || value === undefined) return null
  if (typeof value !== 'object') return [typeof value, brief(String(value))]
  if (Array.isArray(value)) return ['Array', value.map(tell)]
  if (value instanceof Date) return ['Date', Number.isNaN(value.getTime()) ? 'invalid' : value.toISOString()]
  if (value instanceof Uint8Array) return ['bytes', brief(Buffer.from(value).toString('hex'))]
  const parts = Object.entries(value).map(([key, part]) => [key, tell(part)])
  return [value.constructor?.name ?? 'Object', Object.fromEntries(parts)]
}

export const tellRows = (rows) => rows.map((row) => row.map(tell))

const brief = (text) => (text.length <= LENGTH_MAX ? text : `${text.length} characters, ${digestOf(text)}`)

export const digestOf = (bytes) => createHash('sha256').update(bytes).digest('hex')

export const bytesTold = (chunks) => {
  const bytes = Buffer.concat(chunks)
  return { bytes: bytes.length, digest: digestOf(bytes) }
}

/** Many rows in few words. */
export class Tally {
  #rows = 0
  #hash = createHash('sha256')

  add(row) {
    this.#rows += 1
    this.#hash.update(JSON.stringify(row))
  }

  get told() {
    return { rows: this.#rows, digest: this.#hash.digest('hex') }
  }
}

/** What the server said when it refused; that it did not refuse is an error. `name`: what the driver calls a code. */
export const refusal = async (asked, fields) => {
  try {
    await asked
  } catch (error) {
    if (!/^[0-9A-Z]{5}$/.test(error.code ?? '')) throw error
    return fieldsOf(error, fields)
  }
  throw new Error('it was not refused')
}

export const fieldsOf = (said, fields) =>
  Object.fromEntries(
    Object.entries(fields).flatMap(([ours, theirs]) => (said[theirs] === undefined ? [] : [[ours, said[theirs]]])),
  )

/** A row's key names the side that it belongs to; that is our difference, not the node's. */
export const withoutSide = ({ detail, ...fields }) => ({
  ...fields,
  ...(detail !== undefined && { detail: detail.replace(/\b(node|direct)\b/, 'SIDE') }),
})

/**
 * An agent asks for what is dangerous, comes back until somebody has countersigned, and gets it once.
 * `run` runs it; `scalar` shows that the connection is still usable.
 */
export const once = async ({ run, scalar, fields }) => {
  const refused = await refusal(run(), fields)
  const usable = await scalar()
  const granted = await comeBack(run)
  const again = await refusal(run(), fields)
  return { refused: refused.sqlstate, detail: JSON.parse(refused.detail), usable, granted, again: again.sqlstate }
}

const PATIENCE_MS = 30_000

const comeBack = async (run) => {
  const deadline = Date.now() + PATIENCE_MS
  for (;;) {
    try {
      return await run()
    } catch (error) {
      if (error.code !== 'ZA001' || Date.now() > deadline) throw error
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
}
