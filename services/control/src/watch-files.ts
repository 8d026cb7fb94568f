import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'

const INTERVAL_MS = 100

/**
 * Calls `changed` when something about the files has changed and they have then been left alone for one look: so a
 * file is not read while it is being written. A path may be a folder. Looks instead of listening: notifications of
 * the file system miss replaced files, mounted volumes and links that are turned elsewhere.
 */
export const watchFiles = (paths: readonly string[], changed: () => void, intervalMs = INTERVAL_MS): (() => void) => {
  let told = traceOf(paths)
  let last = told
  const timer = setInterval(() => {
    const trace = traceOf(paths)
    const isQuiet = trace === last
    last = trace
    if (!isQuiet || trace === told) return
    told = trace
    changed()
  }, intervalMs)
  timer.unref()
  return () => clearInterval(timer)
}

const traceOf = (paths: readonly string[]): string =>
  paths.map((path) => [traceOfOne(path), ...entriesOf(path).map((name) => traceOfOne(join(path, name)))].join()).join()

const traceOfOne = (path: string): string => {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false })
  return stat ? [path, stat.ino, stat.size, stat.mtimeNs, stat.ctimeNs].join(':') : `${path}:gone`
}

const entriesOf = (path: string): readonly string[] => {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isDirectory() ? readdirSync(path).sort() : []
  } catch {
    return []
  }
}
