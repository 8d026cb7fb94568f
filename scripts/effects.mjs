/*
 * npm run effects [-- --major N] [TESTS…]: installs and builds where that is needed, then measures what each statement of
 * PostgreSQL's regression tests really does (test/effects/effects.ts).
 */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { prepare, ROOT, runtime } from './toolchain.mjs'

await prepare()
const effects = join(ROOT, 'test', 'effects', 'effects.ts')
const args = ['--conditions=source', effects, ...process.argv.slice(2)]
process.exitCode = spawnSync(runtime(), args, { cwd: ROOT, stdio: 'inherit' }).status ?? 1
