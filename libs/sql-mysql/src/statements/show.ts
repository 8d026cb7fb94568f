import { danger, effect, type Danger } from '@countersign/sql'
import type { Draft } from '../command.ts'
import { wordOf, type Words } from '../words.ts'

/* SHOW, read to its end: what it may show, and what follows. */

/** Descriptions of the schema and of the session, by their words. */
const PLAIN = [
  'DATABASES',
  'SCHEMAS',
  'TABLES',
  'COLUMNS',
  'FIELDS',
  'INDEX',
  'INDEXES',
  'KEYS',
  'TABLE STATUS',
  'OPEN TABLES',
  'TRIGGERS',
  'EVENTS',
  'PROCEDURE STATUS',
  'FUNCTION STATUS',
  'PACKAGE STATUS',
  'VARIABLES',
  'STATUS',
  'WARNINGS',
  'ERRORS',
  'COUNT ( * ) WARNINGS',
  'COUNT ( * ) ERRORS',
  'ENGINES',
  'STORAGE ENGINES',
  'CHARACTER SET',
  'CHARSET',
  'COLLATION',
  'PRIVILEGES',
  'PLUGINS',
  'CREATE TABLE',
  'CREATE VIEW',
  'CREATE DATABASE',
  'CREATE SCHEMA',
  'CREATE PROCEDURE',
  'CREATE FUNCTION',
  'CREATE TRIGGER',
  'CREATE EVENT',
  'CREATE SEQUENCE',
  'PROCEDURE CODE',
  'FUNCTION CODE',
].sort((a, b) => b.length - a.length)

/** What shows more than a schema. */
const SPECIAL: readonly (readonly [words: string, danger: Danger])[] = [
  ['PROCESSLIST', danger('other-statements', 'SHOW PROCESSLIST')],
  ['EXPLAIN', danger('session-control', 'SHOW EXPLAIN')],
  ['ANALYZE', danger('session-control', 'SHOW ANALYZE')],
  // With IDENTIFIED BY PASSWORD, in MariaDB.
  ['GRANTS', danger('password-hashes', 'SHOW GRANTS')],
  ['CREATE USER', danger('password-hashes', 'SHOW CREATE USER')],
  ['CREATE SERVER', danger('stored-credentials', 'SHOW CREATE SERVER')],
]

export const show = (words: Words): Draft | undefined => {
  words.oneOf('FULL', 'EXTENDED', 'GLOBAL', 'SESSION', 'LOCAL')
  words.oneOf('FULL')
  const special = SPECIAL.find(([said]) => words.take(...said.split(' ')))
  if (special)
    return {
      tag: 'SHOW',
      effects: [effect('read', 'statement', { name: `SHOW ${special[0]}` })],
      dangers: [special[1]],
    }
  const plain = PLAIN.find((said) => words.take(...said.split(' ')))
  if (!plain)
    return {
      tag: 'SHOW',
      effects: [effect('administer', 'statement', { name: 'SHOW' })],
      dangers: [danger('server-control', 'SHOW')],
    }
  return passObject(words, plain) && isFilter(words)
    ? { tag: 'SHOW', effects: [effect('read', 'statement', { name: `SHOW ${plain}` })], harmless: true }
    : undefined
}

/** `FROM t IN d`, `IF NOT EXISTS d.t` */
const passObject = (words: Words, plain: string): boolean => {
  if (plain.startsWith('CREATE') || plain.endsWith('CODE')) {
    words.take('IF', 'NOT', 'EXISTS')
    return words.name() !== undefined
  }
  while (words.oneOf('FROM', 'IN')) if (!words.name()) return false
  return true
}

const COMPARED = new Set(['=', '<>', '!=', 'LIKE', 'IN', 'AND', 'OR', 'NOT', '(', ')', ','])

/** `LIKE 'a%'`, `LIMIT 1`, or WHERE with nothing but names and constants: it could call anything otherwise. */
const isFilter = (words: Words): boolean => {
  if (words.ended) return true
  if (words.take('LIKE')) return words.kind('string') !== undefined && words.ended
  if (words.take('LIMIT')) return words.rest().every(({ kind, text }) => kind === 'number' || text === ',')
  if (!words.take('WHERE')) return false
  return words.rest().every((token, index, all) => {
    const isCall =
      wordOf(token) === '(' && index > 0 && !['IN', 'AND', 'OR', 'NOT', '('].includes(wordOf(all[index - 1]))
    return (
      !isCall &&
      (COMPARED.has(wordOf(token)) || ['string', 'number'].includes(token.kind) || isName(token.kind, token.word))
    )
  })
}

const isName = (kind: string, word: string): boolean =>
  kind === 'quoted' || (kind === 'word' && !['SELECT', 'UNION', 'TABLE', 'VALUES', 'WITH'].includes(word))
