/** How a COPY … TO STDOUT writes its rows, as its options say. What is left out is what the server takes then. */
export type CopyFormat = CopyTextFormat | CopyCsvFormat | { readonly format: 'binary' }

export interface CopyTextFormat {
  readonly format: 'text'
  readonly delimiter?: string
  readonly null?: string
  readonly header?: boolean
}

export interface CopyCsvFormat {
  readonly format: 'csv'
  readonly delimiter?: string
  readonly null?: string
  readonly header?: boolean
  readonly quote?: string
  readonly escape?: string
}

export interface CopyMaskOptions {
  /** Needed when a column is masked by pseudonyms. */
  readonly pseudonymKey?: Uint8Array | undefined
  /** The largest field that is read, in bytes; what passes may be of any size. */
  readonly fieldLengthMax?: number
}

export const FIELD_LENGTH_MAX = 16 * 1024 * 1024
