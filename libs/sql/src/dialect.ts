import type { CountQuery } from './count-queries.ts'
import type { Facts } from './facts.ts'

/**
 * What a node asks of a dialect of SQL, whichever it is: a text becomes commands, and a command becomes facts, from
 * which libs/policy makes its request. `Known` is what a judgement rests on beside the text, and how it is come by is
 * the dialect's own affair: PostgreSQL's server says what it makes of a statement, MySQL's says only what there is.
 *
 * All of it computes, and nothing else. It runs in a thread of its own with a deadline, and that thread is replaced
 * when `understand` throws anything but SqlSyntaxError and SqlRefusedError.
 */
export interface Dialect<Command extends DialectCommand, Known> {
  /** To be awaited once, in the thread. */
  load(): Promise<void>
  understand(text: string): DialectUnderstanding<Command>
  judge(command: Command, known: Known): Facts
  countQueries(command: Command, text: string, limit: number): readonly CountQuery[]
  shapeOf(text: string): string | undefined
  displayText(text: string, understanding: DialectUnderstanding<Command> | undefined, lengthMax?: number): string
}

/** Plain data: it may travel from a thread. */
export interface DialectUnderstanding<Command extends DialectCommand> {
  readonly commands: readonly Command[]
  /** Other constants in the same places (see `shapeOf`) would be understood in exactly the same way. */
  readonly shapeable: boolean
}

export interface DialectCommand {
  readonly tag: string
  readonly span: { readonly start: number; readonly end: number }
  readonly secrets: boolean
}
