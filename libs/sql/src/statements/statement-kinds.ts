import type { CreateForeignTableStmt, LoadStmt, Node, RangeVar } from 'libpg-query'
import { effect, type Action, type ObjectKind } from '../action.ts'
import type { Draft } from '../command.ts'
import { danger, type DangerCode } from '../danger.ts'
import { nameOfList, nameOfRelation, type StatementTag } from '../syntax-tree.ts'
import * as ddl from './ddl.ts'
import { kindOf, objectsOf } from './objects.ts'
import * as privileges from './privileges.ts'
import { createdRelation, queryReader, readSelect } from './query.ts'
import type { Context, Reader } from './reader.ts'
import * as routines from './routines.ts'
import * as session from './session.ts'
import * as upkeep from './upkeep.ts'
import * as wrappers from './wrappers.ts'

/*
 * Every kind of statement that PostgreSQL's grammar has, and what it does. The table is complete, or it does not
 * compile: a kind that a later grammar adds has to be thought about first.
 */

type StatementOf<T extends StatementTag> = Extract<Node, Record<T, unknown>> extends Record<T, infer S> ? S : never
type Readers = { readonly [T in StatementTag]: Reader<StatementOf<T>> }

/** One action on one object whose name is a string of the statement. */
const named =
  <Statement>(
    tag: string,
    action: Action,
    kind: ObjectKind,
    name: (statement: Statement) => string | undefined,
    ...codes: DangerCode[]
  ) =>
  (statement: Statement): Draft =>
    ddl.simple(tag, action, kind, { name: name(statement) ?? '' }, {}, ...codes.map((code) => danger(code, tag)))

/** One action on one object whose name is a list of strings. */
const listed =
  <Statement extends object>(
    tag: string,
    action: Action,
    kind: ObjectKind,
    name: (statement: Statement) => Node[] | undefined,
  ) =>
  (statement: Statement): Draft =>
    ddl.simple(tag, action, kind, nameOfList(name(statement)), statement)

const onRelation =
  <Statement extends object>(
    tag: string,
    action: Action,
    relation: (statement: Statement) => RangeVar | undefined,
    ...codes: DangerCode[]
  ) =>
  (statement: Statement): Draft => {
    const target = relation(statement)
    const parts = Object.fromEntries(Object.entries(statement).filter(([, value]) => value !== target))
    return ddl.simple(tag, action, 'relation', nameOfRelation(target), parts, ...codes.map((code) => danger(code, tag)))
  }

const unknown = (_: unknown, { node }: Context): Draft => {
  const name = Object.keys(node)[0] ?? 'nothing'
  return {
    tag: name,
    effects: [effect('unknown', 'statement', { name })],
    dangers: [danger('unknown-statement', name)],
  }
}

const administers = <Statement>(
  tag: string,
  kind: ObjectKind,
  name: (statement: Statement) => string | undefined,
  ...codes: DangerCode[]
) => named(tag, 'administer', kind, name, ...codes)

/** The options of these hold connection strings and passwords. */
const secret =
  <Statement>(reader: (statement: Statement) => Draft) =>
  (statement: Statement): Draft => ({ ...reader(statement), secrets: true })

const readForeignTable = ({ base, servername }: CreateForeignTableStmt): Draft => {
  const created = createdRelation('table', base?.relation)
  return {
    tag: 'CREATE FOREIGN TABLE',
    effects: [effect('create', 'relation', created.object), effect('administer', 'server', { name: servername ?? '' })],
    dangers: [danger('remote', 'CREATE FOREIGN TABLE')],
    creates: [created],
    secrets: true,
  }
}

const readLoad = ({ filename }: LoadStmt): Draft => ({
  tag: 'LOAD',
  effects: [effect('administer', 'file', { name: filename ?? '' })],
  dangers: [danger('server-code', 'LOAD')],
})

