import { createHash } from 'node:crypto'
import type { Dependent } from './dependents.ts'
import { nameOfHit, type Effect, type Hit } from './hits.ts'
import type { LockLevel } from './lock-level.ts'
import { summaryOf } from './summary.ts'
import type { Surroundings } from './surroundings.ts'

/*
 * What a statement would reach, as it is shown and kept: bounded in size, without a value of any row but for the
 * sample, which its maker has masked. The shape is that of libs/contracts.
 */

export interface Blast {
  readonly summary: string
  readonly relations: readonly BlastRelation[]
  readonly dependents: readonly Dependent[]
  readonly stops: readonly string[]
  readonly unknown: readonly string[]
  readonly more?: { readonly relations: number; readonly dependents: number; readonly digest: string }
  readonly sample?: BlastSample
}

export interface BlastRelation {
  readonly name: string
  readonly effect: Effect
  readonly through?: string
  readonly rows?: Rows
  readonly bytes?: number
  readonly lock?: LockLevel
  readonly rewrites?: true
  readonly scans?: true
}

export interface Rows {
  readonly rows: number
  readonly exact: boolean
}

export interface BlastSample {
  readonly relation: string
  readonly columns: readonly string[]
  readonly rows: readonly (readonly (string | null)[])[]
}

export interface BlastParts {
  readonly hits: readonly Hit[]
  readonly near: Surroundings
  /** By `keyOfHit`. */
  readonly rows: ReadonlyMap<string, Rows>
  readonly bytes: ReadonlyMap<number, number>
  readonly dependents: readonly Dependent[]
  readonly stops: readonly string[]
  readonly unknown: readonly string[]
  readonly sample: BlastSample | undefined
}

export const keyOfHit = ({ oid, effect }: Pick<Hit, 'oid' | 'effect'>): string => `${oid} ${effect}`

const LIST_MAX = 200
const LINES_MAX = 50
const LINE_MAX = 300
const DIGITS = 8

export const blastOf = (parts: BlastParts): Blast => {
  const relations = parts.hits.map((hit) => relationOf(hit, parts))
  const dependents = parts.dependents.map(({ kind, name, cascade }) => ({ kind, name: shortened(name), cascade }))
  const listed = {
    relations: relations.slice(0, LIST_MAX),
    dependents: dependents.slice(0, LIST_MAX),
    stops: linesOf(parts.stops),
    unknown: linesOf(parts.unknown),
  }
  const left = {
    relations: relations.length - listed.relations.length,
    dependents: dependents.length - listed.dependents.length,
  }
  const isCut = left.relations + left.dependents > 0
  return {
    summary: summaryOf({ ...listed, relations, dependents }),
    ...listed,
    ...(isCut && { more: { ...left, digest: digestOf(relations, dependents) } }),
    ...(parts.sample && { sample: parts.sample }),
  }
}

const relationOf = (hit: Hit, { near, rows, bytes }: BlastParts): BlastRelation => {
  const count = rows.get(keyOfHit(hit))
  const size = bytes.get(hit.oid)
  return {
    name: shortened(nameOfHit(hit, near)),
    effect: hit.effect,
    ...(hit.through !== undefined && { through: shortened(hit.through) }),
    ...(count && { rows: count }),
    ...(size !== undefined && { bytes: size }),
    ...(hit.lock && { lock: hit.lock }),
    ...(hit.rewrites && { rewrites: true as const }),
    ...(hit.scans && !hit.rewrites && { scans: true as const }),
  }
}

const digestOf = (relations: readonly BlastRelation[], dependents: readonly Dependent[]): string => {
  const hash = createHash('sha256')
  const names = [
    ...relations.map(({ name, effect, lock = '', rewrites = false }) => `${effect} ${name} ${lock} ${rewrites}`),
    ...dependents.map(({ kind, name }) => `${kind} ${name}`),
  ]
  for (const name of names.sort()) hash.update(name).update('\0')
  return hash.digest('hex')
}

const linesOf = (lines: readonly string[]): readonly string[] =>
  lines.length <= LINES_MAX
    ? lines.map(shortened)
    : [...lines.slice(0, LINES_MAX - 1).map(shortened), `and ${lines.length - LINES_MAX + 1} more`]

/** What is cut off still tells two of them apart. */
const shortened = (text: string): string => {
  if (text.length <= LINE_MAX) return text
  const digest = createHash('sha256').update(text).digest('hex').slice(0, DIGITS)
  return `${text.slice(0, LINE_MAX - DIGITS - 2)}…#${digest}`
}

/** When it could not be looked into at all. */
export const unknownBlast = (why: string): Blast => ({
  summary: `not known: ${why}`,
  relations: [],
  dependents: [],
  stops: [],
  unknown: [why],
})
