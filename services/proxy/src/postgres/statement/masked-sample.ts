import { planColumn, RowMask, type DataClass } from '@countersign/masking'
import { dataRow, readDataRow } from '@countersign/pgwire'
import { identifier, type BlastSample, type NearRelation } from '@countersign/sql'

export type ClassOf = (column: string) => DataClass

const COLUMNS_MAX = 20
/** So much of a value is looked at; what is cut off in the middle is not shown any more. */
const READ_MAX = 1_000
const SHOWN_MAX = 100
const TEXT = 25

/**
 * A few rows as people may see them who are not told what is sensitive in them: masked by the classes of the columns,
 * as results are; what has no class is masked. `read`: the rows of a list of columns.
 */
export const maskedRows = async (
  relation: NearRelation,
  names: readonly string[],
  alias: string,
  classOf: ClassOf,
  read: (columns: string) => Promise<readonly (readonly (string | null)[])[] | undefined>,
): Promise<BlastSample | undefined> => {
  const columns = names.slice(0, COLUMNS_MAX)
  if (columns.length === 0) return undefined
  const list = columns.map(
    (name) => `pg_catalog.left(${identifier(alias)}.${identifier(name)}::pg_catalog.text, ${READ_MAX})`,
  )
  const rows = await read(list.join(', '))
  if (!rows) return undefined
  const name = `${relation.schema}.${relation.name}`
  const mask = new RowMask(columns.map((column) => planOf(classOf(`${name}.${column}`))))
  return { relation: name, columns, rows: rows.map((row) => shown(row, mask)) }
}

const planOf = (found: DataClass) =>
  planColumn({ class: found, typeOid: TEXT, typmod: -1, format: 'text' }, { clear: false })

const shown = (row: readonly (string | null)[], mask: RowMask): readonly (string | null)[] => {
  const bytes = dataRow(row)
  const masked = mask.passes ? bytes : (mask.apply(bytes, 0, bytes.length) ?? bytes)
  return readDataRow(masked, 0, masked.length).map((value) => {
    const text = value?.toString('utf8') ?? null
    return text !== null && text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}…` : text
  })
}
