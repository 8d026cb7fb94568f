import type { DropStmt, RenameStmt, TruncateStmt, VacuumStmt } from 'libpg-query'
import { isOn, lastOption, nameOfList, optionsOf } from '../syntax-tree.ts'
import type { Advice } from './advice.ts'
import { adviseDropIndex } from './indexes.ts'
import { relationNamed, type Known } from './known.ts'

const RENAME_FIRST: Advice = {
  code: 'rename-first',
  text: 'rename it first, and drop it when nobody has missed it for a while: a rename can be taken back, this cannot',
}

export const adviseDrop = (statement: DropStmt, known: Known): readonly Advice[] => {
  const { removeType, objects = [] } = statement
  if (removeType === 'OBJECT_INDEX') return adviseDropIndex(statement, known)
  if (removeType !== 'OBJECT_TABLE' && removeType !== 'OBJECT_MATVIEW' && removeType !== 'OBJECT_SCHEMA') return []
  if (removeType === 'OBJECT_SCHEMA') return [RENAME_FIRST]
  const names = objects.map((object) => nameOfList('List' in object ? object.List.items : undefined))
  const isThere = names.some(({ schema, name }) =>
    relationNamed({ relname: name, ...(schema !== undefined && { schemaname: schema }) }, known),
  )
  return isThere ? [RENAME_FIRST] : []
}

export const adviseTruncate = ({ relations = [] }: TruncateStmt, known: Known): readonly Advice[] => {
  const tables = relations.map((node) => ('RangeVar' in node ? relationNamed(node.RangeVar, known) : undefined))
  if (tables.every((table) => table === undefined)) return []
  return [
    {
      code: 'rows-in-parts',
      text:
        'DELETE the rows that are not needed, in parts; or put an empty table in the place of this one by two ' +
        'renames, and drop the old one when nobody has missed its rows',
    },
  ]
}

const CLIENTS_KNOW: Advice = {
  code: 'expand-and-contract',
  text:
    'expand, then contract: add the new name beside the old one, move all who use it, and take the old one away last ' +
    '(for a table, a view under the old name bridges the time between)',
}

export const adviseRename = ({ relation }: RenameStmt, known: Known): readonly Advice[] =>
  relationNamed(relation, known) ? [CLIENTS_KNOW] : []

export const adviseVacuum = ({ options, is_vacuumcmd: isVacuum }: VacuumStmt): readonly Advice[] => {
  if (!isVacuum || !isOn(lastOption(optionsOf(options), 'full'))) return []
  return [
    {
      code: 'vacuum-plain',
      text:
        'plain VACUUM makes the room usable again and keeps nobody out; to give it back to the disk, pg_repack does ' +
        'so while others go on',
    },
  ]
}

export const adviseLock = (): readonly Advice[] => [
  {
    code: 'lock-rows',
    text:
      'lock the rows that you need, by their key (SELECT … FOR UPDATE), or agree on an advisory lock ' +
      '(pg_advisory_xact_lock): neither keeps others out of the table',
  },
]
