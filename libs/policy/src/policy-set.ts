import { createHash } from 'node:crypto'
import {
  policySetTextToParts,
  policyToJson,
  preparsePolicySet,
  validate,
  type DetailedError,
  type PolicyJson,
  type ValidationError,
} from '@cedar-policy/cedar-wasm/nodejs'
import { contextFacts } from './context-facts.ts'
import { readObligations, type Obligations, type Place } from './obligations.ts'
import { PolicyError } from './policy-error.ts'
import { wantedBy, type Wanted } from './said.ts'
import { SCHEMA } from './shipped.ts'

export interface PolicyFile {
  readonly name: string
  readonly text: string
}

export interface Policy extends Place {
  readonly id: string
  readonly effect: 'permit' | 'forbid'
  readonly obligations: Obligations
}

/** Policies that have been checked, ready to be asked. */
export interface PolicySet {
  /** SHA-256 over names and texts, shortened to 16 digits. */
  readonly digest: string
  readonly policies: ReadonlyMap<string, Policy>
  /**
   * Facts of a statement that its decision may depend on, besides the principal, the target and what is used. Two
   * statements that agree in these are decided alike.
   */
  readonly factsUsed: ReadonlySet<string>
  /** The same for any question, of who may see a value or connect too. */
  readonly factsEver: ReadonlySet<string>
  /** The same of what columns show: facts of the circumstances that masks may depend on. */
  readonly maskFactsUsed: ReadonlySet<string>
  /** Tickets and reasons that some policy asks for. */
  readonly wanted: readonly Wanted[]
  /**
   * False when nothing that a statement does or is can change its decision, and nobody is asked for one: who wants it,
   * where and when decides alone.
   */
  readonly looksAtStatements: boolean
  /** Some policy bounds the rows of what it concerns (`@guard`). */
  readonly guards: boolean
  /**
   * Names under which Cedar keeps the parsed policies: all of them, those without holds, and those that say who sees
   * values as they are whichever column they come from. The last is absent where a policy takes columns out of that.
   */
  readonly stored: { readonly all: string; readonly unheld: string; readonly anyColumn: string | undefined }
}

/** Throws PolicyError with file and line, the first that there is. What it accepts fits the schema. */
export const compilePolicies = (files: readonly PolicyFile[]): PolicySet => {
  const { compiled, errors } = inspect(files)
  if (errors[0]) throw errors[0]
  const digest = digestOf(files)
  const unmasking = compiled.filter(({ json }) => mayConcern(json, 'unmask'))
  const exceptions = unmasking.some(({ json }) => json.effect === 'forbid' && looksAtResource(json))
  const anyColumn = exceptions ? undefined : `${digest}/any-column`
  const stored = { all: `${digest}/all`, unheld: `${digest}/unheld`, anyColumn }
  if (anyColumn !== undefined) {
    store(
      anyColumn,
      unmasking.filter(({ json }) => !looksAtResource(json)),
    )
  }
  store(stored.all, compiled)
  store(
    stored.unheld,
    compiled.filter(({ policy }) => policy.effect === 'permit' || policy.obligations.effect !== 'hold'),
  )
  const concerned = compiled.filter(({ json }) => !concernsOnly(json, 'unmask', 'connect'))
  const factsUsed = new Set(concerned.flatMap(({ json }) => contextFacts(json)))
  return {
    digest,
    policies: new Map(compiled.map(({ policy }) => [policy.id, policy])),
    factsUsed,
    factsEver: new Set(compiled.flatMap(({ json }) => contextFacts(json))),
    maskFactsUsed: new Set(unmasking.flatMap(({ json }) => contextFacts(json))),
    wanted: distinct(concerned.flatMap(({ json }) => wantedBy(json))),
    looksAtStatements:
      concerned.some(
        ({ policy: { obligations } }) => obligations.effect === 'hold' || obligations.guard !== undefined,
      ) ||
      concerned.some(({ json }) => json.action.op !== 'All' || looksAtResource(json)) ||
      [...factsUsed].some((fact) => !OF_THE_ASKER.has(fact)),
    guards: concerned.some(({ policy }) => policy.obligations.guard !== undefined),
    stored,
  }
}

