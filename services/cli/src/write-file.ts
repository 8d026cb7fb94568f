import { renameSync, writeFileSync } from 'node:fs'

/** Readers see the old file or the new one, never half of it. Only the owner may read it unless told otherwise. */
export const writeFileAtomically = (file: string, text: string, mode = 0o600): void => {
  const partial = `${file}.${process.pid}.new`
  writeFileSync(partial, text, { mode })
  renameSync(partial, file)
}
