/*
 * npm run bench [-- ARGUMENTS…]: installs and builds where that is needed, then measures (test/bench/node/bench.ts).
 * npm run bench -- sql [--rounds N] [--texts N]: what understanding a statement costs
 * (services/proxy/src/postgres/bench/understanding.ts).
 */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { prepare, ROOT, runtime } from './toolchain.mjs'

await prepare()
const [first, ...others] = process.argv.slice(2)
const [bench, args] =
  first === 'sql'
    ? ['services/proxy/src/postgres/bench/understanding.ts', others]
    : ['test/bench/node/bench.ts', process.argv.slice(2)]
const command = ['--conditions=source', join(ROOT, bench), ...args]
process.exitCode = spawnSync(runtime(), command, { cwd: ROOT, stdio: 'inherit' }).status ?? 1
