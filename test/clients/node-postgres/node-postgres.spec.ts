import { describeClient } from '../client.ts'
import { FACTS } from '../facts.ts'
import { nodeProgram } from '../runtimes/node.ts'

describeClient('node-postgres', {
  program: () => nodeProgram('node-postgres'),
  // With `require` this driver verifies the certificate as well.
  encryption: { with: { sslmode: 'no-verify' }, without: { sslmode: 'disable' } },
  tellsLoginCode: true,
  shows: {
    ...FACTS,
    portions: { ...FACTS.portions, after: 1 },
    cancel: { refused: { sqlstate: '57014', message: 'canceling statement due to user request' }, after: 1 },
  },
})
