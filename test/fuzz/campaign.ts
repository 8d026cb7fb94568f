import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { parseArgs } from 'node:util'
import { keep, keptOf, type Kept } from './kept.ts'
import { Random, seedOf } from './random.ts'

/** Something that conversations are tried on. */
export interface Target<Plan> {
  readonly name: string
  /** What is going to happen, as plain data; it must not depend on anything but the random numbers. */
  readonly plan: (random: Random) => Plan
  /** Lets it happen. Throws when something that must hold does not. */
  readonly play: (plan: Plan) => Promise<void> | void
  /** What else is worth watching. */
  readonly note?: () => string
  /** How many may be under way at once, where each is waiting for others most of the time. */
  readonly together?: number
  /** The same with something left out, the shortest first: to find out what a failure needs. */
  readonly smaller?: (plan: Plan) => Iterable<Plan>
}

export interface Failure<Plan> {
  readonly seed: number
  readonly plan: Plan
  readonly error: unknown
}

export interface Outcome<Plan> {
  readonly played: number
  readonly failures: readonly Failure<Plan>[]
  readonly seconds: number
  /** What the heap holds after all garbage is gone: after the first tenth, and at the end. */
  readonly heapMiB: readonly [number, number]
  readonly rssMiB: readonly [number, number]
}

export interface CampaignOptions {
  readonly conversations: number
  readonly seed: number
  readonly seconds?: number
  readonly progress?: (line: string) => void
}

/** More than this is no accident any more. */
const FAILURES_MAX = 10
const PROGRESS_MS = 10_000

/** Plays that many conversations, or as many as the time allows. The seed says which. */
export const campaign = async <Plan>(
  target: Target<Plan>,
  { conversations, seed, seconds = Number.POSITIVE_INFINITY, progress }: CampaignOptions,
): Promise<Outcome<Plan>> => {
  const started = performance.now()
  const elapsed = () => (performance.now() - started) / 1_000
  const failures: Failure<Plan>[] = []
  let before: readonly [number, number] | undefined
  let told = started
  let played = 0
  let begun = 0
  const goesOn = () => begun < conversations && elapsed() < seconds && failures.length < FAILURES_MAX
  const lane = async (): Promise<void> => {
    while (goesOn()) {
      const failure = await playedOne(target, seedOf(seed, begun++))
      if (failure) failures.push(failure)
      played += 1
      if (played >= conversations / 10 || elapsed() >= seconds / 10) before ??= memory()
      if (!progress || performance.now() - told < PROGRESS_MS) continue
      told = performance.now()
      const rate = Math.round(played / elapsed())
      const note = [shown(memory()), target.note?.() ?? []].flat().join('; ')
      progress(`${target.name}: ${played} of ${conversations}, ${rate}/s, ${failures.length} failed; ${note}`)
    }
  }
  await Promise.all(Array.from({ length: target.together ?? 1 }, lane))
  const [heapBefore, rssBefore] = before ?? memory()
  const [heap, rss] = memory()
  return { played, failures, seconds: elapsed(), heapMiB: [heapBefore, heap], rssMiB: [rssBefore, rss] }
}

const playedOne = async <Plan>(target: Target<Plan>, seed: number): Promise<Failure<Plan> | undefined> => {
  const plan = target.plan(new Random(seed))
  const error = await failureOf(target, plan)
  return error === undefined ? undefined : { seed, plan, error }
}

/** What an unhandled error says is as much a failure as what is thrown. */
export const failureOf = async <Plan>(target: Target<Plan>, plan: Plan): Promise<unknown> => {
  const unhandled: unknown[] = []
  const note = (error: unknown) => void unhandled.push(error)
  process.on('uncaughtException', note)
  process.on('unhandledRejection', note)
  try {
    await target.play(plan)
    return unhandled[0]
  } catch (error) {
    return error ?? new Error('failed without a reason')
  } finally {
    process.off('uncaughtException', note)
    process.off('unhandledRejection', note)
  }
}

const SHRINKING_MS = 10_000

