import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { afterAll, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { configJsonSchema } from './config-json-schema.ts'
import { loadConfig } from './config.ts'
import { Secret } from './secret.ts'

const deployed = (name: string) =>
  readFileSync(fileURLToPath(new URL(`../../../deploy/${name}`, import.meta.url)), 'utf8')

const EMBEDDED = deployed('countersign.example.yaml')

/** The example with the log that it offers instead: the commented block in the place of the other. */
const KAFKA = (() => {
  const [block = ''] = /^# log:\n(?:# {3}.*\n)+/m.exec(EMBEDDED) ?? []
  const instead = block.replaceAll(/^# /gm, '')
  return EMBEDDED.replace(block, '').replace(/^log:\n(?: {2}.*\n)+/m, instead)
})()

/** The example with the list of servers that it offers in the place of the one. */
const REPLICAS = (() => {
  const [block = ''] = /^ {6}# hosts:\n(?: {6}# {3}.*\n)+/m.exec(EMBEDDED) ?? []
  const instead = block.replaceAll(/^ {6}# /gm, '      ')
  return EMBEDDED.replace(block, instead).replace(/^ {6}host: .*\n {6}port: .*\n/m, '')
})()

const VARIANTS = [
  ['embedded', EMBEDDED],
  ['kafka', KAFKA],
  ['embedded', REPLICAS],
] as const

const folder = mkdtempSync(join(tmpdir(), 'cs-config-'))
afterAll(() => rmSync(folder, { recursive: true }))

const load = (text: string, env: NodeJS.ProcessEnv = {}) => {
  const file = join(folder, 'countersign.yaml')
  writeFileSync(file, text)
  return loadConfig(file, env)
}

describe('the JSON Schema of countersign.yaml', () => {
  it('is what the code generates now', () =>
    expect(
      deployed('countersign.schema.json'),
      'run `node --conditions=source libs/platform/scripts/write-config-schema.ts`',
    ).toBe(`${JSON.stringify(configJsonSchema(), undefined, 2)}\n`))

  it('says of every value what it is', () =>
    expect(placesIn(configJsonSchema()).filter(({ schema }) => !schema.description && !schema.const)).toEqual([]))
})

describe.each(VARIANTS)('the example, with the %s log (%#)', (kind, text) => {
  it('is loaded as it is', () => {
    const config = load(text)
    expect(config.log.kind).toBe(kind)
    expect(config.control).toMatchObject({
      owners: join(folder, 'DATAOWNERS'),
      policies: join(folder, 'policies'),
    })
    expect(config.databases.map(({ upstream }) => [upstream.ca, upstream.certificate, upstream.key])).toEqual([
      ['shop-ca.pem', 'node-client.crt', 'node-client.key'].map((name) => join(folder, 'tls', name)),
    ])
    expect(config.node.tls).toMatchObject({
      clientCa: join(folder, 'tls/people-ca.pem'),
      clientCertificates: 'optional',
    })
  })

  it('fits the JSON Schema', () => {
    const ajv = new Ajv2020({ strict: true })
    addFormats.default(ajv)
    const valid = ajv.compile(JSON.parse(deployed('countersign.schema.json')) as object)
    expect([valid(parse(text)), valid.errors]).toEqual([true, null])
    expect(valid({ ...(parse(text) as object), unheard: 'of' })).toBe(false)
  })

  it('explains every line that sets something', () => {
    const lines = text.split('\n')
    const setting = lines.map((line, i) => ({ line, before: lines[i - 1] ?? '' })).filter(({ line }) => SETS.test(line))
    expect(setting.length).toBeGreaterThan(30)
    expect(setting.filter(({ line, before }) => !/ # \S/.test(line) && !/^\s*# \S/.test(before))).toEqual([])
  })

  it('names the defaults as they are', () => {
    const shown = new Map(valuesIn(parse(text)).map(([path, value]) => [named(path), value]))
    for (const { path, schema } of placesIn(configJsonSchema())) {
      const value = shown.get(path)
      if (schema.default !== undefined && value !== undefined && path !== 'node.listen.host')
        expect([path, value]).toEqual([path, schema.default])
    }
  })

  it('can be overridden, every value of it, by the environment', () => {
    for (const [path, value] of valuesIn(parse(text))) {
      if (path.at(-1) === 'kind') continue
      const { given, expected } = otherThan(path, value)
      const config = load(text, { [variableOf(path)]: given })
      expect([path, shownOf(at(config, path))]).toEqual([path, expected])
    }
  })
})

describe('the example, with one log and the other', () => {
  it('shows every value that there is', () => {
    const shown = new Set(VARIANTS.flatMap(([, text]) => valuesIn(parse(text)).map(([path]) => named(path))))
    const all = placesIn(configJsonSchema()).filter(
      ({ schema }) => !schema.properties && !schema.oneOf && !schema.items?.properties,
    )
    expect(all.map(({ path }) => path).filter((path) => !shown.has(path))).toEqual([])
  })
})

/** A line that sets a value or begins a part, list item or not, commented or not. */
const SETS = /^\s*(?:- )?\w+:(?:\s|$)/

interface Schema {
  readonly description?: string
  readonly const?: unknown
  readonly default?: unknown
  readonly properties?: Readonly<Record<string, Schema>>
  readonly items?: Schema
  readonly oneOf?: readonly Schema[]
}

interface Place {
  readonly path: string
  readonly schema: Schema
}

/** Every key of a schema, list items without their number. */
const placesIn = (schema: Schema, path: readonly string[] = []): readonly Place[] => [
  ...Object.entries(schema.properties ?? {}).flatMap(([key, part]) => [
    { path: [...path, key].join('.'), schema: part },
    ...placesIn(part, [...path, key]),
  ]),
  ...(schema.items ? placesIn(schema.items, path) : []),
  ...(schema.oneOf ?? []).flatMap((choice) => placesIn(choice, path)),
]

type Path = readonly string[]

/** Every value of a file: what is no part of its own. A list of texts is one value. */
const valuesIn = (value: unknown, path: Path = []): readonly (readonly [Path, unknown])[] => {
  if (typeof value !== 'object' || value === null || isTexts(value)) return [[path, value]]
  return Object.entries(value).flatMap(([key, part]) => valuesIn(part, [...path, key]))
}

const isTexts = (value: unknown) => Array.isArray(value) && value.every((each) => typeof each === 'string')

/** As `placesIn` names it: without numbers, and without the names of roles. */
const named = (path: Path): string =>
  path
    .filter((key) => !/^\d+$/.test(key))
    .join('.')
    .replace(/(\.roles)\..*/, '$1')

const variableOf = (path: Path): string =>
  `COUNTERSIGN_${path.map((key) => key.replaceAll(/([a-z])([A-Z])/g, '$1_$2').toUpperCase()).join('_')}`

/** Another value that is allowed in the same place: as one gives it, and as it is read. */
const otherThan = (path: Path, value: unknown): { readonly given: string; readonly expected: unknown } => {
  const other = OTHERS[path.at(-1) ?? '']
  if (other !== undefined) return { given: other, expected: Array.isArray(value) ? [other] : other }
  if (typeof value === 'number') return { given: String(nearby(value)), expected: nearby(value) }
  if (isTexts(value)) return { given: 'a:1, b:2', expected: ['a:1', 'b:2'] }
  const text = path.at(-1) === 'url' ? 'http://elsewhere:8123' : '/elsewhere'
  if (path.join('.') === 'node.name') return { given: 'node-2', expected: 'node-2' }
  return { given: text, expected: text }
}

const nearby = (value: number): number => {
  if (value < 1) return value / 2
  return value === 1 ? 2 : value - 1
}

/** Of values that not any text will do for. */
const OTHERS: Readonly<Record<string, string>> = {
  tls: 'verify-full', // `disable` needs more to be taken out than itself.
  channelBinding: 'require',
  clientCertificates: 'required',
  by: 'files',
  targetSessionAttrs: 'prefer-standby',
  loadBalanceHosts: 'random',
  standbyRoles: 'shop_app',
  serverNames: 'other.example.net',
  timeZone: 'Europe/Zurich',
}

const shownOf = (value: unknown): unknown => (value instanceof Secret ? value.reveal() : value)

const at = (value: unknown, path: Path): unknown =>
  path.reduce((part, key) => (part as Readonly<Record<string, unknown>> | undefined)?.[key], value)
