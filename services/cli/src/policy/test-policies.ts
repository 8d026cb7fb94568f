import { join } from 'node:path'
import { compilePolicies, defaultPolicies, readTestCases, runTestCase, type PolicySet } from '@countersign/policy'
import { isMap, isNode, isSeq, LineCounter, parseDocument, type Document } from 'yaml'
import { CliError } from '../cli-error.ts'
import type { Io } from '../command.ts'
import { EXIT, type ExitCode } from '../exit-code.ts'
import { visible } from '../table.ts'
import { checked, readPolicyFolder, textOf } from './policy-folder.ts'

interface Result {
  readonly file: string
  readonly line: number
  readonly name: string
  /** Empty: it passed. */
  readonly differences: readonly string[]
}

/** Runs the cases beside the policies; a folder without .cedar files is tested with the shipped set. */
export const testPolicies = (path: string, io: Io, json: boolean): ExitCode => {
  const folder = checked(readPolicyFolder(path))
  if (folder.tests.length === 0) {
    throw new CliError(
      'CLI_POLICY_INVALID',
      `${path}: holds no cases; they are in files named *.test.yaml or *.test.json`,
    )
  }
  const set = compilePolicies(folder.files ?? defaultPolicies())
  const results = folder.tests.flatMap((name) => resultsOf(join(path, name), set))
  const failed = results.filter(({ differences }) => differences.length > 0)
  if (json) io.out(JSON.stringify({ ok: failed.length === 0, cases: results.length, failed: failed.length, results }))
  else {
    for (const { file, line, name, differences } of failed) {
      io.err(visible(`${file}:${line}: ${name}`))
      for (const difference of differences) io.err(`    ${visible(difference)}`)
    }
    io.out(`${results.length} cases, ${failed.length} failed`)
  }
  return failed.length === 0 ? EXIT.ok : EXIT.failed
}

const resultsOf = (file: string, set: PolicySet): readonly Result[] => {
  const counter = new LineCounter()
  // JSON is YAML.
  const document = parseDocument(textOf(file), { lineCounter: counter })
  const [error] = document.errors
  if (error) return [{ file, line: error.linePos?.[0].line ?? 1, name: 'cannot be read', differences: [error.message] }]
  const { cases, faults } = readTestCases(document.toJS({ maxAliasCount: 100 }))
  const wrong = faults.map(({ index, fault }) => ({
    file,
    line: lineOf(document, counter, index),
    name: nameOf(document, index),
    differences: [fault],
  }))
  const run = cases.flatMap((test, index) =>
    test ? [{ file, line: lineOf(document, counter, index), name: test.name, ...runTestCase(set, test) }] : [],
  )
  return [...wrong, ...run].sort((a, b) => a.line - b.line)
}

const caseAt = (document: Document, index: number) => {
  const cases = document.get('cases')
  return isSeq(cases) ? cases.items[index] : undefined
}

const lineOf = (document: Document, counter: LineCounter, index: number): number => {
  const node = caseAt(document, index)
  return isNode(node) && node.range ? counter.linePos(node.range[0]).line : 1
}

const nameOf = (document: Document, index: number): string => {
  const node = caseAt(document, index)
  const name = isMap(node) ? node.get('name') : undefined
  return typeof name === 'string' ? name : 'a case'
}
