import { join } from 'node:path'
import { installed, step } from '../installed.ts'
import { clientFile, type Program } from './program.ts'

const REMEDY = 'install Go 1.25 or newer (https://go.dev/dl)'

/** A program in Go, built from the module in the client's folder. Modules come once, the build is incremental. */
export const goProgram = async (client: string): Promise<Program> => {
  const source = clientFile(client)
  const pins = ['go.mod', 'go.sum'].map((file) => join(source, file))
  const folder = await installed(client, pins, (folder) =>
    step(`${REMEDY}; modules come from the Go module proxy`, 'go', ['mod', 'download'], {
      cwd: source,
      env: goIn(folder),
    }),
  )
  const program = join(folder, 'program')
  await step(REMEDY, 'go', ['build', '-o', program, '.'], { cwd: source, env: goIn(folder) })
  return { command: program, args: [] }
}

/** Modules stay writable, so that the folder can be removed. */
const goIn = (folder: string): NodeJS.ProcessEnv => ({
  GOMODCACHE: join(folder, 'modules'),
  GOCACHE: join(folder, 'build'),
  GOFLAGS: '-modcacherw -buildvcs=false',
})
