import type { Target } from '@countersign/contracts'

/** What a statement has changed, as it was before. All of it in the server's own text, so that every type is exact. */
export interface Image {
  readonly target: Target
  /** The transaction that changed it: the versions of rows that it has left carry its number. */
  readonly transaction: string
  readonly relations: readonly RelationImage[]
}

export interface RelationImage {
  readonly number: number
  readonly schema: string
  readonly name: string
  readonly columns: readonly ImageColumn[]
  /** Of its primary key, with the operator that the key's index compares by. */
  readonly key: readonly { readonly name: string; readonly equals: string }[]
  /** Rows that were changed or deleted, as text of the whole row. */
  readonly rows: readonly string[]
  /** How many rows it has left behind: those that it has changed, and those that it has added. */
  readonly left: number
  readonly added: number
}

export interface ImageColumn {
  readonly name: string
  readonly type: string
  /** Computed from others: it cannot be written. */
  readonly generated: boolean
  /** GENERATED ALWAYS AS IDENTITY: it cannot be changed, and so was not. */
  readonly always: boolean
}

export const rowsIn = ({ relations }: Image): number =>
  relations.reduce((sum, { rows, added }) => sum + rows.length + added, 0)

export const nameOf = ({ schema, name }: Pick<RelationImage, 'schema' | 'name'>): string => `${schema}.${name}`