export const READERS: Readers = {
  // Queries
  SelectStmt: readSelect,
  InsertStmt: queryReader('INSERT'),
  UpdateStmt: queryReader('UPDATE'),
  DeleteStmt: queryReader('DELETE'),
  MergeStmt: queryReader('MERGE'),

  // What carries another statement
  CopyStmt: wrappers.readCopy,
  CreateTableAsStmt: wrappers.readCreateTableAs,
  DeclareCursorStmt: wrappers.readDeclare,
  ExecuteStmt: wrappers.readExecute,
  ExplainStmt: wrappers.readExplain,
  PrepareStmt: wrappers.readPrepare,
  ViewStmt: wrappers.readView,

  // The session
  ClosePortalStmt: session.readClose,
  // What has waited until now runs at once, triggers among it; it was told when it was put off.
  ConstraintsSetStmt: () => ({ ...session.harmless('SET CONSTRAINTS'), readOnlyByText: 'never' }),
  DeallocateStmt: session.readDeallocate,
  DiscardStmt: session.readDiscard,
  FetchStmt: session.readFetch,
  ListenStmt: session.readListen,
  NotifyStmt: session.readNotify,
  TransactionStmt: session.readTransaction,
  UnlistenStmt: session.readUnlisten,
  VariableSetStmt: session.readSet,
  VariableShowStmt: ({ name }) => ({
    tag: 'SHOW',
    effects: [effect('read', 'setting', { name: name ?? 'all' })],
    readOnlyByText: 'if-functions-are',
  }),

  // Relations and schemas
  AlterTableStmt: ddl.readAlterTable,
  CommentStmt: ddl.readComment,
  CreateSchemaStmt: ddl.readCreateSchema,
  CreateStmt: ddl.readCreateTable,
  DropStmt: ddl.readDrop,
  IndexStmt: ddl.readCreateIndex,
  RenameStmt: ddl.readRename,
  AlterObjectSchemaStmt: ddl.readSetSchema,
  AlterOwnerStmt: ddl.readSetOwner,
  TruncateStmt: ddl.readTruncate,
  CreateSeqStmt: onRelation('CREATE SEQUENCE', 'create', ({ sequence }) => sequence),
  AlterSeqStmt: onRelation('ALTER SEQUENCE', 'alter', ({ sequence }) => sequence, 'sequence-reset'),
  CreateStatsStmt: listed('CREATE STATISTICS', 'create', 'other', ({ defnames }) => defnames),
  AlterStatsStmt: listed('ALTER STATISTICS', 'alter', 'other', ({ defnames }) => defnames),
  AlterTableMoveAllStmt: named(
    'ALTER TABLE ALL IN TABLESPACE',
    'alter',
    'tablespace',
    (s) => s.orig_tablespacename,
    'exclusive-lock',
  ),

  // Code
  AlterFunctionStmt: routines.readAlterFunction,
  CallStmt: routines.readCall,
  CreateFunctionStmt: routines.readCreateFunction,
  CreateTrigStmt: routines.readCreateTrigger,
  DoStmt: routines.readDo,
  RuleStmt: routines.readRule,
  CreateEventTrigStmt: named('CREATE EVENT TRIGGER', 'create', 'trigger', ({ trigname }) => trigname, 'writes-in-code'),
  AlterEventTrigStmt: named('ALTER EVENT TRIGGER', 'alter', 'trigger', ({ trigname }) => trigname, 'protection-off'),
  CreatePLangStmt: administers('CREATE LANGUAGE', 'language', ({ plname }) => plname, 'server-code'),

  // Types, operators and what belongs to them
  AlterDomainStmt: listed('ALTER DOMAIN', 'alter', 'type', ({ typeName }) => typeName),
  AlterEnumStmt: (statement) => ({
    ...listed('ALTER TYPE', 'alter', 'type', ({ typeName }: typeof statement) => typeName)(statement),
    dangers: statement.oldVal ? [danger('rename', 'ALTER TYPE … RENAME VALUE')] : [],
  }),
  AlterTypeStmt: listed('ALTER TYPE', 'alter', 'type', ({ typeName }) => typeName),
  CompositeTypeStmt: ({ typevar }) => ddl.simple('CREATE TYPE', 'create', 'type', nameOfRelation(typevar)),
  CreateDomainStmt: listed('CREATE DOMAIN', 'create', 'type', ({ domainname }) => domainname),
  CreateEnumStmt: listed('CREATE TYPE', 'create', 'type', ({ typeName }) => typeName),
  CreateRangeStmt: listed('CREATE TYPE', 'create', 'type', ({ typeName }) => typeName),
  DefineStmt: (statement) => {
    const { kind, words } = kindOf(statement.kind)
    return listed(`CREATE ${words}`, 'create', kind, ({ defnames }: typeof statement) => defnames)(statement)
  },
  AlterCollationStmt: listed('ALTER COLLATION', 'alter', 'other', ({ collname }) => collname),
  AlterOpFamilyStmt: listed('ALTER OPERATOR FAMILY', 'alter', 'other', ({ opfamilyname }) => opfamilyname),
  AlterOperatorStmt: ({ opername }) => ddl.simple('ALTER OPERATOR', 'alter', 'other', nameOfList(opername?.objname)),
  CreateCastStmt: () =>
    ddl.simple('CREATE CAST', 'create', 'other', { name: 'cast' }, {}, danger('writes-in-code', 'CREATE CAST')),
  CreateConversionStmt: listed('CREATE CONVERSION', 'create', 'other', ({ conversion_name }) => conversion_name),
  CreateOpClassStmt: listed('CREATE OPERATOR CLASS', 'create', 'other', ({ opclassname }) => opclassname),
  CreateOpFamilyStmt: listed('CREATE OPERATOR FAMILY', 'create', 'other', ({ opfamilyname }) => opfamilyname),
  CreateTransformStmt: () => ddl.simple('CREATE TRANSFORM', 'create', 'other', { name: 'transform' }),
  AlterTSConfigurationStmt: listed('ALTER TEXT SEARCH CONFIGURATION', 'alter', 'other', ({ cfgname }) => cfgname),
  AlterTSDictionaryStmt: listed('ALTER TEXT SEARCH DICTIONARY', 'alter', 'other', ({ dictname }) => dictname),
  AlterObjectDependsStmt: ({ objectType, relation, object }) => {
    const objects = relation
      ? [{ kind: 'relation' as const, ...nameOfRelation(relation) }]
      : objectsOf(objectType, object)
    return {
      tag: 'ALTER … DEPENDS ON EXTENSION',
      effects: objects.map(({ kind, ...name }) => effect('alter', kind, name)),
    }
  },

  // Who may do what
  AlterDefaultPrivilegesStmt: privileges.readDefaultPrivileges,
  AlterRoleSetStmt: privileges.readAlterRoleSet,
  AlterRoleStmt: privileges.readAlterRole,
  CreateRoleStmt: privileges.readCreateRole,
  DropOwnedStmt: privileges.readDropOwned,
  DropRoleStmt: privileges.readDropRole,
  GrantRoleStmt: privileges.readGrantRole,
  GrantStmt: privileges.readGrant,
  ReassignOwnedStmt: privileges.readReassignOwned,
  CreatePolicyStmt: onRelation('CREATE POLICY', 'alter', ({ table }) => table, 'row-security'),
  AlterPolicyStmt: onRelation('ALTER POLICY', 'alter', ({ table }) => table, 'row-security'),
  SecLabelStmt: (statement, context) => ({
    ...ddl.readComment(statement, context),
    tag: 'SECURITY LABEL',
    dangers: [danger('protection-off', 'SECURITY LABEL')],
  }),

  // Upkeep
  CheckPointStmt: () =>
    ddl.simple('CHECKPOINT', 'maintain', 'database', { name: 'server' }, {}, danger('input-output', 'CHECKPOINT')),
  ClusterStmt: upkeep.readCluster,
  LockStmt: upkeep.readLock,
  RefreshMatViewStmt: upkeep.readRefresh,
  ReindexStmt: upkeep.readReindex,
  VacuumStmt: upkeep.readVacuum,

  // The server, its files, and other servers
  AlterSystemStmt: administers('ALTER SYSTEM', 'setting', ({ setstmt }) => setstmt?.name ?? 'all', 'server-control'),
  LoadStmt: readLoad,
  AlterExtensionContentsStmt: administers('ALTER EXTENSION', 'extension', ({ extname }) => extname),
  AlterExtensionStmt: administers('ALTER EXTENSION', 'extension', ({ extname }) => extname),
  CreateExtensionStmt: administers('CREATE EXTENSION', 'extension', ({ extname }) => extname),
  CreateAmStmt: administers('CREATE ACCESS METHOD', 'other', ({ amname }) => amname, 'server-code'),
  AlterDatabaseRefreshCollStmt: named('ALTER DATABASE', 'alter', 'database', ({ dbname }) => dbname),
  AlterDatabaseSetStmt: named('ALTER DATABASE SET', 'alter', 'database', ({ dbname }) => dbname, 'guard-rail'),
  AlterDatabaseStmt: named('ALTER DATABASE', 'alter', 'database', ({ dbname }) => dbname),
  CreatedbStmt: named('CREATE DATABASE', 'create', 'database', ({ dbname }) => dbname),
  DropdbStmt: named('DROP DATABASE', 'drop', 'database', ({ dbname }) => dbname, 'data-loss'),
  CreateTableSpaceStmt: administers(
    'CREATE TABLESPACE',
    'tablespace',
    ({ tablespacename }) => tablespacename,
    'server-file',
  ),
  AlterTableSpaceOptionsStmt: administers('ALTER TABLESPACE', 'tablespace', ({ tablespacename }) => tablespacename),
  DropTableSpaceStmt: named('DROP TABLESPACE', 'drop', 'tablespace', ({ tablespacename }) => tablespacename),
  CreateFdwStmt: administers('CREATE FOREIGN DATA WRAPPER', 'server', ({ fdwname }) => fdwname, 'remote'),
  AlterFdwStmt: administers('ALTER FOREIGN DATA WRAPPER', 'server', ({ fdwname }) => fdwname, 'remote'),
  CreateForeignServerStmt: secret(administers('CREATE SERVER', 'server', ({ servername }) => servername, 'remote')),
  AlterForeignServerStmt: secret(administers('ALTER SERVER', 'server', ({ servername }) => servername, 'remote')),
  CreateForeignTableStmt: readForeignTable,
  ImportForeignSchemaStmt: administers('IMPORT FOREIGN SCHEMA', 'server', ({ server_name }) => server_name, 'remote'),
  CreateUserMappingStmt: secret(administers('CREATE USER MAPPING', 'server', ({ servername }) => servername, 'remote')),
  AlterUserMappingStmt: secret(administers('ALTER USER MAPPING', 'server', ({ servername }) => servername, 'remote')),
  DropUserMappingStmt: administers('DROP USER MAPPING', 'server', ({ servername }) => servername),
  CreatePublicationStmt: named('CREATE PUBLICATION', 'administer', 'publication', ({ pubname }) => pubname, 'all-data'),
  AlterPublicationStmt: named('ALTER PUBLICATION', 'administer', 'publication', ({ pubname }) => pubname, 'all-data'),
  CreateSubscriptionStmt: secret(
    administers('CREATE SUBSCRIPTION', 'subscription', ({ subname }) => subname, 'remote'),
  ),
  AlterSubscriptionStmt: secret(administers('ALTER SUBSCRIPTION', 'subscription', ({ subname }) => subname, 'remote')),
  DropSubscriptionStmt: administers('DROP SUBSCRIPTION', 'subscription', ({ subname }) => subname, 'remote'),

  // Parts of statements, which the grammar never gives alone
  PLAssignStmt: unknown,
  RawStmt: unknown,
  ReplicaIdentityStmt: unknown,
  ReturnStmt: unknown,
  SetOperationStmt: unknown,
}

export const readUnknown: Reader<object> = unknown
