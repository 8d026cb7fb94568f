import { spawn } from 'node:child_process'
import type { Account } from './account.ts'

/**
 * PostgreSQL does not notice that whoever started it is gone. This small process does: it waits on a pipe from us,
 * and when that closes, because we were killed, it asks the server to stop. Call the result when the server has ended.
 */
export const deadMansSwitch = (pid: number, account: Account | undefined): (() => void) => {
  const watcher = spawn('/bin/sh', ['-c', 'read -r _; kill -INT "$1"', 'countersign-watch', String(pid)], {
    ...account,
    cwd: '/',
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  watcher.on('error', () => undefined)
  watcher.unref()
  return () => void watcher.kill('SIGKILL')
}
