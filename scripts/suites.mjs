/*
 * npm run suites [-- NAME…]: installs and builds where that is needed, then runs drivers' own test suites direct and
 * through a node (test/suites/main.ts).
 */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { prepare, ROOT, runtime } from './toolchain.mjs'

await prepare()
const main = join(ROOT, 'test', 'suites', 'main.ts')
const args = ['--conditions=source', main, ...process.argv.slice(2)]
process.exitCode = spawnSync(runtime(), args, { cwd: ROOT, stdio: 'inherit' }).status ?? 1
