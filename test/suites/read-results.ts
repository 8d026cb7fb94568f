import type { Result, Results } from './suite.ts'

/** `go test -json`: one event a line. Tests by package and name; what they said is put together. */
export const goResults = (text: string): Results => {
  const results = new Map<string, Result>()
  const said = new Map<string, string>()
  for (const line of text.split('\n')) {
    const event = goEvent(line)
    if (event?.Test === undefined) continue
    const name = `${event.Package ?? ''} ${event.Test.replaceAll(TEMPORARY, '/tmp/$1/')}`
    if (event.Action === 'output') said.set(name, `${said.get(name) ?? ''}${event.Output ?? ''}`)
    const outcome = GO_OUTCOMES[event.Action]
    if (outcome) results.set(name, { outcome, said: said.get(name) ?? '' })
  }
  return results
}

/** A folder that is another one in each run, in the name of a test. */
const TEMPORARY = /\/tmp\/(\w+?)\d+\//g

interface GoEvent {
  readonly Action: string
  readonly Package?: string
  readonly Test?: string
  readonly Output?: string
}

const goEvent = (line: string): GoEvent | undefined =>
  line.startsWith('{') ? (JSON.parse(line) as GoEvent) : undefined

const GO_OUTCOMES: Readonly<Record<string, Result['outcome']>> = { pass: 'passed', fail: 'failed', skip: 'skipped' }

/** JUnit's XML, as pytest and Maven's Surefire write it. A test that ran several times counts as its worst run. */
export const junitResults = (xml: string): Results => {
  const results = new Map<string, Result>()
  for (const [, attributes = '', , body = ''] of xml.matchAll(/<testcase\b([^>]*?)(\/>|>([\s\S]*?)<\/testcase>)/g)) {
    const name = `${attribute(attributes, 'classname')} ${attribute(attributes, 'name')}`
    const result = { outcome: outcomeIn(body), said: plain(body).slice(0, SAID_MAX) }
    if (results.get(name)?.outcome !== 'failed') results.set(name, result)
  }
  return results
}

const SAID_MAX = 4_000

const outcomeIn = (body: string): Result['outcome'] => {
  if (/<(failure|error)\b/.test(body)) return 'failed'
  return /<skipped\b/.test(body) ? 'skipped' : 'passed'
}

const attribute = (attributes: string, name: string): string =>
  plain(new RegExp(`\\b${name}="([^"]*)"`).exec(attributes)?.[1] ?? '')

const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' }

const plain = (xml: string): string =>
  xml
    .replaceAll(/<!\[CDATA\[|\]\]>|<[^>]+>/g, ' ')
    .replaceAll(/&(lt|gt|quot|apos|amp);/g, (_, name: string) => ENTITIES[name] ?? '')

/** What Rust's test runner prints: `test types::test_bool ... ok`. */
export const rustResults = (text: string): Results =>
  new Map(
    [...text.matchAll(/^test (\S+)(?: - should panic)? \.\.\. (ok|FAILED|ignored)/gm)].map(
      ([, name = '', word = '']) => [name, { outcome: RUST_OUTCOMES[word] ?? 'failed', said: rustSaid(text, name) }],
    ),
  )

const RUST_OUTCOMES: Readonly<Record<string, Result['outcome']>> = {
  ok: 'passed',
  FAILED: 'failed',
  ignored: 'skipped',
}

const rustSaid = (text: string, name: string): string => {
  const begin = text.indexOf(`---- ${name} stdout ----`)
  if (begin < 0) return ''
  const [said = ''] = text.slice(begin, begin + SAID_MAX).split(/\n(?=---- |failures:)/)
  return said
}
