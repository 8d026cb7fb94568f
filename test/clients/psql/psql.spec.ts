import { expect } from 'vitest'
import { describeClient } from '../client.ts'
import { FACTS, mentions } from '../facts.ts'
import { step } from '../installed.ts'
import { clientFile } from '../runtimes/program.ts'

const { types, prepared, temporary_tables, large, portions, notices, batch, copy_out, copy_in } = FACTS
const { notifications, timeout, connections } = FACTS

describeClient('psql', {
  program: async () => {
    await step('install psql 13 or newer (Debian: apt-get install postgresql-client)', 'psql', ['--version'])
    return { command: process.execPath, args: [clientFile('psql/program.mjs')], env: { NODE_OPTIONS: '' } }
  },
  tellsLoginCode: false,
  shows: {
    types,
    prepared,
    variables: mentions("with 'quotes' and", '7 view', ' 3 | 3 | 6 | 9'),
    temporary_tables,
    large,
    portions,
    many_results: mentions('drei'),
    catalogue: mentions('c_numeric_scaled', 'client_rules_label_key', 'sad, a bit', 'pg_indexes'),
    notices,
    batch,
    transactions: mentions('23505', '42703', '25P02', '25006', 'serializable', 'ROLLBACK'),
    single_transaction: [3, expect.objectContaining({ status: 0 })],
    copy_out,
    copy_in,
    notifications,
    cancel: mentions('57014', 'user request'),
    timeout,
    connections,
  },
})
