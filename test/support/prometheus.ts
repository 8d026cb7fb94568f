/** What a scrape holds, read by the letter. SPEC: Prometheus text exposition format 0.0.4. */
export interface Family {
  readonly type: string
  readonly samples: Sample[]
}

export interface Sample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*'
const HELP = new RegExp(`^# HELP (${NAME}) (.*)$`)
const TYPE = new RegExp(`^# TYPE (${NAME}) (counter|gauge|histogram)$`)
const SAMPLE = new RegExp(`^(${NAME})(?:\\{(.*)\\})? (\\S+)$`)
const LABEL = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\\\|\\"|\\n)*)"(?:,|$)/

/** Throws on the first line that is not right, and on families that are not consistent. */
export const readScrape = (text: string): ReadonlyMap<string, Family> => {
  if (!text.endsWith('\n')) throw new Error('the last line does not end')
  const families = new Map<string, Family>()
  let current = ''
  for (const line of text.split('\n')) {
    if (line === '' || HELP.test(line)) continue
    const [, name, type] = TYPE.exec(line) ?? []
    if (name !== undefined && type !== undefined) {
      if (families.has(name)) throw new Error(`${name} comes twice`)
      families.set(name, { type, samples: [] })
      current = name
      continue
    }
    const sample = sampleIn(line)
    const family = families.get(current)
    if (!family || !belongs(sample.name, current, family.type)) throw new Error(`out of place: ${line}`)
    family.samples.push(sample)
  }
  for (const [name, family] of families) checkFamily(name, family)
  return families
}

const belongs = (sample: string, family: string, type: string): boolean =>
  type === 'histogram' ? ['_bucket', '_sum', '_count'].some((end) => sample === family + end) : sample === family

const sampleIn = (line: string): Sample => {
  const [, name, labels = '', value] = SAMPLE.exec(line) ?? []
  const number = value === '+Inf' ? Number.POSITIVE_INFINITY : Number(value)
  if (name === undefined || value === undefined || Number.isNaN(number)) throw new Error(`no sample: ${line}`)
  return { name, labels: labelsIn(labels), value: number }
}

const labelsIn = (text: string): Readonly<Record<string, string>> => {
  const labels: Record<string, string> = {}
  for (let rest = text; rest !== '';) {
    const [whole, key, value] = LABEL.exec(rest) ?? []
    if (whole === undefined || key === undefined || value === undefined || key in labels) {
      throw new Error(`no labels: ${text}`)
    }
    labels[key] = value
    rest = rest.slice(whole.length)
  }
  return labels
}

const checkFamily = (name: string, { type, samples }: Family): void => {
  const series = samples.map((sample) => `${sample.name}${JSON.stringify(sample.labels)}`)
  if (new Set(series).size !== series.length) throw new Error(`${name}: a series comes twice`)
  if (type === 'counter' && samples.some(({ value }) => value < 0)) throw new Error(`${name}: a counter below zero`)
  if (type !== 'histogram') return
  const groups = new Map<string, Sample[]>()
  for (const sample of samples) {
    const { le: _, ...rest } = sample.labels
    const key = JSON.stringify(rest)
    groups.set(key, [...(groups.get(key) ?? []), sample])
  }
  for (const group of groups.values()) checkHistogram(name, group)
}

const checkHistogram = (name: string, samples: readonly Sample[]): void => {
  const buckets = samples.filter((sample) => sample.name === `${name}_bucket`)
  const count = samples.find((sample) => sample.name === `${name}_count`)?.value
  const bounds = buckets.map(({ labels }) =>
    labels['le'] === '+Inf' ? Number.POSITIVE_INFINITY : Number(labels['le']),
  )
  const rising = (values: readonly number[], strictly: boolean) =>
    values.every((value, at) => at === 0 || (strictly ? value > (values[at - 1] ?? 0) : value >= (values[at - 1] ?? 0)))
  const right =
    rising(bounds, true) &&
    rising(
      buckets.map(({ value }) => value),
      false,
    ) &&
    bounds.at(-1) === Number.POSITIVE_INFINITY &&
    buckets.at(-1)?.value === count &&
    samples.some((sample) => sample.name === `${name}_sum`)
  if (!right) throw new Error(`${name}: a histogram that is none`)
}
