import { describeClient } from '../client.ts'
import { FACTS, mentions } from '../facts.ts'
import { pythonProgram } from '../runtimes/python.ts'

describeClient('psycopg2', {
  program: () => pythonProgram('psycopg2', 'program.py'),
  tellsLoginCode: false,
  shows: {
    ...FACTS,
    notices: mentions('already exists', 'no transaction in progress', 'noticed 7', 'the hint', 'warned'),
    cancel: mentions('57014', 'user request'),
  },
})