/** Leaves out whatever the failure does not need, as far as the time allows. */
export const shrunk = async <Plan>(target: Target<Plan>, plan: Plan): Promise<Plan> => {
  const deadline = performance.now() + SHRINKING_MS
  let smallest = plan
  for (let again = true; again;) {
    again = false
    for (const smaller of target.smaller?.(smallest) ?? []) {
      if (performance.now() > deadline) return smallest
      if ((await failureOf(target, smaller)) === undefined) continue
      smallest = smaller
      again = true
      break
    }
  }
  return smallest
}

const collectGarbage = (): void => {
  setFlagsFromString('--expose-gc')
  const gc = runInNewContext('gc') as () => void
  gc()
}

const memory = (): readonly [number, number] => {
  collectGarbage()
  const { heapUsed, rss } = process.memoryUsage()
  return [Math.round(heapUsed / 2 ** 20), Math.round(rss / 2 ** 20)]
}

const shown = ([heap, rss]: readonly [number, number]) => `heap ${heap} MiB, resident ${rss} MiB`

/** What a heap may gain by chance in a campaign of any length. */
export const HEAP_GROWTH_MIB_MAX = 32

/**
 * A campaign as a command: `--conversations N --seed N --seconds N`, or `--replay SEED` for one of them. Prints
 * failures with their seeds, shortened, in the form in which the corpus keeps them. Ends with 1 when there are any.
 */
export const campaignCommand = async <Plan>(
  target: Target<Plan>,
  /** What must hold at the end: gives what does not. */
  afterwards: () => Promise<readonly string[]> = async () => [],
): Promise<void> => {
  const { values } = parseArgs({
    options: {
      conversations: { type: 'string', default: '10000' },
      seed: { type: 'string', default: '1' },
      seconds: { type: 'string' },
      replay: { type: 'string' },
    },
  })
  if (values.replay !== undefined) return replay(target, Number(values.replay))
  const seconds = values.seconds === undefined ? {} : { seconds: Number(values.seconds) }
  const outcome = await campaign(target, {
    conversations: Number(values.conversations),
    seed: Number(values.seed),
    ...seconds,
    progress: (line) => console.log(line),
  })
  for (const failure of outcome.failures) await tell(target, failure)
  const wrong = await afterwards()
  for (const each of wrong) console.error(`${target.name}: ${each}`)
  console.log(closingLine(target.name, Number(values.seed), outcome))
  process.exitCode = outcome.failures.length + wrong.length === 0 && flat(outcome) ? 0 : 1
}

const replay = async <Plan>(target: Target<Plan>, seed: number): Promise<void> => {
  const failure = await playedOne(target, seed)
  if (failure) await tell(target, failure)
  console.log(failure ? 'failed' : 'passed')
  process.exitCode = failure ? 1 : 0
}

const tell = async <Plan>(target: Target<Plan>, { seed, plan, error }: Failure<Plan>): Promise<void> => {
  const kept: Kept<Plan> = { because: String(error).split('\n')[0] ?? '', seed, plan: await shrunk(target, plan) }
  console.error(`\n${target.name} failed with seed ${seed}:`, error)
  console.error(`kept as:\n${keep(kept)}`)
}

export const flat = ({ heapMiB: [before, after] }: Outcome<unknown>): boolean => after - before <= HEAP_GROWTH_MIB_MAX

const closingLine = (name: string, seed: number, { played, failures, seconds, heapMiB, rssMiB }: Outcome<unknown>) =>
  `${name}: ${played} conversations of seed ${seed} in ${Math.round(seconds)} s, ${failures.length} failed; ` +
  `heap ${heapMiB[0]} → ${heapMiB[1]} MiB, resident ${rssMiB[0]} → ${rssMiB[1]} MiB`

/** Plays what has found something once. Gives what fails again. */
export const failingAgain = async <Plan>(target: Target<Plan>): Promise<readonly string[]> => {
  const failing: string[] = []
  for (const { because, seed, plan } of keptOf<Plan>(target.name)) {
    const error = await failureOf(target, plan)
    if (error !== undefined) failing.push(`${because} (seed ${seed}): ${String(error)}`)
  }
  return failing
}
