import { isSensitive, type DataClass } from '../data-class.ts'
import { classifyName, classNamedIn, type NameVerdict } from './classify-name.ts'
import { canHoldText, familyOf, type ColumnFamily } from './column-family.ts'
import { scoreSamples } from './score-samples.ts'

export interface ColumnToClassify {
  readonly schema: string
  readonly relation: string
  readonly column: string
  /** As `format_type(atttypid, atttypmod)` writes it, or `pg_type.typname`. */
  readonly dataType: string
  readonly comment?: string | undefined
  /** The column that a foreign key points to, and its class if that is known. */
  readonly references?: { readonly relation: string; readonly column: string; readonly class?: DataClass } | undefined
  /** Values in their text form, as many as one likes to read; NULLs are left out of account. */
  readonly samples?: readonly (string | null)[] | undefined
}

export interface Classification {
  readonly class: DataClass
  readonly confidence: number
  /** For people. Names words and shares, never a value. */
  readonly because: string
}

/**
 * What a column holds, by what is known of it: what its comment says outright, then its name, then where it points to,
 * then its values. Each is certain enough alone; together they are more so.
 */
export const classifyColumn = (column: ColumnToClassify): Classification => {
  const family = familyOf(column.dataType)
  const values = scoreSamples(column.samples ?? [])
  const said = byComment(column.comment, family) ?? byReference(column) ?? byName(column, family)
  const found = fitting(values.verdict, family)

  if (said && found && said.class === found.class)
    return { ...said, confidence: 0.99, because: `${said.because}; ${found.because}` }
  if (said && isSensitive(said.class)) return said
  if (found && (isSensitive(found.class) || !said)) return found
  return said ?? byType(family)
}

/** Numbers can be of a class; text can stand only where text can. */
const fitting = (found: Classification | undefined, family: ColumnFamily): Classification | undefined => {
  if (!found || canHoldText(family)) return found
  return isSensitive(found.class) && (family === 'integer' || family === 'numeric') ? found : undefined
}

const PERSONAL = new RegExp(
  String.raw`\b(pii|phi|spi|personal(ly)? (data|information|identifiable)|personenbezogen\w*|sensitive|confidential|` +
    String.raw`donn[ée]es personnelles|datos personales|dati personali|dados pessoais|persoonsgegevens|` +
    String.raw`gdpr|dsgvo|rgpd|hipaa)\b`,
  'i',
)
const NEGATED =
  /\b(no|not|non|kein\w*|without|sin|sans)\b[\s:-]*((any|personal|pii|phi|sensitive|confidential|gdpr|data)\b[\s:-]*)+/i
const POSSIBLE = /\b(may|might|can|could|possibly)\b/i
const SHORT_COMMENT_WORDS = 5

/** A comment that is short, or that speaks of personal data, is meant as a classification. */
const byComment = (comment: string | undefined, family: ColumnFamily): Classification | undefined => {
  if (!comment?.trim()) return undefined
  if (NEGATED.test(comment))
    return { class: 'clear', confidence: 0.8, because: 'its comment says that it is not personal' }
  const isTagged = PERSONAL.test(comment)
  if (!isTagged && comment.trim().split(/\s+/).length > SHORT_COMMENT_WORDS) return undefined
  const named = classNamedIn(comment)
  if (named && (isTagged || isSensitive(named.class)) && named.class !== 'clear') {
    return { class: named.class, confidence: isTagged ? 0.95 : 0.8, because: `its comment says ${named.phrase}` }
  }
  if (!isTagged) return undefined
  return canHoldText(family) && POSSIBLE.test(comment)
    ? { class: 'free-text', confidence: 0.8, because: 'its comment says that it may hold personal data' }
    : { class: 'unknown', confidence: 0.8, because: 'its comment says that it is sensitive' }
}

/** A key that people are known by in one table makes no less of a secret in another; a row's number stays one. */
const byReference = ({ references }: ColumnToClassify): Classification | undefined => {
  if (!references) return undefined
  const target = `${references.relation}.${references.column}`
  return references.class && isSensitive(references.class)
    ? { class: references.class, confidence: 0.95, because: `it refers to ${target}` }
    : { class: 'clear', confidence: 0.9, because: `it refers to ${target}` }
}

const byName = ({ column, relation }: ColumnToClassify, family: ColumnFamily): Classification | undefined => {
  const verdict = classifyName(column, relation, family) ?? byAddressType(column, family)
  if (!verdict) return undefined
  return { class: verdict.class, confidence: verdict.confidence, because: `its name says ${verdict.phrase}` }
}

const NETWORK = /net|cidr|range|gateway|server|node|host|mask|listen|bind/i

/** An `inet` that is not named after a network or a machine is where somebody was. */
const byAddressType = (column: string, family: ColumnFamily): NameVerdict | undefined =>
  family === 'inet' && !NETWORK.test(column)
    ? { class: 'ip-address', confidence: 0.7, phrase: 'inet (its type)' }
    : undefined

const byType = (family: ColumnFamily): Classification =>
  family === 'json' || family === 'array' || family === 'other'
    ? { class: 'free-text', confidence: 0.5, because: 'its type can hold anything' }
    : { class: 'clear', confidence: 0.6, because: 'nothing speaks for anything sensitive' }
