import { describeClient } from '../client.ts'
import { FACTS } from '../facts.ts'
import { pythonProgram } from '../runtimes/python.ts'

describeClient('asyncpg', {
  program: () => pythonProgram('asyncpg', 'program.py'),
  tellsLoginCode: true,
  shows: { ...FACTS, cancel: ['gave up', 1] },
})
