import type { GrantStmt } from 'libpg-query'
import type { Advice } from './advice.ts'

/** Without a list the grammar means all of them. */
export const adviseGrant = ({ privileges, is_grant: isGrant, objtype }: GrantStmt): readonly Advice[] => {
  if (!isGrant || (privileges ?? []).length > 0) return []
  const what = objtype === 'OBJECT_TABLE' ? 'SELECT, INSERT, UPDATE, DELETE' : 'USAGE, CREATE, EXECUTE'
  return [
    {
      code: 'name-privileges',
      text: `name the privileges that are needed (${what}): ALL gives every one, and TRUNCATE and TRIGGER are among those of a table`,
    },
  ]
}

export const adviseDefaultPrivileges = (): readonly Advice[] => [
  {
    code: 'name-privileges',
    text:
      'it holds for whatever will be made later, and nobody will look at it then: grant on what there is, to a role ' +
      'for the purpose, and again with each migration',
  },
]
