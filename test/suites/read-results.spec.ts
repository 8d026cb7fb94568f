import { describe, expect, it } from 'vitest'
import { goResults, junitResults, rustResults } from './read-results.ts'

const outcomes = (results: ReadonlyMap<string, { readonly outcome: string }>) =>
  [...results].map(([name, { outcome }]) => `${name}: ${outcome}`)

describe('what a suite reports is read', () => {
  it('from go test', () => {
    const lines = [
      { Action: 'run', Package: 'p', Test: 'TestA' },
      { Action: 'output', Package: 'p', Test: 'TestA', Output: 'it is ' },
      { Action: 'output', Package: 'p', Test: 'TestA', Output: 'broken\n' },
      { Action: 'fail', Package: 'p', Test: 'TestA' },
      { Action: 'pass', Package: 'p', Test: 'TestB/case' },
      { Action: 'skip', Package: 'p', Test: 'TestC/file=/tmp/TestC3740713060/001/conf' },
      { Action: 'fail', Package: 'p' },
    ]
    const results = goResults(`some compiler says\n${lines.map((line) => JSON.stringify(line)).join('\n')}\n`)
    expect(outcomes(results)).toEqual([
      'p TestA: failed',
      'p TestB/case: passed',
      'p TestC/file=/tmp/TestC/001/conf: skipped',
    ])
    expect(results.get('p TestA')?.said).toBe('it is broken\n')
  })

  it('from pytest and Surefire', () => {
    const xml = `<testsuite><testcase classname="t.A" name="one" time="0.1" />
      <testcase classname="t.A" name="two[&lt;x&gt;]"><failure message="m">assert 1 &lt; 0</failure></testcase>
      <testcase name="three" classname="t.B" time="1"><skipped type="s">no</skipped></testcase>
      <testcase classname="t.B" name="four"><error>broke</error><system-out><![CDATA[x]]></system-out></testcase>
      <testcase classname="t.B" name="four"></testcase></testsuite>`
    const results = junitResults(xml)
    expect(outcomes(results)).toEqual([
      't.A one: passed',
      't.A two[<x>]: failed',
      't.B three: skipped',
      't.B four: failed',
    ])
    expect(results.get('t.A two[<x>]')?.said).toContain('assert 1 < 0')
  })

  it('from cargo test', () => {
    const text = `running 3 tests
test types::test_bool ... ok
test copy_in_error ... FAILED
test slow ... ignored

failures:

---- copy_in_error stdout ----
thread panicked at src

`
    const results = rustResults(text)
    expect(outcomes(results)).toEqual(['types::test_bool: passed', 'copy_in_error: failed', 'slow: skipped'])
    expect(results.get('copy_in_error')?.said).toContain('thread panicked')
  })
})
