/*
 * npm run load [-- ARGUMENTS…]: installs and builds where that is needed, then puts load on a node (test/load/load.ts).
 */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { prepare, ROOT, runtime } from './toolchain.mjs'

await prepare()
const load = join(ROOT, 'test', 'load', 'load.ts')
const args = ['--conditions=source', load, ...process.argv.slice(2)]
process.exitCode = spawnSync(runtime(), args, { cwd: ROOT, stdio: 'inherit' }).status ?? 1