/** Facts that are known before anything is known of a statement. */
const OF_THE_ASKER: ReadonlySet<string> = new Set([
  'environment',
  'agent',
  'hour',
  'weekday',
  'minuteOfDay',
  'reason',
  'ticket',
])

const distinct = (wanted: readonly Wanted[]): readonly Wanted[] => [
  ...new Map(wanted.map((each) => [`${each.saying} ${each.form ?? ''}`, each])).values(),
]

/** All that is wrong with a set of policies, where `compilePolicies` ends at the first. */
export const faultsInPolicies = (files: readonly PolicyFile[]): readonly PolicyError[] => inspect(files).errors

/** Each policy of a set by its name, as it is written. Throws for what is no policy; the schema is not looked at. */
export const policyTexts = (files: readonly PolicyFile[]): ReadonlyMap<string, Place & { readonly text: string }> => {
  const { compiled, errors } = read(files)
  if (errors[0]) throw errors[0]
  return new Map(compiled.map(({ policy, part }) => [policy.id, part]))
}

interface Part extends Place {
  readonly text: string
  /** Where it begins in its file, in characters, and the lines before that. */
  readonly file: string
}

interface Compiled {
  readonly part: Part
  readonly json: PolicyJson
  readonly policy: Policy
}

const inspect = (files: readonly PolicyFile[]) => {
  const { compiled, errors } = read(files)
  return { compiled, errors: [...errors, ...takenIds(compiled), ...misfits(compiled)] }
}

const read = (files: readonly PolicyFile[]) => {
  const errors: PolicyError[] = []
  const parts = files.flatMap((file) => partsOf(file, errors))
  const compiled = parts.flatMap((part) => {
    try {
      return [compile(part)]
    } catch (error) {
      if (!(error instanceof PolicyError)) throw error
      errors.push(error)
      return []
    }
  })
  return { compiled, errors }
}

const partsOf = ({ name, text }: PolicyFile, errors: PolicyError[]): readonly Part[] => {
  const answer = policySetTextToParts(text)
  if (answer.type === 'failure') {
    errors.push(...answer.errors.map((error) => syntaxError(error, { file: name, line: 1, text })))
    return []
  }
  if (answer.policy_templates.length > 0) {
    errors.push(new PolicyError('POLICY_SYNTAX', name, 1, 'templates (?principal, ?resource) are not supported'))
    return []
  }
  let from = 0
  return answer.policies.map((part) => {
    const start = Math.max(text.indexOf(part, from), 0)
    from = start + part.length
    return { file: name, line: lineAt(text, start), text: part }
  })
}

const syntaxError = (error: DetailedError | undefined, { file, line, text }: Part): PolicyError =>
  new PolicyError('POLICY_SYNTAX', file, line + lineAt(text, placeOf(error, text)) - 1, messageOf(error))

const messageOf = (error: DetailedError | undefined): string =>
  `${error?.message ?? 'not a policy'}${error?.help ? ` (${error.help})` : ''}`

/** Cedar counts bytes. */
const placeOf = (error: DetailedError | undefined, text: string): number =>
  Buffer.from(text)
    .subarray(0, error?.sourceLocations?.[0]?.start ?? 0)
    .toString().length

const lineAt = (text: string, at: number): number => text.slice(0, at).split('\n').length

const compile = (part: Part): Compiled => {
  const answer = policyToJson(part.text)
  if (answer.type === 'failure') throw syntaxError(answer.errors[0], part)
  const { json } = answer
  const annotations = json.annotations ?? {}
  const id = annotations['id']
  if (!id) throw new PolicyError('POLICY_ANNOTATION', part.file, part.line, 'a policy needs a name: @id("…")')
  const obligations = readObligations(
    annotations,
    { effect: json.effect, isUnmask: concernsOnly(json, 'unmask'), changesRows: mayConcernRows(json) },
    part,
  )
  return { part, json, policy: { id, effect: json.effect, obligations, file: part.file, line: part.line } }
}

