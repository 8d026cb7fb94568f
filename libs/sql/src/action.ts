/** What a statement does to an object. The names are those of libs/contracts; a test in libs/policy holds them equal. */
export const ACTIONS = [
  'read',
  'write',
  'delete',
  'truncate',
  'create',
  'alter',
  'drop',
  'grant',
  'execute',
  'copyOut',
  'copyIn',
  'configure',
  'transact',
  'maintain',
  'administer',
  'unknown',
] as const

export type Action = (typeof ACTIONS)[number]

/** What can be named in a statement. `statement` stands for the statement itself, when nothing is named. */
export const OBJECT_KINDS = [
  'relation',
  'routine',
  'schema',
  'role',
  'database',
  'setting',
  'type',
  'server',
  'extension',
  'trigger',
  'rule',
  'policy',
  'publication',
  'subscription',
  'language',
  'tablespace',
  'file',
  'program',
  'channel',
  'cursor',
  'prepared',
  'large-object',
  'other',
  'statement',
] as const

export type ObjectKind = (typeof OBJECT_KINDS)[number]

/** A name as the statement writes it, folded as PostgreSQL folds it. */
export interface Name {
  readonly schema?: string
  readonly name: string
}

export interface SqlObject extends Name {
  readonly kind: ObjectKind
}

export interface Effect {
  readonly action: Action
  readonly object: SqlObject
}

/** Names are joined as they are: `public.orders`. */
export const nameText = ({ schema, name }: Name): string => (schema === undefined ? name : `${schema}.${name}`)

export const effect = (action: Action, kind: ObjectKind, name: Name): Effect => ({ action, object: { kind, ...name } })
