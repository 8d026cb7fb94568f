/**
 * Why a statement is more than its actions say. Policies name these codes, so they only ever get more.
 */
export const DANGERS = {
  'server-file': 'reads or writes files of the database server',
  program: 'runs a program on the database server',
  remote: 'reaches another server, outside of this session',
  'sql-in-string': 'runs SQL that is held in a string',
  'server-control': 'administers the database server',
  'server-code': 'loads code into the database server',
  'session-control': "ends or interrupts other people's sessions",
  'password-hashes': 'reads password hashes',
  'stored-credentials': 'reads stored credentials',
  'statistics-values': 'reads column values kept as planner statistics',
  'other-statements': "reads the text of other people's statements",
  'large-object': 'reads or writes large objects, whose content belongs to no column',
  'sequence-reset': 'sets a sequence',
  'statistics-reset': 'wipes statistics',
  sleep: 'keeps a connection waiting',
  'large-product': 'multiplies rows without a condition',
  'locks-every-row': 'locks every row of a relation',
  'exclusive-lock': 'takes a lock that stops others',
  'input-output': 'causes a burst of input and output',
  'role-switch': 'changes the role that the session works as',
  'search-path': 'changes what later names mean',
  lexing: 'changes how the server reads statements',
  encoding: 'changes the encoding in which statements arrive',
  'guard-rail': 'switches off a safety of the server',
  'row-security': 'changes row security',
  'time-limit': 'removes a time limit',
  'read-write': 'lifts read-only mode',
  'setting-unknown': 'sets a setting whose name is computed',
  'two-phase': 'leaves or finishes a prepared transaction',
  'data-loss': 'destroys stored data',
  'protection-off': 'switches off triggers, constraints or row security',
  rename: 'renames or moves what clients and rules know by name',
  'security-definer': "runs with its owner's rights",
  'untrusted-language': 'is written in a language that can do anything on the server',
  superuser: 'gives the rights of a superuser',
  'all-data': 'opens a channel to all data',
  'writes-in-code': 'stores code that changes data',
  'dynamic-code': 'runs SQL that is built while it runs',
  'unknown-statement': 'is a kind of statement that is not known',
  'unknown-prepared': 'runs a prepared statement that this session did not prepare',
  'unreadable-code': 'runs code that cannot be read',
} as const

export type DangerCode = keyof typeof DANGERS

export interface Danger {
  readonly code: DangerCode
  /** One clause for people: what in the statement, and what it does. */
  readonly text: string
}

export const danger = (code: DangerCode, what: string): Danger => ({ code, text: `${what} ${DANGERS[code]}` })
