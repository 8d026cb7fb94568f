import type { Io } from '../command.ts'
import { EXIT, type ExitCode } from '../exit-code.ts'
import { visibleLines } from '../table.ts'
import { faultLine, faultsIn, readPolicyFolder } from './policy-folder.ts'

/** Says all that is wrong, each with its place and what would be right. */
export const checkPolicies = (path: string, io: Io, json: boolean): ExitCode => {
  const folder = readPolicyFolder(path)
  const errors = faultsIn(folder)
  const { files = [], owners } = folder
  if (json)
    io.out(
      JSON.stringify({
        ok: errors.length === 0,
        files: files.map(({ name }) => name),
        owners: owners !== undefined,
        errors,
      }),
    )
  else {
    for (const each of errors) io.err(visibleLines(faultLine(each)))
    if (errors.length === 0)
      io.out(`${path}: ${files.length} files${owners === undefined ? '' : ' and owners'}, no faults`)
    else io.err(`${errors.length} ${errors.length === 1 ? 'fault' : 'faults'}`)
  }
  return errors.length === 0 ? EXIT.ok : EXIT.failed
}
