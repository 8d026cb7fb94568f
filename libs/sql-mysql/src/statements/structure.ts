import { danger, effect, type Action, type Danger, type Effect, type Name, type ObjectKind } from '@countersign/sql'
import type { Draft } from '../command.ts'
import type { Words } from '../words.ts'
import type { Reader } from './session.ts'

/* CREATE, ALTER, DROP and their like: all of them wait or are denied, so that it is enough to know of what they speak. */

interface What {
  readonly words: string
  readonly kind: ObjectKind
  readonly dangers?: readonly Danger[]
  readonly secrets?: true
}

const what = (words: string, kind: ObjectKind, more: Omit<What, 'words' | 'kind'> = {}): What => ({
  words,
  kind,
  ...more,
})

const OBJECTS: readonly What[] = [
  what('TABLE', 'relation'),
  what('TABLES', 'relation'),
  what('VIEW', 'relation'),
  what('SEQUENCE', 'relation'),
  what('DATABASE', 'schema'),
  what('SCHEMA', 'schema'),
  what('PROCEDURE', 'routine'),
  what('FUNCTION', 'routine'),
  what('PACKAGE', 'routine'),
  what('TRIGGER', 'trigger'),
  what('EVENT', 'routine', { dangers: [danger('writes-in-code', 'an event')] }),
  what('USER', 'role', { secrets: true }),
  what('ROLE', 'role'),
  what('SERVER', 'server', { dangers: [danger('remote', 'a server')], secrets: true }),
  what('TABLESPACE', 'tablespace', { dangers: [danger('server-file', 'a tablespace')] }),
  what('UNDO', 'tablespace', { dangers: [danger('server-file', 'a tablespace')] }),
  what('LOGFILE', 'tablespace', { dangers: [danger('server-file', 'a log file')] }),
  what('INSTANCE', 'other', { dangers: [danger('server-control', 'ALTER INSTANCE')] }),
  what('RESOURCE', 'other', { dangers: [danger('server-control', 'a resource group')] }),
  what('LIBRARY', 'routine', { dangers: [danger('server-code', 'a library')] }),
]

/** What may stand between the verb and the kind of object. */
const BETWEEN = [
  'OR',
  'REPLACE',
  'TEMPORARY',
  'ONLINE',
  'OFFLINE',
  'IGNORE',
  'AGGREGATE',
  'UNIQUE',
  'FULLTEXT',
  'SPATIAL',
  'VECTOR',
  'BODY',
]

const structure =
  (verb: string, action: Action): Reader =>
  (words) => {
    const prefix = passPrefix(words)
    if (words.take('INDEX')) return index(verb, words)
    const object = OBJECTS.find((each) => words.take(each.words))
    if (!object || !prefix) return undefined
    words.take('BODY')
    words.take('IF', 'NOT', 'EXISTS')
    words.take('IF', 'EXISTS')
    const tag = `${verb} ${object.words === 'TABLES' ? 'TABLE' : object.words}`
    const names = verb === 'DROP' ? words.names() : one(words.name())
    const isTemporary = prefix.has('TEMPORARY')
    const dangers = [
      ...(object.dangers ?? []),
      ...dangersIn(tag, words),
      ...(prefix.has('DEFINER') ? [danger('security-definer', tag)] : []),
    ]
    return {
      tag,
      effects: effectsOf(action, object.kind, names, tag),
      dangers,
      temporary: isTemporary && object.kind === 'relation',
      secrets: object.secrets ?? words.has('CONNECTION', 'PASSWORD'),
    }
  }

const one = (name: Name | undefined): readonly Name[] | undefined => name && [name]

const effectsOf = (
  action: Action,
  kind: ObjectKind,
  names: readonly Name[] | undefined,
  tag: string,
): readonly Effect[] => (names ?? [{ name: tag }]).map((name) => effect(action, kind, name))

/** The words that were passed; DEFINER and SQL SECURITY with what they name, ALGORITHM as well. */
const passPrefix = (words: Words): ReadonlySet<string> => {
  const passed = new Set<string>()
  for (;;) {
    const word = words.oneOf(...BETWEEN, 'DEFINER', 'ALGORITHM', 'SQL')
    if (word === undefined) return passed
    passed.add(word)
    if (word === 'SQL') words.at += 2 // SECURITY INVOKER
    if (word === 'DEFINER' || word === 'ALGORITHM') passValue(words)
  }
}

/** `= 'a'@'b'`, `= CURRENT_USER()`, `= MERGE` */
const passValue = (words: Words): void => {
  words.take('=')
  words.at += 1
  if (words.next?.kind === 'variable') words.at += 1
  if (words.next?.kind === 'string' && words.tokens[words.at - 1]?.text === '@') words.at += 1
  words.take('(', ')')
}

const index = (verb: string, words: Words): Draft => {
  while (!words.ended && words.next?.word !== 'ON') words.at += 1
  words.take('ON')
  const name = words.name()
  const tag = `${verb} INDEX`
  return { tag, effects: effectsOf('alter', 'relation', one(name), tag), dangers: [danger('exclusive-lock', tag)] }
}

/** Words of a definition that say more than that it changes the structure. */
const dangersIn = (tag: string, words: Words): readonly Danger[] => [
  ...(isKnownEngine(words) ? [] : [danger('remote', tag)]),
  ...(words.has('SONAME') ? [danger('server-code', tag)] : []),
  ...(words.has('DIRECTORY', 'TABLESPACE') ? [danger('server-file', tag)] : []),
  ...(words.has('CONNECTION', 'FEDERATED', 'CONNECT', 'SPIDER', 'S3') ? [danger('remote', tag)] : []),
  ...(tag === 'ALTER TABLE' && words.has('DROP', 'TRUNCATE', 'DISCARD', 'EXCHANGE', 'REORGANIZE', 'COALESCE')
    ? [danger('data-loss', tag)]
    : []),
  ...(tag === 'ALTER TABLE' && words.has('RENAME', 'CHANGE') ? [danger('rename', tag)] : []),
  ...(tag.startsWith('ALTER TABLE') && words.has('DISABLE') ? [danger('protection-off', tag)] : []),
]

