import { expect } from 'vitest'
import { describeClient } from '../client.ts'
import { FACTS } from '../facts.ts'
import { goProgram } from '../runtimes/go.ts'

describeClient('pgx', {
  program: () => goProgram('pgx'),
  tellsLoginCode: true,
  shows: {
    ...FACTS,
    registered_types: { columns: ['c_mood', 'c_mood_list', 'c_pair', 'c_score'] },
    pipeline: expect.arrayContaining([
      ['SELECT 1', '[[1]]'],
      expect.objectContaining({ sqlstate: '22012' }),
      ['SELECT 1', '[[after it]]'],
    ]),
    cancel: {
      'by request': [{ sqlstate: '57014', message: 'canceling statement due to user request' }, 1],
      'by context': [true, true],
    },
  },
})
