import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { installed, step } from '../installed.ts'
import { clientFile, type Program } from './program.ts'

const REMEDY = 'install npm 10 or newer (it comes with Node.js, https://nodejs.org)'

/** A program in JavaScript, run by this Node, with the driver that the client's package-lock.json names. */
export const nodeProgram = async (client: string): Promise<Program> => {
  const pins = ['package.json', 'package-lock.json'].map((file) => clientFile(`${client}/${file}`))
  const folder = await installed(client, pins, (folder) => {
    for (const file of pins) cpSync(file, join(folder, file.slice(clientFile(client).length)))
    const ci = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel', 'error']
    return step(`${REMEDY}; packages come from the npm registry`, 'npm', ci, { cwd: folder })
  })
  return {
    command: process.execPath,
    args: [clientFile(`${client}/program.mjs`)],
    env: { CLIENT_MODULES: folder, NODE_OPTIONS: '' },
  }
}
