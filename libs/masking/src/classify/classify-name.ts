import type { DataClass } from '../data-class.ts'
import type { ColumnFamily } from './column-family.ts'
import {
  ABOUT,
  ASKING,
  HEALTH_WORDS,
  NAME_RULES,
  PERSON_WORDS,
  PLACE_WORDS,
  POINTERS,
  type NameRule,
} from './dictionary.ts'
import { termsOf, vocabularyOf } from './words.ts'

export interface NameVerdict {
  readonly class: DataClass
  readonly confidence: number
  /** The words that said so. */
  readonly phrase: string
}

interface Phrase {
  readonly terms: readonly string[]
  readonly rule: NameRule
}

const PHRASES: readonly Phrase[] = NAME_RULES.flatMap((rule) =>
  rule.phrases.map((phrase) => ({ terms: phrase.split(' '), rule })),
)

const VOCABULARY = vocabularyOf([...NAME_RULES.flatMap((rule) => rule.phrases), ...PERSON_WORDS, ...ABOUT])

/** Phrases by their last word, which is where a match is looked for. */
const BY_LAST_TERM: ReadonlyMap<string, readonly Phrase[]> = Map.groupBy(PHRASES, ({ terms }) => terms.at(-1) ?? '')

/**
 * What a name says, in the table or object that it belongs to. The phrase that ends last decides, the longest of those:
 * `email_address` is an e-mail address, `contact_email_body` a body of text.
 */
export const classifyName = (name: string, owner: string, family: ColumnFamily): NameVerdict | undefined => {
  const terms = termsOf(name, VOCABULARY)
  if (terms.length > 1 && ASKING.has(terms[0] ?? '')) return undefined
  for (let end = terms.length; end > 0; end--) {
    const verdict = bestEndingAt(terms, end, owner, family)
    if (verdict) return speaksAbout(terms.slice(end)) ? undefined : verdict
  }
  return undefined
}

/** Whether a text (a comment) names a class: its longest phrase. */
export const classNamedIn = (text: string): NameVerdict | undefined => {
  const terms = termsOf(text, VOCABULARY)
  const verdicts = terms.flatMap((_, index) => bestEndingAt(terms, index + 1, 'people', 'text') ?? [])
  return verdicts.toSorted((a, b) => b.phrase.length - a.phrase.length)[0]
}

/** Whether a name is one of people: `customers`, `billing_contact`. */
export const namesPeople = (name: string): boolean => isPerson(lastWord(name))

const bestEndingAt = (
  terms: readonly string[],
  end: number,
  owner: string,
  family: ColumnFamily,
): NameVerdict | undefined => {
  const fitting = (BY_LAST_TERM.get(terms[end - 1] ?? '') ?? []).filter(
    (phrase) => endsWith(terms, end, phrase.terms) && fits(phrase, terms, end, owner, family),
  )
  const best = fitting.toSorted((a, b) => b.terms.length - a.terms.length)[0]
  return best && { class: best.rule.class, confidence: best.rule.confidence, phrase: best.terms.join(' ') }
}

const endsWith = (terms: readonly string[], end: number, phrase: readonly string[]): boolean =>
  phrase.every((term, i) => terms[end - phrase.length + i] === term)

const fits = (phrase: Phrase, terms: readonly string[], end: number, owner: string, family: ColumnFamily): boolean => {
  if (!phrase.rule.families.includes(family)) return false
  const others = [...terms.slice(0, end - phrase.terms.length), ...terms.slice(end)]
  switch (phrase.rule.context) {
    case 'account':
      if (singular(lastWord(owner)) === 'account' && others.length === 0) return true
      return speaksOfPeople(others, owner)
    case 'person':
      return speaksOfPeople(others, owner)
    case 'health':
      return [...others, ...termsOf(owner, VOCABULARY)].some((term) => HEALTH_WORDS.has(singular(term)))
    case 'not-places':
      return ![lastWord(owner), ...others].some((term) => PLACE_WORDS.has(singular(term)))
    default:
      return true
  }
}

/** Every word besides the phrase is one of people or says nothing; if there is none of people, the table's name is. */
const speaksOfPeople = (others: readonly string[], owner: string): boolean =>
  others.every((term) => isPerson(term) || NEUTRAL.has(term)) && (others.some(isPerson) || namesPeople(owner))

/** Say nothing about what is named: `legal_name`, `old_name`. */
const NEUTRAL: ReadonlySet<string> = new Set(
  'full display legal preferred old new current previous primary secondary main the of real'.split(' '),
)

const speaksAbout = (rest: readonly string[]): boolean => {
  const last = rest.at(-1)
  return last !== undefined && (POINTERS.has(last) || rest.some((term) => ABOUT.has(term)))
}

const isPerson = (term: string): boolean => PERSON_WORDS.has(term) || PERSON_WORDS.has(singular(term))

const singular = (term: string): string => {
  if (term.endsWith('ies')) return `${term.slice(0, -3)}y`
  return term.endsWith('s') && !term.endsWith('ss') ? term.slice(0, -1) : term
}

const lastWord = (name: string): string => termsOf(name, VOCABULARY).findLast((term) => !/^\d+$/.test(term)) ?? ''
