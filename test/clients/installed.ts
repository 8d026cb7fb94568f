import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { run, type RunOptions } from '../support/run.ts'

const CACHE = fileURLToPath(new URL('../../.cache/clients/', import.meta.url))

/**
 * The folder under `.cache/clients` in which a client's driver lies, after `install` has put it there. That is done
 * once for each content of `pins`, the files that name what is installed; one that was interrupted is done again.
 */
export const installed = async (
  client: string,
  pins: readonly string[],
  install: (folder: string) => Promise<void>,
): Promise<string> => {
  const folder = join(CACHE, client)
  const mark = join(folder, 'installed')
  const digest = digestOf(pins)
  if (existsSync(mark) && readFileSync(mark, 'utf8') === digest) return folder
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  await install(folder)
  writeFileSync(mark, digest)
  return folder
}

const digestOf = (files: readonly string[]): string =>
  files.reduce((hash, file) => hash.update(readFileSync(file)), createHash('sha256')).digest('hex')

/** Runs a step of an installation. When it fails, the error holds what it said and what would help. */
export const step = async (
  remedy: string,
  program: string,
  args: readonly string[],
  options?: RunOptions,
): Promise<void> => {
  const { status, stdout, stderr } = await run(program, args, options).catch((error: Error) => {
    throw new Error(`${error.message}: ${remedy}`)
  })
  if (status === 0) return
  throw new Error(`${program} ${args.join(' ')} ended with ${status}: ${remedy}\n${stdout}${stderr}`)
}
