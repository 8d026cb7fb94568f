import { fileURLToPath } from 'node:url'

/** How a client's program is run. */
export interface Program {
  readonly command: string
  readonly args: readonly string[]
  readonly env?: NodeJS.ProcessEnv
}

/** Absolute path of something under test/clients. */
export const clientFile = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url))
