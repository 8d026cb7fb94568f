import { describeClient } from '../client.ts'
import { FACTS, mentions } from '../facts.ts'
import { javaProgram } from '../runtimes/java.ts'

const CANCELLED = { sqlstate: '57014', message: 'canceling statement due to user request' }
const BATCH = { inserted: 500, refused: { sqlstate: '23505' }, left: 500, mixed: [1, 1, 0] }

describeClient('pgjdbc', {
  program: () => javaProgram('pgjdbc', 'clients.Main'),
  tellsLoginCode: true,
  shows: {
    ...FACTS,
    metadata: mentions('client_types', 'client_scratch_pkey', 'c_numeric_scaled', 'timestamptz'),
    plans_made_anew: Array.from({ length: 9 }, () => 'click'),
    portions: { rows: 1005, after: 1 },
    calls: mentions('LOWER'),
    batch: BATCH,
    rewritten_batch: BATCH,
    generated_keys: { updated: 2, keys: [700, 701] },
    updatable_rows: { refreshed: 'new', left: 1 },
    autosave: { refused: '42703', left: 2 },
    cancel: { asked: 'understood', refused: CANCELLED, 'timed out': CANCELLED, after: 1 },
  },
})
