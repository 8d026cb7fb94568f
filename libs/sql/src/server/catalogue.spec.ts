import { beforeAll, describe, expect, it } from 'vitest'
import { CatalogueError, catalogueQueries, loadParser, readCatalogue, type CatalogueAnswers } from '../index.ts'

beforeAll(() => loadParser())

const answers = (more: Partial<CatalogueAnswers> = {}): CatalogueAnswers => ({
  ...(Object.fromEntries(Object.keys(catalogueQueries).map((name) => [name, '[]'])) as CatalogueAnswers),
  server: '[{"version": 180004, "database": "shop"}]',
  ...more,
})
const relation = {
  oid: 20_000,
  schema: 'public',
  name: 't',
  kind: 'r',
  temporary: false,
  rowEstimate: -1,
  rowSecurity: false,
  hasChildren: false,
  indexOf: null,
  comment: null,
}
const routine = {
  oid: 20_001,
  schema: 'public',
  name: 'f',
  kind: 'f',
  volatility: 'v',
  language: 'sql',
  securityDefiner: false,
  builtin: false,
  arguments: 0,
  extension: null,
  definition: null,
  calls: null,
  parts: null,
}

describe('a catalogue', () => {
  it('is read from what the database answers', () => {
    const catalogue = readCatalogue(answers({ relations: JSON.stringify([relation]) }))
    expect(catalogue).toMatchObject({
      serverVersion: 180_004,
      database: 'shop',
      version: expect.stringMatching(/^[0-9a-f]{16}$/),
    })
    expect(catalogue.relations.get(20_000)).toMatchObject({ name: 't', rowEstimate: undefined, indexOf: undefined })
    expect(catalogue.relationsByName.get('t')).toEqual([20_000])
  })

  it.each<[string, Partial<CatalogueAnswers>]>([
    ['relations: expected JSON', { relations: 'nonsense' }],
    ['relations: expected a list', { relations: '{}' }],
    ['relations: expected an object', { relations: '[1]' }],
    ['relations: `name` is not text', { relations: JSON.stringify([{ ...relation, name: 5 }]) }],
    ['relations: `oid` is not a number', { relations: JSON.stringify([{ ...relation, oid: '5' }]) }],
    ['relations: `rowSecurity` is not a boolean', { relations: JSON.stringify([{ ...relation, rowSecurity: null }]) }],
    ['functions: `calls` is not a list of numbers', { functions: JSON.stringify([{ ...routine, calls: ['x'] }]) }],
    [
      'attached: unknown kind `x`',
      { attached: '[{"relation": 1, "kind": "x", "name": "n", "events": 0, "calls": []}]' },
    ],
    ['server: `version` is not a number', { server: '[]' }],
  ])('that is malformed is refused: %s', (message, more) => {
    expect(() => readCatalogue(answers(more))).toThrow(CatalogueError)
    expect(() => readCatalogue(answers(more))).toThrow(message)
  })

  it('keeps the code of functions, or that it cannot be read', () => {
    const read = (definition: string | null) =>
      readCatalogue(answers({ functions: JSON.stringify([{ ...routine, definition }]) })).functions.get(20_001)?.body
    expect(
      read("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'DELETE FROM t RETURNING 1'")?.statements,
    ).toHaveLength(1)
    expect(read("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'DELETE FRM t'")).toMatchObject({ unreadable: true })
    expect(read('CREATE FUNKTION')).toBeUndefined()
    expect(read(null)).toBeUndefined()
  })
})
