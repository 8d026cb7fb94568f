#!/usr/bin/env node
import { runCommandLine } from './command-line.ts'

const stopping = new AbortController()
const stop = () => stopping.abort()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop)
if (process.channel) process.once('disconnect', stop)

// A reader that has seen enough, such as `head`, closes the pipe: that is no failure.
process.stdout.on('error', () => process.exit(0))

process.exitCode = await runCommandLine(process.argv.slice(2), {
  out: (line) => process.stdout.write(`${line}\n`),
  err: (line) => process.stderr.write(`${line}\n`),
  env: process.env,
  cwd: process.cwd(),
  now: () => new Date(),
  stopping: stopping.signal,
})

// Handles that libraries leave open must not keep a finished command alive; what was written is written first.
process.stdout.write('', () => process.exit())
