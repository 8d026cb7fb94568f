import type { Client, DatabaseError, Submittable } from 'pg'

/** What `pg` lets a query of one's own say on the connection. */
export interface Wire {
  parse(query: { text: string; name: string; types: readonly number[] }): void
  bind(binding: {
    portal: string
    statement: string
    values: readonly (Buffer | string | null)[]
    binary: boolean
    valueMapper: (value: unknown) => unknown
  }): void
  execute(execution: { portal: string; rows: number }): void
  sync(): void
}

export interface Conversation<T> {
  readonly submit: (connection: Wire) => void
  readonly row?: (fields: readonly (string | null)[]) => void
  /** The server answered with an error; throw it on, or make something of it. */
  readonly failed: (error: DatabaseError) => T
  readonly done: () => T
}

/** Runs one exchange of the extended protocol on a client of `pg`, with parameter types of our choice. */
export const converse = <T>(client: Client, { submit, row, failed, done }: Conversation<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    const settle = (make: () => T) => {
      try {
        resolve(make())
      } catch (error) {
        reject(error)
      }
    }
    const submittable = {
      submit,
      handleRowDescription: () => {},
      handleDataRow: ({ fields }: { fields: readonly (string | null)[] }) => row?.(fields),
      handleCommandComplete: () => {},
      handleEmptyQuery: () => {},
      // After an error `pg` does not tell of ReadyForQuery any more.
      handleError: (error: DatabaseError) => settle(() => failed(error)),
      handleReadyForQuery: () => settle(done),
    }
    client.query(submittable as unknown as Submittable)
  })
