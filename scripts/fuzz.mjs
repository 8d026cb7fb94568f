/*
 * npm run fuzz [-- --conversations N --seed N --only codec|session|listener|live|rewrites]: installs and builds where that is
 * needed, then tries so many conversations on each target, one target after the other. `--replay SEED` with --only
 * plays one of them again. Ends with 1 when something that must hold did not.
 */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { prepare, ROOT, runtime } from './toolchain.mjs'

/** What of a million is tried on each: a conversation with a real server takes a hundred times as long. */
const TARGETS = {
  codec: { main: 'test/fuzz/codec/main.ts', share: 0.7 },
  session: { main: 'services/proxy/src/postgres/fuzz/session-main.ts', share: 0.2 },
  listener: { main: 'services/proxy/src/postgres/fuzz/listener-main.ts', share: 0.05 },
  live: { main: 'test/fuzz/live/main.ts', share: 0.05 },
  rewrites: { main: 'test/rewrites/main.ts', share: 0.01 },
}

const { values } = parseArgs({
  options: {
    conversations: { type: 'string', default: '20000' },
    seed: { type: 'string', default: '1' },
    seconds: { type: 'string' },
    only: { type: 'string' },
    replay: { type: 'string' },
  },
})

await prepare()
const chosen = Object.entries(TARGETS).filter(([name]) => values.only === undefined || name === values.only)
if (chosen.length === 0) throw new Error(`--only ${values.only}: there are ${Object.keys(TARGETS).join(', ')}`)
const statuses = chosen.map(([, { main, share }]) => {
  const conversations = Math.ceil(Number(values.conversations) * (values.only === undefined ? share : 1))
  const args = ['--conditions=source', join(ROOT, main), '--conversations', `${conversations}`, '--seed', values.seed]
  if (values.seconds !== undefined) args.push('--seconds', values.seconds)
  if (values.replay !== undefined) args.push('--replay', values.replay)
  return spawnSync(runtime(), args, { cwd: ROOT, stdio: 'inherit' }).status ?? 1
})
console.log(`fuzz: ${statuses.filter((status) => status === 0).length} of ${statuses.length} targets passed`)
process.exitCode = statuses.every((status) => status === 0) ? 0 : 1
