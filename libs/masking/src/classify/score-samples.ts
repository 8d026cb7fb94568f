import { CLASS_TRAITS, type DataClass } from '../data-class.ts'
import { classOfValue, findValues } from '../detect/find-values.ts'

export interface SampleScore {
  readonly verdict?: { readonly class: DataClass; readonly confidence: number; readonly because: string }
}

/**
 * So large a part of the values must agree. A column is judged, not a value: one in ten numbers passes a check digit.
 */
const AGREEMENT = 0.7
/**
 * Keys have forms that nothing else has, and where some are kept others lie that have no form at all: the values of a
 * table of settings, for one.
 */
const SECRET_AGREEMENT = 0.3
/** A few values agree by chance. */
const SAMPLES_MIN = 3
/** So many words on average are sentences. */
const SENTENCE_WORDS = 5
const SAMPLE_LENGTH_MAX = 4096

/** What the values themselves say: one class that most of them are, or text in which values stand. */
export const scoreSamples = (samples: readonly (string | null)[]): SampleScore => {
  const values = samples.flatMap((sample) => (sample?.trim() ? [sample.slice(0, SAMPLE_LENGTH_MAX)] : []))
  if (values.length < SAMPLES_MIN) return {}
  const counts = countClasses(values)
  const [best, count] = [...counts].toSorted((a, b) => b[1] - a[1])[0] ?? ['clear', 0]
  const share = count / values.length
  if (best !== 'clear' && share >= (CLASS_TRAITS[best].sensitivity === 'secret' ? SECRET_AGREEMENT : AGREEMENT)) {
    return {
      verdict: {
        class: best,
        confidence: round(0.6 + 0.35 * share),
        because: `${percent(share)} of its values are of this class`,
      },
    }
  }
  return freeText(values)
}

const countClasses = (values: readonly string[]): ReadonlyMap<DataClass, number> => {
  const counts = new Map<DataClass, number>()
  for (const value of values) {
    const found = classOfValue(value)
    if (found) counts.set(found, (counts.get(found) ?? 0) + 1)
  }
  return counts
}

/** Of numbers alone so many must be of a class: of sixteen random digits one in seventeen could be a card. */
const NUMBERS_MIN = 0.2
const NUMBERS: ReadonlySet<DataClass | undefined> = new Set<DataClass>(['card', 'phone', 'ssn', 'tax-id'])

const freeText = (values: readonly string[]): SampleScore => {
  const numbers = values.filter((value) => NUMBERS.has(classOfValue(value))).length
  const others = values.filter((value) => !NUMBERS.has(classOfValue(value)) && findValues(value, 'certain').length > 0)
  if (others.length > 0 || numbers / values.length >= NUMBERS_MIN) {
    const because = `sensitive values stand in ${percent((numbers + others.length) / values.length)} of its values`
    return { verdict: { class: 'free-text', confidence: 0.8, because } }
  }
  const words = values.reduce((sum, value) => sum + value.split(/\s+/).length, 0)
  return words / values.length >= SENTENCE_WORDS
    ? { verdict: { class: 'free-text', confidence: 0.7, because: 'its values are sentences' } }
    : {}
}

const percent = (share: number): string => `${Math.round(share * 100)} %`
const round = (value: number): number => Math.round(value * 100) / 100
