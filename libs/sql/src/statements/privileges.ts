import type {
  AlterDefaultPrivilegesStmt,
  AlterRoleSetStmt,
  AlterRoleStmt,
  CreateRoleStmt,
  DropOwnedStmt,
  DropRoleStmt,
  GrantRoleStmt,
  GrantStmt,
  Node,
  ReassignOwnedStmt,
  RoleSpec,
} from 'libpg-query'
import { effect, type Effect } from '../action.ts'
import { danger, type Danger } from '../danger.ts'
import { isOn, lastOption, optionsOf, type Option } from '../syntax-tree.ts'
import { kindOf, objectsOf } from './objects.ts'
import type { Reader } from './reader.ts'

/** Roles that come with the server and reach beyond the database, or see all data. */
const POWERFUL = new Set([
  'pg_read_server_files',
  'pg_write_server_files',
  'pg_execute_server_program',
  'pg_read_all_data',
  'pg_write_all_data',
  'pg_read_all_settings',
  'pg_read_all_stats',
  'pg_monitor',
  'pg_maintain',
  'pg_checkpoint',
  'pg_signal_backend',
  'pg_create_subscription',
])

const roleNames = (nodes: readonly Node[] | undefined): string[] =>
  (nodes ?? []).flatMap((node) => {
    if ('RoleSpec' in node) return [roleName(node.RoleSpec)]
    return 'AccessPriv' in node ? [node.AccessPriv.priv_name ?? ''] : []
  })

const roleName = (role: RoleSpec | undefined): string =>
  role?.rolename ?? (role?.roletype ?? 'ROLESPEC_PUBLIC').replace('ROLESPEC_', '').toLowerCase()

const grants = (names: readonly string[]): readonly Effect[] => names.map((name) => effect('grant', 'role', { name }))

const dangersOfRoles = (names: readonly string[]): readonly Danger[] =>
  names.filter((name) => POWERFUL.has(name)).map((name) => danger('superuser', `membership in ${name}`))

const dangersOfOptions = (options: readonly Option[]): readonly Danger[] =>
  ['superuser', 'bypassrls', 'isreplication', 'replication', 'createrole']
    .filter((name) => isOn(lastOption(options, name)))
    .map((name) => danger('superuser', name.replace('is', '').toUpperCase()))

export const readGrant: Reader<GrantStmt> = (grant) => ({
  tag: grant.is_grant ? 'GRANT' : 'REVOKE',
  effects: grantedObjects(grant),
})

const grantedObjects = ({ targtype, objtype, objects }: GrantStmt): readonly Effect[] => {
  const type = targtype === 'ACL_TARGET_ALL_IN_SCHEMA' ? 'OBJECT_SCHEMA' : objtype
  const named = (objects ?? []).flatMap((node) => objectsOf(type, node))
  if (named.length === 0) return [effect('grant', 'database', { name: kindOf(objtype).words.toLowerCase() })]
  return named.map(({ kind, ...name }) => effect('grant', kind, name))
}

export const readGrantRole: Reader<GrantRoleStmt> = ({ is_grant, granted_roles, grantee_roles }) => {
  const granted = roleNames(granted_roles)
  return {
    tag: is_grant ? 'GRANT ROLE' : 'REVOKE ROLE',
    effects: grants([...granted, ...roleNames(grantee_roles)]),
    dangers: is_grant ? dangersOfRoles(granted) : [],
  }
}

export const readDefaultPrivileges: Reader<AlterDefaultPrivilegesStmt> = ({ action, options }) => {
  const schemas = optionsOf(options).flatMap(({ name, arg }) =>
    name === 'schemas' && arg && 'List' in arg
      ? (arg.List.items ?? []).flatMap((node) => objectsOf('OBJECT_SCHEMA', node))
      : [],
  )
  const objects =
    schemas.length > 0 ? schemas : [{ kind: 'database' as const, name: kindOf(action?.objtype).words.toLowerCase() }]
  return { tag: 'ALTER DEFAULT PRIVILEGES', effects: objects.map(({ kind, ...name }) => effect('grant', kind, name)) }
}

export const readCreateRole: Reader<CreateRoleStmt> = ({ role, options }) => {
  const given = optionsOf(options)
  const joined = given.flatMap(({ name, arg }) =>
    ['addroleto', 'rolemembers', 'adminmembers'].includes(name) && arg && 'List' in arg
      ? roleNames(arg.List.items)
      : [],
  )
  return {
    tag: 'CREATE ROLE',
    effects: grants([role ?? '', ...joined]),
    dangers: [...dangersOfOptions(given), ...dangersOfRoles(joined)],
    secrets: true,
  }
}

export const readAlterRole: Reader<AlterRoleStmt> = ({ role, options }) => {
  const given = optionsOf(options)
  const members = given.flatMap(({ arg }) => (arg && 'List' in arg ? roleNames(arg.List.items) : []))
  return {
    tag: 'ALTER ROLE',
    effects: grants([roleName(role), ...members]),
    dangers: [...dangersOfOptions(given), ...dangersOfRoles([roleName(role)])],
    secrets: true,
  }
}

export const readAlterRoleSet: Reader<AlterRoleSetStmt> = ({ role, setstmt }) => ({
  tag: 'ALTER ROLE SET',
  effects: [
    ...grants([role ? roleName(role) : 'all']),
    effect('configure', 'setting', { name: setstmt?.name ?? 'all' }),
  ],
  dangers: [danger('guard-rail', `a setting of every later session (${setstmt?.name ?? 'all'})`)],
})

export const readDropRole: Reader<DropRoleStmt> = ({ roles }) => ({
  tag: 'DROP ROLE',
  effects: roleNames(roles).map((name) => effect('drop', 'role', { name })),
})

export const readDropOwned: Reader<DropOwnedStmt> = ({ roles }) => ({
  tag: 'DROP OWNED',
  effects: roleNames(roles).flatMap((name) => [effect('drop', 'role', { name }), effect('grant', 'role', { name })]),
  dangers: [danger('data-loss', 'everything that a role owns: DROP OWNED')],
})

export const readReassignOwned: Reader<ReassignOwnedStmt> = ({ roles, newrole }) => ({
  tag: 'REASSIGN OWNED',
  effects: grants([...roleNames(roles), roleName(newrole)]),
})
