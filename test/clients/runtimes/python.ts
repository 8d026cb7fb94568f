import { join } from 'node:path'
import { installed, step } from '../installed.ts'
import { clientFile, type Program } from './program.ts'

const REMEDY = 'install Python 3.10 or newer with venv and pip (Debian: apt-get install python3-venv python3-pip)'

/** A program in Python, in a virtual environment made from the requirements.txt beside it. */
export const pythonProgram = async (client: string, file: string): Promise<Program> => {
  const requirements = clientFile(`${client}/requirements.txt`)
  const folder = await installed(client, [requirements], async (folder) => {
    const environment = join(folder, 'venv')
    await step(REMEDY, 'python3', ['-m', 'venv', environment])
    const pip = ['-m', 'pip', 'install', '--quiet', '--no-input', '--only-binary', ':all:', '-r', requirements]
    await step(`${REMEDY}; packages come from pypi.org`, join(environment, 'bin', 'python'), pip)
  })
  return {
    command: join(folder, 'venv', 'bin', 'python'),
    args: [clientFile(`${client}/${file}`)],
    env: { PYTHONPATH: clientFile('python'), PYTHONDONTWRITEBYTECODE: '1' },
  }
}
