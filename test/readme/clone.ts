import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const MADE_HERE = /(^|\/)(node_modules|dist|\.cache|\.countersign|\.git)(\/|$)|\.tsbuildinfo$/

/** The project as somebody gets it who clones it now: nothing installed, nothing built, another folder. */
export const freshClone = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-clone-'))
  const tracked = filesOf(ROOT)
  if (tracked === undefined)
    cpSync(ROOT, folder, { recursive: true, filter: (path) => !MADE_HERE.test(path.slice(ROOT.length)) })
  for (const file of tracked ?? []) {
    if (!existsSync(join(ROOT, file))) continue
    mkdirSync(dirname(join(folder, file)), { recursive: true })
    cpSync(join(ROOT, file), join(folder, file))
  }
  return folder
}

/** What git has or would take, where the project lies in a repository of its own. */
const filesOf = (root: string): readonly string[] | undefined => {
  if (!existsSync(join(root, '.git'))) return undefined
  const { status, stdout } = spawnSync('git', ['ls-files', '-coz', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
  })
  return status === 0 ? stdout.split('\0').filter((file) => file !== '') : undefined
}
