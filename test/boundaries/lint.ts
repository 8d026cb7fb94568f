import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const ROOT = fileURLToPath(new URL('../../', import.meta.url))

/** Lints files that are not there, as if they lay in this repository, by its own rules. By path: what is said. */
export const lint = (files: ReadonlyMap<string, string>): ReadonlyMap<string, readonly string[]> => {
  const folder = mkdtempSync(join(tmpdir(), 'cs-boundaries-'))
  try {
    copyFileSync(join(ROOT, 'oxlint.config.ts'), join(folder, 'oxlint.config.ts'))
    for (const [path, text] of files) {
      mkdirSync(dirname(join(folder, path)), { recursive: true })
      writeFileSync(join(folder, path), text)
    }
    const byFile = Map.groupBy(diagnosticsIn(folder), ({ filename }) => filename)
    return new Map(
      [...byFile].map(([file, found]) => [file, found.map(({ message, help = '' }) => `${message} ${help}`)]),
    )
  } finally {
    rmSync(folder, { recursive: true })
  }
}

interface Diagnostic {
  readonly filename: string
  readonly message: string
  readonly help?: string
}

const diagnosticsIn = (folder: string): readonly Diagnostic[] => {
  const { diagnostics } = JSON.parse(outputOf(folder)) as { readonly diagnostics: readonly Diagnostic[] }
  return diagnostics
}

/** oxlint ends with 1 when it has found something, which here is what is asked for. */
const outputOf = (folder: string): string => {
  const args = [join(ROOT, 'node_modules/oxlint/bin/oxlint'), '--format', 'json']
  try {
    return execFileSync(process.execPath, args, { cwd: folder, encoding: 'utf8', maxBuffer: 1 << 26 })
  } catch (error) {
    const { stdout, stderr } = error as { readonly stdout?: string; readonly stderr?: string }
    if (!stdout?.startsWith('{')) throw new Error(`oxlint could not lint: ${stdout} ${stderr}`, { cause: error })
    return stdout
  }
}
