import { describeClient } from '../client.ts'
import { FACTS, mentions } from '../facts.ts'
import { pythonProgram } from '../runtimes/python.ts'

const CANCELLED = { asked: 'understood', refused: { sqlstate: '57014' }, after: [1] }

const SYNC = 'PIPELINE_SYNC'
const FAILED = ['FATAL_ERROR', 'PIPELINE_ABORTED', SYNC]
const GROUPS = ['1', SYNC, ...FAILED, '3', ...FAILED, '6', SYNC]

describeClient('psycopg', {
  program: () => pythonProgram('psycopg', 'blocking.py'),
  tellsLoginCode: false,
  shows: {
    ...FACTS,
    parameters_of_the_server: { application_name: 'my program', timeout: ['7s'], DateStyle: 'ISO, DMY' },
    newest_protocol: [[['int', '1']]],
    registered_types: mentions('five, \\"5\\"', 'calm'),
    pipeline: { refused: { sqlstate: '22012' }, groups: GROUPS, written: [] },
    cancel: { cancel_safe: CANCELLED, cancel: CANCELLED },
  },
})
