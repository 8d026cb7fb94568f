import { createHash } from 'node:crypto'
import {
  policySetTextToParts,
  policyToJson,
  preparsePolicySet,
  validate,
  type DetailedError,
  type PolicyJson,
} from '@cedar-policy/cedar-wasm/nodejs'
import { contextFacts } from './context-facts.ts'
import { readObligations, type Obligations, type Place } from './obligations.ts'
import { PolicyError } from './policy-error.ts'
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
  /**
   * False when nothing that a statement does or is can change its decision, and nobody is asked for one: who wants it,
   * where and when decides alone.
   */
  readonly looksAtStatements: boolean
  /**
   * Names under which Cedar keeps the parsed policies: all of them, those without holds, and those that say who sees
   * values as they are whichever column they come from. The last is absent where a policy takes columns out of that.
   */
  readonly stored: { readonly all: string; readonly unheld: string; readonly anyColumn: string | undefined }
}

/** Throws PolicyError with file and line. What it accepts fits the schema. */
export const compilePolicies = (files: readonly PolicyFile[]): PolicySet => {
  const sources = files.flatMap(partsOf)
  const compiled = sources.map(compile)
  checkIds(compiled)
  checkSchema(compiled)
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
    looksAtStatements:
      concerned.some(({ policy }) => policy.obligations.effect === 'hold') ||
      concerned.some(({ json }) => json.action.op !== 'All' || looksAtResource(json)) ||
      [...factsUsed].some((fact) => !OF_THE_ASKER.has(fact)),
    stored,
  }
}

/** Facts that are known before anything is known of a statement. */
const OF_THE_ASKER: ReadonlySet<string> = new Set(['environment', 'agent', 'hour', 'reason', 'ticket'])

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

const partsOf = ({ name, text }: PolicyFile): readonly Part[] => {
  const answer = policySetTextToParts(text)
  if (answer.type === 'failure') throw syntaxError(answer.errors, name, text)
  if (answer.policy_templates.length > 0) {
    throw new PolicyError('POLICY_SYNTAX', name, 1, 'templates (?principal, ?resource) are not supported')
  }
  let from = 0
  return answer.policies.map((part) => {
    const start = Math.max(text.indexOf(part, from), 0)
    from = start + part.length
    return { file: name, line: lineAt(text, start), text: part }
  })
}

const syntaxError = ([error]: readonly DetailedError[], file: string, text: string): PolicyError =>
  new PolicyError('POLICY_SYNTAX', file, lineAt(text, placeOf(error, text)), messageOf(error))

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
  if (answer.type === 'failure') throw syntaxError(answer.errors, part.file, part.text)
  const { json } = answer
  const annotations = json.annotations ?? {}
  const id = annotations['id']
  if (!id) throw new PolicyError('POLICY_ANNOTATION', part.file, part.line, 'a policy needs a name: @id("…")')
  const obligations = readObligations(
    annotations,
    { effect: json.effect, isUnmask: concernsOnly(json, 'unmask') },
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

const checkIds = (compiled: readonly Compiled[]): void => {
  const seen = new Map<string, Policy>()
  for (const { policy } of compiled) {
    const other = seen.get(policy.id)
    if (other) {
      const where = `${other.file}:${other.line}`
      throw new PolicyError(
        'POLICY_ANNOTATION',
        policy.file,
        policy.line,
        `@id("${policy.id}") is taken already: ${where}`,
      )
    }
    seen.set(policy.id, policy)
  }
}

const texts = (compiled: readonly Compiled[]) => ({
  staticPolicies: Object.fromEntries(compiled.map(({ part, policy }) => [policy.id, part.text])),
})

const checkSchema = (compiled: readonly Compiled[]): void => {
  const answer = validate({ schema: SCHEMA, policies: texts(compiled), validationSettings: { mode: 'strict' } })
  if (answer.type === 'failure') throw new PolicyError('POLICY_SCHEMA', 'policies', 1, messageOf(answer.errors[0]))
  const [wrong] = answer.validationErrors
  const found = compiled.find(({ policy }) => policy.id === wrong?.policyId)
  if (!wrong) return
  const line =
    (found?.part.line ?? 1) + lineAt(found?.part.text ?? '', placeOf(wrong.error, found?.part.text ?? '')) - 1
  throw new PolicyError('POLICY_SCHEMA', found?.part.file ?? 'policies', line, messageOf(wrong.error))
}

const store = (name: string, compiled: readonly Compiled[]): void => {
  const answer = preparsePolicySet(name, texts(compiled))
  if (answer.type === 'failure') throw new PolicyError('POLICY_SYNTAX', 'policies', 1, messageOf(answer.errors[0]))
}

const digestOf = (files: readonly PolicyFile[]): string => {
  const hash = createHash('sha256')
  for (const { name, text } of files) hash.update(JSON.stringify([name, text]))
  return hash.digest('hex').slice(0, 16)
}