const ENGINES = new Set([
  'innodb',
  'myisam',
  'memory',
  'heap',
  'aria',
  'archive',
  'csv',
  'blackhole',
  'merge',
  'mrg_myisam',
  'rocksdb',
  'sequence',
  'ndb',
  'ndbcluster',
  'columnstore',
])

/** `ENGINE = InnoDB`, quoted or not: others may keep their rows on another server, or in files. */
const isKnownEngine = ({ tokens }: Words): boolean =>
  tokens.every((token, at) => {
    if (token.word !== 'ENGINE' || tokens[at + 1] === undefined) return true
    const value = tokens[at + 1]?.text === '=' ? tokens[at + 2] : tokens[at + 1]
    return ENGINES.has(value?.text.toLowerCase() ?? '')
  })

const rename: Reader = (words) => {
  if (words.take('USER')) return { tag: 'RENAME USER', effects: [effect('alter', 'role', { name: 'RENAME USER' })] }
  if (!words.oneOf('TABLE', 'TABLES')) return undefined
  const effects: Effect[] = []
  do {
    words.take('IF', 'EXISTS')
    const from = words.name()
    if (!from || !words.take('TO')) return undefined
    const to = words.name()
    if (!to) return undefined
    effects.push(effect('alter', 'relation', from), effect('create', 'relation', to))
  } while (words.take(','))
  return { tag: 'RENAME TABLE', effects, dangers: [danger('rename', 'RENAME TABLE')] }
}

const truncate: Reader = (words) => {
  words.take('TABLE')
  const name = words.name()
  return name && { tag: 'TRUNCATE', effects: [effect('truncate', 'relation', name)] }
}

const EVERYTHING = [
  'ALL',
  'SUPER',
  'FILE',
  'GRANT',
  'PROXY',
  'SYSTEM_VARIABLES_ADMIN',
  'SHUTDOWN',
  'PROCESS',
  'REPLICATION',
]

const grant =
  (tag: string): Reader =>
  (words) => {
    const dangers = words.has(...EVERYTHING) && tag === 'GRANT' ? [danger('superuser', tag)] : []
    while (!words.ended && words.next?.word !== 'ON') words.at += 1
    const isOn = words.take('ON')
    const kind = words.oneOf('TABLE', 'PROCEDURE', 'FUNCTION')
    const name = isOn ? words.name() : undefined
    const isRelation = name?.schema !== undefined && (kind === undefined || kind === 'TABLE')
    const effects = [effect('grant', 'role', { name: tag }), ...(isRelation ? [effect('grant', 'relation', name)] : [])]
    return { tag, effects, dangers, secrets: true }
  }

const maintain =
  (verb: string, ...dangers: readonly Danger[]): Reader =>
  (words) => {
    words.oneOf('NO_WRITE_TO_BINLOG', 'LOCAL')
    if (!words.oneOf('TABLE', 'TABLES', 'VIEW')) return undefined
    const names = words.names()
    return (
      names && { tag: `${verb} TABLE`, effects: names.map((name) => effect('maintain', 'relation', name)), dangers }
    )
  }

/** LOCAL: the client's own file, which the server asks for. */
const load: Reader = (words) => {
  if (words.take('INDEX'))
    return {
      tag: 'LOAD INDEX',
      effects: [effect('maintain', 'statement', { name: 'LOAD INDEX' })],
      dangers: [danger('input-output', 'LOAD INDEX')],
    }
  if (!words.oneOf('DATA', 'XML')) return undefined
  words.oneOf('LOW_PRIORITY', 'CONCURRENT')
  const isLocal = words.take('LOCAL')
  while (!words.ended && !(words.next?.word === 'INTO' && words.tokens[words.at + 1]?.word === 'TABLE')) words.at += 1
  if (!words.take('INTO', 'TABLE')) return undefined
  const name = words.name()
  const dangers = isLocal ? [] : [danger('server-file', 'LOAD DATA')]
  const computed = words.has('SET') ? [effect('unknown', 'statement', { name: 'LOAD DATA … SET' })] : []
  return name && { tag: 'LOAD DATA', effects: [effect('copyIn', 'relation', name), ...computed], dangers }
}

export const STRUCTURE: Readonly<Record<string, Reader>> = {
  CREATE: structure('CREATE', 'create'),
  ALTER: structure('ALTER', 'alter'),
  DROP: (words) =>
    words.next?.word === 'PREPARE' && words.tokens.length === words.at + 2
      ? { tag: 'DEALLOCATE', effects: [effect('configure', 'statement', { name: 'DEALLOCATE' })], harmless: true }
      : structure('DROP', 'drop')(words),
  RENAME: rename,
  TRUNCATE: truncate,
  GRANT: grant('GRANT'),
  REVOKE: grant('REVOKE'),
  OPTIMIZE: maintain('OPTIMIZE', danger('exclusive-lock', 'OPTIMIZE TABLE'), danger('input-output', 'OPTIMIZE TABLE')),
  REPAIR: maintain('REPAIR', danger('exclusive-lock', 'REPAIR TABLE'), danger('data-loss', 'REPAIR TABLE')),
  CHECK: maintain('CHECK', danger('input-output', 'CHECK TABLE')),
  CHECKSUM: maintain('CHECKSUM', danger('input-output', 'CHECKSUM TABLE')),
  LOAD: load,
}

export const analyzeTable = maintain('ANALYZE')
