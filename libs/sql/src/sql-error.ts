import type { GrammarHint } from './grammar-hints.ts'

/** PostgreSQL's own parser does not accept the text. */
export class SqlSyntaxError extends Error {
  readonly code = 'SQL_SYNTAX'
  readonly sqlstate: string
  /** Characters before the place, counted from 0. */
  readonly position: number
  readonly detail: string | undefined
  readonly hint: string | undefined

  constructor(message: string, position: number, { sqlstate = '42601', detail, hint }: GrammarHint = {}) {
    super(message)
    this.sqlstate = sqlstate
    this.detail = detail
    this.hint = hint
    this.name = 'SqlSyntaxError'
    this.position = position
  }
}

export type RefusalCode =
  | 'SQL_TOO_LARGE'
  | 'SQL_NUL'
  | 'SQL_COMMENTS_TOO_DEEP'
  | 'SQL_TOO_DEEP'
  // MySQL: what servers read in different ways.
  | 'SQL_VERSION_COMMENT'
  | 'SQL_AMBIGUOUS'

/** The text is not looked at, because looking at it would cost too much or could mislead. */
export class SqlRefusedError extends Error {
  readonly code: RefusalCode
  /** `statement_too_complex`, which is what the server itself answers to most of these. */
  readonly sqlstate = '54001'

  constructor(code: RefusalCode, message: string) {
    super(message)
    this.name = 'SqlRefusedError'
    this.code = code
  }
}

export type TreeCode = 'TREE_MALFORMED' | 'TREE_AMBIGUOUS' | 'TREE_TOO_DEEP' | 'TREE_UNEXPECTED'

/** The server's query tree is not what it should be. Whoever asked treats the statement as not analysed. */
export class TreeError extends Error {
  readonly code: TreeCode

  constructor(code: TreeCode, message: string) {
    super(message)
    this.name = 'TreeError'
    this.code = code
  }
}

/** A row of the catalogue does not have the shape that `catalogueQueries` promises. */
export class CatalogueError extends Error {
  readonly code = 'CATALOGUE_MALFORMED'

  constructor(message: string) {
    super(message)
    this.name = 'CatalogueError'
  }
}
