#!/usr/bin/env node
/*
 * The command as npm links it. It is here before anything is built, and runs the build with a Node.js that is new
 * enough: the one that npm brought, where this one is not.
 */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { constants } from 'node:os'
import { fileURLToPath } from 'node:url'
import { isNewEnough, runtime, SetupError } from '../../../scripts/toolchain.mjs'

const entry = new URL('../dist/main.js', import.meta.url)

const fail = (message) => {
  process.stderr.write(`countersign: ${message}\n`)
  process.exit(1)
}

const runElsewhere = () => {
  const child = spawn(runtime(), [fileURLToPath(entry), ...process.argv.slice(2)], { stdio: 'inherit' })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.once('error', (error) => fail(error.message))
  child.once('exit', (code, signal) => process.exit(code ?? 128 + constants.signals[signal]))
}

try {
  if (!existsSync(entry)) fail('it is not built yet: run npm start once, or npm run build')
  if (isNewEnough(process.version)) await import(entry.href)
  else runElsewhere()
} catch (error) {
  if (!(error instanceof SetupError)) throw error
  fail(error.message)
}
