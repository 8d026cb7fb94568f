/*
 * npm run regress [-- TESTS…]: installs and builds where that is needed, then runs PostgreSQL's own regression tests
 * direct and through a node (test/regress/regress.ts).
 */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { prepare, ROOT, runtime } from './toolchain.mjs'

await prepare()
const regress = join(ROOT, 'test', 'regress', 'regress.ts')
const args = ['--conditions=source', regress, ...process.argv.slice(2)]
process.exitCode = spawnSync(runtime(), args, { cwd: ROOT, stdio: 'inherit' }).status ?? 1
