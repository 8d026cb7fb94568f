import type {
  Advice,
  CatalogueAnswers,
  Facts,
  Reach,
  TemporaryColumn,
  TemporaryTable,
  Understanding,
} from '@countersign/sql'

/*
 * What the parser thread is asked, and what it answers. Everything here is plain data, because it travels.
 */

/** What only the client's session knows of names, as plain data. */
export interface SessionView {
  /** `current_schemas(true)`; with `pg_temp` only where others come before it. */
  readonly searchPath: readonly string[]
  /** What is in the temporary schema: `other`, or the columns of a table. */
  readonly temporary: readonly (readonly [name: string, what: 'other' | readonly TemporaryColumn[]])[]
  /** The schema was changed in the transaction that is still open. */
  readonly changedSchema: boolean
  /** The end of the transaction that is open may give names another meaning. */
  readonly tentative: boolean
  /** Temporary tables may hold what is sensitive elsewhere. */
  readonly tainted: boolean
}

/**
 * The server's tree of one statement as text, or the SQLSTATE with which it refused to make one. `temporary`: tables
 * like those of the session, with the numbers that they have in the tree.
 */
export type ServerTree =
  | { readonly tree: string; readonly temporary?: readonly (TemporaryTable & { readonly oid: number })[] }
  | { readonly sqlstate: string; readonly equipped?: true }
  | undefined

export interface Jobs {
  /**
   * The grammar's word on a text. `shapeInput` is what statements of its kind share, `hidden` what may be shown of a
   * text that can hold passwords.
   */
  understand: {
    in: { sql: string }
    out: { understanding: Understanding; shapeInput: string; hidden: string | undefined }
  }
  /** Facts of each command, with the trees of those that the server can analyse. */
  judge: {
    in: {
      catalogue: string
      sql: string
      trees: readonly ServerTree[]
      /** For each command, the server's numbers of the types that are declared for its parameters. */
      types: readonly (readonly number[])[]
      session: SessionView
      /** Facts of the prepared statement or cursor that the text names, by its name. */
      prepared: readonly (readonly [string, Facts])[]
      cursors: readonly (readonly [string, Facts])[]
    }
    out: readonly Facts[]
  }
  /** What each command of a text that is held sets out to do. */
  reach: { in: { sql: string }; out: readonly Reach[] }
  /** The safe way to write each command. Asked for what is not let through: what it needs of each, by its place. */
  advise: {
    in: { catalogue: string; sql: string; session: SessionView; known: readonly AdviseOn[] }
    out: readonly (readonly Advice[])[]
  }
  /** Reads a catalogue and keeps it under this name. */
  catalogue: { in: { name: string; answers: CatalogueAnswers }; out: CatalogueSummary }
}

/** What is known of one command by now. */
export interface AdviseOn {
  readonly rows: number | undefined
  readonly sensitive: readonly string[]
}

/** What the main thread needs of a catalogue. */
export interface CatalogueSummary {
  readonly version: string
  readonly serverVersion: number
  readonly relations: readonly RelationSummary[]
}

export interface RelationSummary {
  readonly oid: number
  readonly schema: string
  readonly name: string
  /** `pg_class.relkind` */
  readonly kind: string
  readonly columns: readonly ColumnSummary[]
}

export interface ColumnSummary {
  readonly number: number
  readonly name: string
  readonly type: number
  readonly modifier: number
  readonly typeName: string
  readonly generated: boolean
  readonly comment: string | undefined
}

export type JobKind = keyof Jobs

export interface JobRequest<Kind extends JobKind = JobKind> {
  readonly id: number
  readonly kind: Kind
  readonly input: Jobs[Kind]['in']
}

export type JobReply =
  | { readonly id: number; readonly output: unknown }
  | {
      readonly id: number
      /** `refused`: of the text itself. `broken`: the parser cannot be trusted any more. */
      readonly failed: 'refused' | 'broken'
      readonly sqlstate: string
      readonly message: string
      /** Characters before the place, counted from 0. */
      readonly position?: number
      readonly detail?: string
      readonly hint?: string
    }
