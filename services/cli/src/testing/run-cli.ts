import { runCommandLine } from '../command-line.ts'
import type { Io } from '../command.ts'
import type { ExitCode } from '../exit-code.ts'

export interface Outcome {
  readonly code: ExitCode
  readonly out: string
  readonly err: string
}

export const NOW = new Date('2026-11-22T12:00:00.000Z')

/** Runs the command line as a shell would, with nothing of this process's environment. */
export const runCli = async (args: readonly string[], given: Partial<Io> = {}): Promise<Outcome> => {
  const out: string[] = []
  const err: string[] = []
  const code = await runCommandLine(args, {
    out: (line) => out.push(line),
    err: (line) => err.push(line),
    env: {},
    cwd: '/nowhere',
    now: () => NOW,
    stopping: new AbortController().signal,
    ...given,
  })
  return { code, out: out.join('\n'), err: err.join('\n') }
}
