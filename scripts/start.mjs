/*
 * npm start: installs, builds, and runs `countersign up` with the arguments given. For Node.js 20.19 and later, with
 * nothing installed.
 */
import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { join } from 'node:path'
import { prepare, ROOT, runtime, SetupError } from './toolchain.mjs'

const main = async () => {
  await prepare()
  const entry = join(ROOT, 'services', 'cli', 'dist', 'main.js')
  // The channel tells `up` when we are gone, however that came about.
  const up = spawn(runtime(), [entry, 'up', ...process.argv.slice(2)], {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => up.kill(signal))
  stopWithParent(up)
  up.once('error', (error) => fail(error))
  up.once('exit', (code, signal) => process.exit(code ?? 128 + constants.signals[signal]))
}

const POLL_MS = 500

/** Under `npm start`, npm is our parent. Killed in a way that it cannot pass on, it must not leave us behind. */
const stopWithParent = (up) => {
  if (process.env.npm_lifecycle_event !== 'start') return
  const parent = process.ppid
  setInterval(() => {
    if (process.ppid !== parent) up.kill('SIGTERM')
  }, POLL_MS).unref()
}

const fail = (error) => {
  process.stderr.write(`${error instanceof SetupError ? error.message : error.stack}\n`)
  process.exit(1)
}

main().catch(fail)
