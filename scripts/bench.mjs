/*
 * npm run bench [-- ARGUMENTS…]: installs and builds where that is needed, then measures (test/bench/node/bench.ts).
 */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { prepare, ROOT, runtime } from './toolchain.mjs'

await prepare()
const bench = join(ROOT, 'test', 'bench', 'node', 'bench.ts')
const args = ['--conditions=source', bench, ...process.argv.slice(2)]
process.exitCode = spawnSync(runtime(), args, { cwd: ROOT, stdio: 'inherit' }).status ?? 1
