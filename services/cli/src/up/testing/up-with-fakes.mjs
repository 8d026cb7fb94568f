/* The built `countersign up`, with fake services in the place of ours. */
import { fileURLToPath } from 'node:url'
import { runUpCommand } from '../../../dist/up/up-command.js'

const stopping = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => stopping.abort())
const fake = (name) => fileURLToPath(new URL(`./fake-${name}.mjs`, import.meta.url))

const io = {
  out: (line) => process.stdout.write(`${line}\n`),
  err: (line) => process.stderr.write(`${line}\n`),
  env: process.env,
  cwd: process.cwd(),
  now: () => new Date(),
  stopping: stopping.signal,
}
const entries = { proxy: fake('proxy'), control: fake('control'), audit: fake('audit') }

process.exitCode = await runUpCommand(process.argv.slice(2), io, entries).catch((error) => {
  io.err(`countersign: ${error.message}`)
  return 1
})
