import { CatalogueError } from '../sql-error.ts'

/** One row of an answer, as the client of the database parsed it, whose fields are checked as they are taken. */
export class Fields {
  private readonly row: Readonly<Record<string, unknown>>

  constructor(row: Readonly<Record<string, unknown>>) {
    this.row = row
  }

  /** The client gives numbers of eight bytes as text. */
  number(field: string): number {
    const value = this.row[field]
    const number = typeof value === 'string' && value !== '' ? Number(value) : value
    return typeof number === 'number' && !Number.isNaN(number) ? number : this.fail(field, 'a number')
  }

  optionalNumber(field: string): number | undefined {
    return (this.row[field] ?? null) === null ? undefined : this.number(field)
  }

  text(field: string): string {
    const value = this.row[field]
    return typeof value === 'string' ? value : this.fail(field, 'text')
  }

  optionalText(field: string): string | undefined {
    return (this.row[field] ?? null) === null ? undefined : this.text(field)
  }

  flag(field: string): boolean {
    const value = this.row[field]
    return typeof value === 'boolean' ? value : this.fail(field, 'a boolean')
  }

  texts(field: string): readonly string[] {
    const value = this.row[field] ?? []
    const isTexts = Array.isArray(value) && value.every((item) => typeof item === 'string')
    return isTexts ? value : this.fail(field, 'a list of texts')
  }

  private fail(field: string, expected: string): never {
    throw new CatalogueError(`blast: \`${field}\` is not ${expected}`)
  }
}
