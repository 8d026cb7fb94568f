import type { Target } from '@countersign/contracts'
import { PolicyError } from './policy-error.ts'

/*
 * DATAOWNERS says who owns which data (FORMAT.md). One rule a line: a pattern, then groups. The last rule that
 * matches is the one that counts.
 */

export interface OwnerRule {
  readonly pattern: string
  /** Without the @. Empty: nobody owns it, so nobody can sign for it. */
  readonly groups: readonly string[]
  readonly line: number
}

export type Owners = readonly OwnerRule[]

const FILE = 'DATAOWNERS'
const GROUP = /^@[\w.:/-]+$/
const PATTERN = /^[^/\s@#]+\/[^/\s@#]+$|^\*$/

export const parseOwners = (text: string): Owners =>
  text.split(/\r?\n/).flatMap((line, index) => parseLine(contentOf(line), index + 1))

const contentOf = (line: string): string => line.replace(/(^|\s)#.*$/, '').trim()

/** All that is wrong with a file, where `parseOwners` ends at the first. */
export const faultsInOwners = (text: string): readonly PolicyError[] =>
  text.split(/\r?\n/).flatMap((line, index) => {
    try {
      parseLine(contentOf(line), index + 1)
      return []
    } catch (error) {
      if (error instanceof PolicyError) return [error]
      throw error
    }
  })

const parseLine = (text: string, line: number): Owners => {
  if (text === '') return []
  const [pattern = '', ...groups] = text.split(/\s+/)
  if (!PATTERN.test(pattern)) {
    throw new PolicyError(
      'OWNERS_SYNTAX',
      FILE,
      line,
      `\`${pattern}\` is no pattern: expected environment/database.schema.relation`,
    )
  }
  const wrong = groups.find((group) => !GROUP.test(group))
  if (wrong !== undefined)
    throw new PolicyError('OWNERS_SYNTAX', FILE, line, `\`${wrong}\` is no group: expected @name`)
  return [{ pattern, groups: groups.map((group) => group.slice(1)), line }]
}

/**
 * The groups that own a relation (`schema.relation`); without one, those that own the database as a whole: for what
 * belongs to no relation, such as roles and functions.
 */
export const ownersOf = (owners: Owners, { environment, database }: Target, relation?: string): readonly string[] => {
  const name = relation === undefined ? `${environment}/${database}` : `${environment}/${database}.${relation}`
  const rule = owners.findLast(({ pattern }) => matches(pattern, name, relation === undefined))
  return rule?.groups ?? []
}

/** A pattern for everything in a database is a pattern for the database. */
const matches = (pattern: string, name: string, isDatabase: boolean): boolean => {
  if (globMatches(pattern, name)) return true
  if (isDatabase) return pattern.endsWith('.*') && globMatches(pattern.replace(/(\.\*)+$/, ''), name)
  return globMatches(`${pattern}.*`, name) // A database or a schema means everything in it.
}

/** `*` stands for any characters. Written without a regular expression, so that no pattern can be slow. */
const globMatches = (pattern: string, name: string): boolean => {
  const [first = '', ...parts] = pattern.split('*')
  if (parts.length === 0) return pattern === name
  if (!name.startsWith(first)) return false
  const last = parts.pop() ?? ''
  let at = first.length
  for (const part of parts) {
    const found = name.indexOf(part, at)
    if (found < 0) return false
    at = found + part.length
  }
  return name.length - last.length >= at && name.endsWith(last)
}