/** Its scope names these actions and no other. */
const concernsOnly = ({ action }: PolicyJson, ...names: readonly string[]): boolean => {
  if (action.op === 'All') return false
  const entities = 'entities' in action ? action.entities : 'entity' in action ? [action.entity] : []
  const ids = entities.map((entity) => ('__entity' in entity ? entity['__entity'].id : entity.id))
  return ids.length > 0 && ids.every((id) => names.includes(id))
}

/** Its scope does not leave this action out. */
const mayConcern = ({ action }: PolicyJson, name: string): boolean => {
  if (action.op === 'All') return true
  const entities = 'entities' in action ? action.entities : 'entity' in action ? [action.entity] : []
  return entities.some((entity) => ('__entity' in entity ? entity['__entity'].id : entity.id) === name)
}

const mayConcernRows = (json: PolicyJson): boolean =>
  ['use', 'write', 'delete', 'copyIn'].some((name) => mayConcern(json, name))

/** What it says may be another thing for each relation or column of a database. */
const looksAtResource = ({ resource, conditions }: PolicyJson): boolean =>
  !holdsForDatabase(resource) || conditions.some(({ body }) => speaksOfResource(body))

const holdsForDatabase = (resource: PolicyJson['resource']): boolean => {
  if (resource.op === 'All') return true
  if (resource.op !== 'in' || !('entity' in resource)) return false
  const { entity } = resource
  const { type } = '__entity' in entity ? entity['__entity'] : entity
  return type === 'Database' || type === 'Environment'
}

const speaksOfResource = (body: unknown): boolean =>
  typeof body === 'object' &&
  body !== null &&
  Object.entries(body).some(([key, value]) => (key === 'Var' && value === 'resource') || speaksOfResource(value))

const takenIds = (compiled: readonly Compiled[]): readonly PolicyError[] => {
  const seen = new Map<string, Policy>()
  return compiled.flatMap(({ policy: { id, file, line, ...rest } }) => {
    const other = seen.get(id)
    seen.set(id, other ?? { id, file, line, ...rest })
    const what = `@id("${id}") is taken already: ${other?.file}:${other?.line}`
    return other ? [new PolicyError('POLICY_ANNOTATION', file, line, what)] : []
  })
}

const texts = (compiled: readonly Compiled[]) => ({
  staticPolicies: Object.fromEntries(compiled.map(({ part, policy }) => [policy.id, part.text])),
})

const misfits = (compiled: readonly Compiled[]): readonly PolicyError[] => {
  const answer = validate({ schema: SCHEMA, policies: texts(compiled), validationSettings: { mode: 'strict' } })
  if (answer.type === 'failure') return [new PolicyError('POLICY_SCHEMA', 'policies', 1, messageOf(answer.errors[0]))]
  return onePerPlace(answer.validationErrors).map(({ policyId, error }) => {
    const { file, line, text } = compiled.find(({ policy }) => policy.id === policyId)?.part ?? NOWHERE
    return new PolicyError('POLICY_SCHEMA', file, line + lineAt(text, placeOf(error, text)) - 1, messageOf(error))
  })
}

/** What is wrong in one place is told for each action that the policy is about. */
const onePerPlace = (errors: readonly ValidationError[]): readonly ValidationError[] => {
  const sorted = errors.toSorted((a, b) => (a.error.message < b.error.message ? -1 : 1))
  const placeOfOne = ({ policyId, error }: ValidationError) => `${error.sourceLocations?.[0]?.start ?? -1} ${policyId}`
  return [...new Map(sorted.toReversed().map((each) => [placeOfOne(each), each])).values()]
}

const NOWHERE: Part = { file: 'policies', line: 1, text: '' }

const store = (name: string, compiled: readonly Compiled[]): void => {
  const answer = preparsePolicySet(name, texts(compiled))
  if (answer.type === 'failure') throw new PolicyError('POLICY_SYNTAX', 'policies', 1, messageOf(answer.errors[0]))
}

const digestOf = (files: readonly PolicyFile[]): string => {
  const hash = createHash('sha256')
  for (const { name, text } of files) hash.update(JSON.stringify([name, text]))
  return hash.digest('hex').slice(0, 16)
}
