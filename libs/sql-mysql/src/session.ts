/** What only the client's session knows. */
export interface MysqlSession {
  /** The default database; undefined when there is none. */
  readonly database?: string
  /** Temporary tables of the session, by schema and name: they hide others of their name. */
  readonly temporary: readonly (readonly [schema: string, name: string])[]
}
