import { ProtocolError } from '@countersign/pgwire'
import type { DatabaseConfig } from '@countersign/platform'
import type { Database, Lent, Protocol, Speaker } from '../protocol.ts'
import type { GateRules } from '../startup/gate-rules.ts'
import type { Line } from '../startup/line.ts'
import type { RefusalText } from '../startup/startup-refused.ts'
import { PostgresDatabase } from './postgres-database.ts'
import { fatal } from './session/say.ts'
import { greetingOf } from './startup/greeting.ts'
import { Parser } from './understanding/parser.ts'

/** PostgreSQL's protocol 3 behind the port (protocol.ts). */
export const postgresql: Protocol = {
  open: (lent) => new PostgresSpeaker(lent),
}

export const ALPN = 'postgresql'

class PostgresSpeaker implements Speaker {
  readonly name = 'PostgreSQL'
  readonly system = 'postgresql'
  readonly alpn = ALPN
  readonly breachIn = breachIn
  readonly lastWords = lastWords
  readonly #lent: Lent
  readonly #parser: Parser
  parserReplaced = 0

  constructor(lent: Lent) {
    this.#lent = lent
    this.#parser = new Parser((reason) => {
      this.parserReplaced += 1
      lent.logger.warn('the parser was replaced', { reason })
    })
  }

  databaseOf(config: DatabaseConfig, generation: number): Database {
    return new PostgresDatabase(config, generation, this.#parser, this.#lent)
  }

  greet(line: Line, rules: GateRules): ReturnType<Speaker['greet']> {
    return greetingOf(line, rules, postgresIn)
  }

  close(): Promise<void> {
    return this.#parser.close()
  }
}

export const lastWords = (refusal: RefusalText): Buffer => fatal(...refusal)

export const breachIn = (error: unknown): RefusalText | undefined =>
  error instanceof ProtocolError ? ['08P01', error.message] : undefined

/** A node speaks one protocol, so all its databases are of one kind. */
const postgresIn = (database: Database): PostgresDatabase => {
  if (database instanceof PostgresDatabase) return database
  throw new Error('a database of another protocol')
}
