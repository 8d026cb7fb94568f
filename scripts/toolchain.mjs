/*
 * What `npm start` and `npm test` need before anything of ours can run: dependencies, a Node.js that is new enough,
 * a build. Plain JavaScript for Node.js 20.19, without dependencies, because nothing is installed yet.
 */
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)))
const MODULES = join(ROOT, 'node_modules')
const CACHE = join(ROOT, '.cache')

/** Said to people as it is; a stack would help nobody. */
export class SetupError extends Error {}

/** Installs and builds where that is needed. One at a time: two starts from one clone must not install over each other. */
export const prepare = async () => {
  const release = await takeTurn(join(CACHE, 'prepare.lock'))
  try {
    if (!isInstalled()) await install()
    await build()
  } finally {
    release()
  }
}

// ---- dependencies

const LOCK = join(ROOT, 'package-lock.json')
/** npm writes this last, so it is there only when an installation was completed. */
const INSTALLED = join(MODULES, '.package-lock.json')
const MARK = join(MODULES, '.countersign-lock')
const CLOCK_TOLERANCE_MS = 2_000

const isInstalled = () => {
  if (!existsSync(INSTALLED)) return false
  if (existsSync(MARK) && readFileSync(MARK, 'utf8') === lockDigest()) return true
  // Installed by hand: then what npm wrote is younger than the lock file.
  return statSync(INSTALLED).mtimeMs + CLOCK_TOLERANCE_MS >= statSync(LOCK).mtimeMs
}

const lockDigest = () => createHash('sha256').update(readFileSync(LOCK)).digest('hex')

const install = async () => {
  const [command, args] = npmCommand()
  const env = { ...process.env, PATH: pathWithoutModules() }
  await quietly('install dependencies', command, [...args, 'ci', '--no-fund', '--no-audit', '--loglevel=error'], env)
  writeFileSync(MARK, lockDigest())
}

/**
 * The npm that runs us, if it does, with a Node.js that the installation does not replace. `npm run` puts our own
 * node_modules first in PATH, and the binary there may be the very one that `npm ci` is about to delete.
 */
const npmCommand = () => {
  const script = process.env.npm_execpath
  if (!script || !existsSync(script)) return ['npm', []]
  return [process.execPath.startsWith(MODULES) ? 'node' : process.execPath, [script]]
}

const pathWithoutModules = () =>
  (process.env.PATH ?? '')
    .split(delimiter)
    .filter((folder) => !folder.startsWith(MODULES))
    .join(delimiter)

// ---- build

const build = () => quietly('build', runtime(), [join(MODULES, 'typescript', 'bin', 'tsc'), '-b'], process.env)

// ---- Node.js

const RUNTIME_MIN = [22, 18]

/** The Node.js that everything runs on: the one that npm brought, or the current one where that is new enough. */
export const runtime = () => {
  const ours = join(MODULES, `node-${process.platform}-${process.arch}`, 'bin', 'node')
  if (existsSync(ours) && isNewEnough(versionOf(ours))) return ours
  if (isNewEnough(process.version)) return process.execPath
  throw new SetupError(
    `Node.js ${RUNTIME_MIN.join('.')} or later is needed, this is ${process.version}, and npm has none for ` +
      `${process.platform}-${process.arch}: install Node.js 24`,
  )
}

/** It may be there and not run: on a system with another C library, say. */
const versionOf = (node) => spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout ?? ''

export const isNewEnough = (version) => {
  const [major = 0, minor = 0] = version.replace('v', '').split('.').map(Number)
  return major > RUNTIME_MIN[0] || (major === RUNTIME_MIN[0] && minor >= RUNTIME_MIN[1])
}

// ---- one at a time

const takeTurn = async (file) => {
  mkdirSync(dirname(file), { recursive: true })
  let told = false
  for (;;) {
    try {
      writeFileSync(file, String(process.pid), { flag: 'wx' })
      return () => rmSync(file, { force: true })
    } catch (error) {
      if (error.code !== 'EEXIST') throw error
    }
    const holder = holderOf(file)
    if (holder === undefined) rmSync(file, { force: true })
    else if (!told) process.stderr.write(`waiting for process ${holder}, which installs or builds\n`)
    told ||= holder !== undefined
    await sleep(200)
  }
}

const TURN_MAX_MS = 15 * 60_000

/** Undefined when nobody holds it any more: its process is gone, or its number was given to another, such as us. */
const holderOf = (file) => {
  try {
    const pid = Number(readFileSync(file, 'utf8'))
    const isOld = Date.now() - statSync(file).mtimeMs > TURN_MAX_MS
    return pid === process.pid || isOld || !isAlive(pid) ? undefined : pid
  } catch {
    return undefined
  }
}

const isAlive = (pid) => {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return error.code === 'EPERM'
  }
}

// ---- running things

/** Runs a program without showing what it says, unless it fails. Shows that time passes instead. */
const quietly = async (what, command, args, env) => {
  const progress = progressLine(what)
  const child = spawn(command, args, { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'pipe'] })
  const forward = (signal) => child.kill(signal)
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, forward)
  const said = []
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => said.push(chunk))
  const code = await new Promise((resolve) => {
    child.once('error', (error) => {
      said.push(Buffer.from(error.message))
      resolve(1)
    })
    child.once('close', (status, signal) => resolve(status ?? signal))
  })
  for (const signal of ['SIGINT', 'SIGTERM']) process.removeListener(signal, forward)
  progress.end()
  if (code === 0) return
  throw new SetupError(`${Buffer.concat(said).toString('utf8').trim()}\n\ncountersign could not ${what} (${code})`)
}

const progressLine = (what) => {
  const start = Date.now()
  const terminal = process.stderr.isTTY
  let shown = false
  const show = () => {
    const line = `countersign: ${what} … ${((Date.now() - start) / 1000).toFixed(0)} s`
    process.stderr.write(terminal ? `\r${line}` : `${line}\n`)
    shown = true
  }
  // What is done in a second needs no telling.
  const timers = [setTimeout(show, 1_000), setInterval(show, terminal ? 500 : 10_000)]
  return {
    end: () => {
      for (const timer of timers) clearTimeout(timer)
      if (!shown) return
      show()
      if (terminal) process.stderr.write('\n')
    },
  }
}
