import { beforeAll, describe, expect, it } from 'vitest'
import { Principal, Target } from '@countersign/contracts'
import { compilePolicies, decide, defaultPolicies, requestFrom, type Decision } from '@countersign/policy'
import {
  catalogueQueries,
  judge,
  loadParser,
  readCatalogue,
  SqlRefusedError,
  SqlSyntaxError,
  understand,
  type CatalogueAnswers,
} from '@countersign/sql'
import { corpus } from './corpus.ts'

/*
 * Without a server nothing is known but the text. Then no statement that should not pass may pass, whatever that costs
 * in statements that should.
 */

beforeAll(() => loadParser())

const ana = Principal.parse({ id: 'ana', kind: 'person', groups: ['developers'] })
const target = Target.parse({ environment: 'prod', database: 'shop' })
const policies = compilePolicies(defaultPolicies())
const empty = readCatalogue({
  ...(Object.fromEntries(Object.keys(catalogueQueries).map((name) => [name, '[]'])) as CatalogueAnswers),
  server: '[{"version": 180000, "database": "shop"}]',
})

const verdicts = (text: string): readonly Decision['verdict'][] => {
  try {
    return understand(text).commands.map((command) => {
      const facts = judge(command, undefined, empty)
      const noon = { hour: 12, weekday: 3, minuteOfDay: 720 }
      const request = requestFrom(facts, { principal: ana, target, transaction: 'idle', ...noon }, () => 'unknown')
      return decide(policies, request).verdict
    })
  } catch (error) {
    if (error instanceof SqlSyntaxError || error instanceof SqlRefusedError) return ['deny']
    throw error
  }
}

describe('by text alone', () => {
  it('nothing passes that should be held or denied', () => {
    const passed = corpus.filter(({ should, sql }) => should !== 'allow' && verdicts(sql).every((verdict) => verdict === 'allow'))
    expect(passed.map(({ id }) => id)).toEqual([])
  })

  it('what is denied whatever it touches is denied at once', () => {
    const mustDeny = ["COPY t TO PROGRAM 'x'", "SELECT pg_read_file('x')", 'ALTER SYSTEM SET a = 1', "SELECT * FROM dblink('x', 'y') AS t(a int)", 'EXECUTE nothing', 'SELEC 1']
    expect(mustDeny.flatMap(verdicts)).toEqual(mustDeny.map(() => 'deny'))
  })

  it('what needs no server passes', () => {
    const harmless = ['BEGIN', 'COMMIT', 'SHOW search_path', "SET application_name = 'x'", 'SET search_path = public', 'DISCARD ALL', 'CLOSE c', 'CREATE TEMP TABLE t (a int)']
    expect(harmless.flatMap(verdicts)).toEqual(harmless.map(() => 'allow'))
  })
})
