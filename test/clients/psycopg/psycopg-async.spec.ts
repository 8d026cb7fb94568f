import { describeClient } from '../client.ts'
import { FACTS, mentions } from '../facts.ts'
import { pythonProgram } from '../runtimes/python.ts'

const { types, prepared, large, portions, batch, copy_out, copy_in, notifications, timeout, connections } = FACTS

describeClient('psycopg-async', {
  program: () => pythonProgram('psycopg', 'nonblocking.py'),
  tellsLoginCode: false,
  shows: {
    types,
    prepared,
    large,
    portions,
    batch,
    copy_out,
    copy_in,
    notifications,
    timeout,
    connections,
    pipeline: mentions('40'),
    cancel: mentions('57014', 'user request'),
  },
})
