import type { BlastView } from '../api/views.ts'
import { shortened, table } from '../table.ts'

const CELL_MAX = 30
const SAMPLE_COLUMNS = 6

/** What it would reach, a line for each relation and each object that goes, and the first rows. */
export const describeBlast = ({ relations, dependents, more, sample }: BlastView): readonly string[] => [
  ...block('reaches', table(['RELATION', 'EFFECT', 'ROWS', 'LOCK', 'THROUGH'], relations.map(relationRow))),
  ...block(
    'drops with it',
    dependents.map(({ kind, name }) => `${shortened(kind, CELL_MAX)} ${shortened(name, 200)}`),
  ),
  ...(more ? [`    and ${more.relations} relations and ${more.dependents} objects more`, ''] : []),
  ...(sample ? sampleLines(sample) : []),
]

type Relation = BlastView['relations'][number]

const relationRow = ({ name, effect, rows, lock, through, rewrites, scans }: Relation): readonly string[] => [
  name,
  `${effect}${rewrites ? ', writes all of it' : ''}${scans ? ', reads all of it' : ''}`,
  rows ? `${rows.exact ? '' : 'about '}${rows.rows.toLocaleString('en')}` : '',
  lock ?? '',
  through ?? '',
]

const sampleLines = ({ relation, columns, rows }: NonNullable<BlastView['sample']>): readonly string[] =>
  rows.length === 0
    ? []
    : block(
        `first rows of ${shortened(relation, 100)}, masked`,
        table(
          columns.slice(0, SAMPLE_COLUMNS),
          rows.map((row) => row.slice(0, SAMPLE_COLUMNS).map((value) => shortened(value ?? 'NULL', CELL_MAX))),
        ),
      )

const block = (heading: string, lines: readonly string[]): readonly string[] =>
  lines.length === 0 ? [] : [heading, ...lines.map((line) => `    ${line}`), '']
