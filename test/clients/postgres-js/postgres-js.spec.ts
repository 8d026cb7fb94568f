import { expect } from 'vitest'
import { describeClient } from '../client.ts'
import { FACTS, mentions } from '../facts.ts'
import { nodeProgram } from '../runtimes/node.ts'

describeClient('postgres-js', {
  program: () => nodeProgram('postgres-js'),
  tellsLoginCode: true,
  shows: {
    ...FACTS,
    portions: { ...FACTS.portions, after: 1 },
    copy_in: mentions('20000'),
    pipelined: Array.from({ length: 200 }, () => expect.anything()),
    cancel: { refused: { sqlstate: '57014', message: 'canceling statement due to user request' }, after: 1 },
  },
})
