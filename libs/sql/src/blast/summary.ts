import type { BlastRelation, Rows } from './blast.ts'
import type { Dependent } from './dependents.ts'
import { LOCK_LEVELS, type LockLevel } from './lock-level.ts'

/*
 * What a statement would reach, in a few words for the one who signs for it: rows first, then what is written or read
 * whole, then who has to wait, then what is not known.
 */

export interface Summed {
  readonly relations: readonly BlastRelation[]
  readonly dependents: readonly Dependent[]
  readonly stops: readonly string[]
  readonly unknown: readonly string[]
}

const TEXT_MAX = 2_000
const NAMED_MAX = 4
const CARRIED_MAX = 8

export const summaryOf = ({ relations, dependents, stops, unknown }: Summed): string => {
  const parts = [
    ...relations.filter(({ through }) => through === undefined).flatMap(directly),
    ...carried(relations),
    ...worked(relations, 'rewrites', 'writes all of', 'anew'),
    ...worked(relations, 'scans', 'reads all of', ''),
    ...locked(relations),
    ...gone(dependents),
    ...stops.slice(0, NAMED_MAX).map((why) => `the server would refuse it: ${why}`),
    ...(unknown.length > 0 ? [`not known: ${listed(unknown, (each) => each)}`] : []),
  ]
  const text = parts.join('; ')
  return text.length <= TEXT_MAX ? text : `${text.slice(0, TEXT_MAX - 1)}…`
}

const directly = ({ effect, name, rows, bytes }: BlastRelation): readonly string[] => {
  if (effect === 'locks') return []
  const size = bytes !== undefined && (effect === 'drops' || effect === 'truncates') ? sizeOf(bytes) : undefined
  if (effect === 'alters' || effect === 'rebuilds') return [`${effect} ${name}`]
  if (effect === 'drops' || effect === 'truncates') {
    const what = [rows && rowsOf(rows), size].filter((part) => part !== undefined)
    return [`${effect} ${name}${what.length > 0 ? ` (${what.join(', ')})` : ''}`]
  }
  return [rows ? `${effect} ${rowsOf(rows)} of ${name}` : `${effect} rows of ${name}`]
}

/** What happens to relations that it does not name; of many partitions, only how many there are. */
const carried = (relations: readonly BlastRelation[]): readonly string[] => {
  const reached = relations.filter(
    ({ through, effect, rows }) =>
      through !== undefined && effect !== 'locks' && effect !== 'alters' && rows?.rows !== 0,
  )
  const groups = Map.groupBy(reached, ({ through = '', effect }) => `${effect} ${through}`)
  const said = [...groups.values()].flatMap((group) => {
    if (group.length <= NAMED_MAX) return group.map(carriedOne)
    const [first] = group
    return first ? [`${WORDS[first.effect] ?? first.effect} ${group.length} more (${first.through ?? ''})`] : []
  })
  return said.length <= CARRIED_MAX
    ? said
    : [...said.slice(0, CARRIED_MAX - 1), `reaches ${said.length - CARRIED_MAX + 1} more`]
}

const WORDS: Readonly<Record<string, string>> = { truncates: 'empties', drops: 'drops', rebuilds: 'rebuilds' }

const carriedOne = ({ name, effect, rows, through = '' }: BlastRelation): string => {
  const many = rows ? rowsOf(rows) : 'rows'
  if (effect === 'deletes') return `${many} of ${name} go with them (${through})`
  if (effect === 'updates') return `${many} of ${name} are changed with them (${through})`
  return `${WORDS[effect] ?? effect} ${name} (${rows ? `${many}; ` : ''}${through})`
}

const worked = (
  relations: readonly BlastRelation[],
  what: 'rewrites' | 'scans',
  before: string,
  behind: string,
): readonly string[] => {
  const concerned = relations.filter((relation) => relation[what])
  if (concerned.length === 0) return []
  const bytes = concerned.reduce((sum, each) => sum + (each.bytes ?? 0), 0)
  const size = concerned.some((each) => each.bytes !== undefined) ? ` (${sizeOf(bytes)})` : ''
  const lock = LOCK_LEVELS.findLast((level) => concerned.some((each) => each.lock === level))
  return [
    `${before} ${listed(concerned, ({ name }) => name)}${size}${behind === '' ? '' : ` ${behind}`}${lock ? ` under ${lock}` : ''}`,
  ]
}

/** Locks that anybody would notice: those that keep others from writing, or from reading. */
const MEANWHILE: Partial<Record<LockLevel, string>> = {
  SHARE: 'nobody writes meanwhile',
  'SHARE ROW EXCLUSIVE': 'nobody writes meanwhile',
  EXCLUSIVE: 'nobody writes meanwhile',
  'ACCESS EXCLUSIVE': 'nobody reads or writes meanwhile',
}

const locked = (relations: readonly BlastRelation[]): readonly string[] =>
  LOCK_LEVELS.toReversed().flatMap((level) => {
    const meanwhile = MEANWHILE[level]
    const names = [...new Set(relations.filter(({ lock }) => lock === level).map(({ name }) => name))]
    return meanwhile === undefined || names.length === 0
      ? []
      : [`locks ${listed(names, (name) => name)} (${level}: ${meanwhile})`]
  })

const gone = (dependents: readonly Dependent[]): readonly string[] => {
  const cascaded = dependents.filter(({ cascade }) => cascade)
  return cascaded.length === 0 ? [] : [`drops with it ${listed(cascaded, ({ kind, name }) => `${kind} ${name}`)}`]
}

const listed = <T>(items: readonly T[], text: (item: T) => string): string =>
  items.length <= NAMED_MAX
    ? items.map(text).join(', ')
    : `${items
        .slice(0, NAMED_MAX - 1)
        .map(text)
        .join(', ')} and ${items.length - NAMED_MAX + 1} more`

export const rowsOf = ({ rows, exact }: Rows): string =>
  `${exact ? '' : 'about '}${rows.toLocaleString('en')} row${rows === 1 ? '' : 's'}`

const UNITS = ['bytes', 'kB', 'MB', 'GB', 'TB']

/** As people say it: `40 GB`. */
export const sizeOf = (bytes: number): string => {
  const power = bytes < 1024 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log2(bytes) / 10))
  const value = bytes / 1024 ** power
  return `${value >= 10 || power === 0 ? Math.round(value) : value.toFixed(1)} ${UNITS[power] ?? ''}`
}
