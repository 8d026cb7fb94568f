import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { installed, startPostgres } from '../corpus/postgres.ts'
import { startAllowAllNode } from '../support/allow-all-node.ts'
import { differenceOf, readExplained, type Explained } from './differences.ts'
import { DATABASE, MAKE_DATABASE, Workplace, type SuiteRun } from './run-suite.ts'
import { bringSources, type Sources } from './sources.ts'

export interface Verdict {
  readonly test: string
  readonly kind: 'same' | 'explained' | 'unexplained' | 'explained in vain'
  readonly why: string
  readonly difference: readonly string[]
}

export interface Comparison {
  readonly version: string
  readonly verdicts: readonly Verdict[]
  readonly seconds: { readonly direct: number; readonly node: number }
  /** Tests of which even the direct result is none that PostgreSQL expects: they prove less. */
  readonly unexpected: readonly string[]
}

export const EXPLAINED = new URL('./differences.md', import.meta.url)

/** The same tests, on two new servers of one kind: once with nothing in between, once through a node. */
export const compareSuite = async (tests: readonly string[]): Promise<Comparison> => {
  const sources = bringSources()
  const work = new Workplace(sources)
  try {
    const direct = await runWith(work, tests, false)
    const node = await runWith(work, tests, true)
    const explained = readExplained(EXPLAINED)
    const verdicts = [...direct.results].map(([test, result]) => verdictOf(sources, test, result, node, explained))
    return {
      version: sources.version,
      verdicts,
      seconds: { direct: direct.seconds, node: node.seconds },
      unexpected: [...direct.results].flatMap(([test, text]) => (isExpected(sources, test, text) ? [] : [test])),
    }
  } finally {
    work.remove()
  }
}

const runWith = async (work: Workplace, tests: readonly string[], throughNode: boolean): Promise<SuiteRun> => {
  const binaries = installed().find(({ label }) => label === 'debian 15')
  if (!binaries) throw new Error('PostgreSQL 15 is not installed')
  const server = await startPostgres(binaries)
  try {
    const admin = await server.connect('postgres')
    for (const sql of MAKE_DATABASE) await admin.query(sql)
    await admin.end()
    if (!throughNode) return await work.run({ port: server.port, user: ROLE, password: '' }, tests)
    const node = await startAllowAllNode({ port: server.port, database: DATABASE, role: ROLE })
    try {
      return await work.run({ port: node.port, user: ROLE, password: node.token }, tests)
    } finally {
      await node.stop()
    }
  } finally {
    await server.stop()
  }
}

/** The tests need a superuser. */
const ROLE = 'postgres'

const verdictOf = (
  sources: Sources,
  test: string,
  direct: string,
  node: SuiteRun,
  explained: readonly Explained[],
): Verdict => {
  const through = node.results.get(test) ?? ''
  const known = explained.filter((each) => each.test === test)
  // Some tests have several right answers, of which two runs need not give the same one.
  const same = through === direct || isExpected(sources, test, through)
  const difference = same ? [] : differenceOf(direct, through)
  const found = known.find(({ lines }) => lines.join('\n') === difference.join('\n'))
  const verdict = (kind: Verdict['kind'], why: string): Verdict => ({ test, kind, why, difference })
  if (found) return verdict('explained', found.why)
  if (!same) return verdict('unexplained', '')
  const vain = known.find(({ sometimes }) => !sometimes)
  return vain
    ? verdict('explained in vain', 'differences.md says that it differs, and it does not')
    : verdict('same', '')
}

const isExpected = ({ inputs }: Sources, test: string, text: string): boolean =>
  [test, ...Array.from({ length: 5 }, (_, index) => `${test}_${index}`)]
    .map((name) => join(inputs, 'expected', `${name}.out`))
    .some((file) => existsSync(file) && readFileSync(file, 'utf8') === text)
