import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readIdentities } from './identities-file.ts'

let folder: string
const warnings: string[] = []

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'cs-identities-'))
})

afterAll(() => rmSync(folder, { recursive: true }))

describe('the file of identities', () => {
  it('names people, services and agents; an agent answers through its person', () =>
    expect(
      read(`principals:
${person('ana')}
${person('ana-admin', 'person: ana')}
${entry('copilot', 'agent', 'onBehalfOf: ana')}
${entry('etl', 'service')}`).map(({ principal }) => principal),
    ).toEqual([
      { id: 'ana', kind: 'person', person: 'ana', groups: ['g'] },
      { id: 'ana-admin', kind: 'person', person: 'ana', groups: ['g'] },
      { id: 'copilot', kind: 'agent', person: 'ana', onBehalfOf: 'ana', groups: ['g'] },
      { id: 'etl', kind: 'service', groups: ['g'] },
    ]))

  it('takes a time with any offset, and keeps it as UTC', () =>
    expect(
      read(`principals:\n${person('ana').replace('2099-01-01T00:00:00Z', '2099-01-01T02:00:00+02:00')}`)[0]!.credential
        .expiresAt,
    ).toBe('2099-01-01T00:00:00.000Z'))

  it.each<[string, string, number, string]>([
    ['what is no YAML', 'principals: [', 1, 'Flow sequence'],
    ['an empty file', '', 1, 'expected object'],
    ['a misspelt key', `principals:\n${person('ana', 'grops: [x]')}`, 2, 'grops'],
    ['an unknown kind', `principals:\n${entry('ana', 'robot')}`, 3, 'principals.0.kind'],
    [
      'a token in place of its digest',
      `principals:\n${person('ana').replace(/[0-9a-f]{64}/, 'cs_secret')}`,
      7,
      'tokenDigest',
    ],
    [
      'an id twice',
      `principals:\n${person('ana')}\n${person('ana')
        .replace('ana-1', 'x')
        .replace(/[0-9a-f]{64}/, 'b'.repeat(64))}`,
      10,
      'is there twice',
    ],
    [
      'a token twice',
      `principals:\n${person('ana')}\n${person('bo').replace(/[0-9a-f]{64}/, hex('ana'))}`,
      15,
      'tokenDigest: is there twice',
    ],
    ['an agent for nobody', `principals:\n${entry('copilot', 'agent')}`, 2, 'an agent needs the person'],
    [
      'an agent that answers for another',
      `principals:\n${person('ana')}\n${person('bo')}\n${entry('a1', 'agent', 'onBehalfOf: ana', 'person: bo')}`,
      27,
      'leave it out',
    ],
    [
      'a person who acts for another',
      `principals:\n${person('ana')}\n${person('bo', 'onBehalfOf: ana')}`,
      18,
      'only an agent',
    ],
  ])('is refused with %s, by line and reason, without secrets', (_, text, line, reason) => {
    const message = messageOf(() => read(text))
    expect(message).toContain(`identities.yaml:${line}: `)
    expect(message).toContain(reason)
    expect(message).not.toContain('cs_secret')
  })

  it('lets no agent in whose person is not there, and says so', () => {
    const text = `principals:\n${person('ana')}\n${entry('a1', 'agent', 'onBehalfOf: ana')}\n`
    const others = `${entry('a2', 'agent', 'onBehalfOf: a1')}\n${entry('a3', 'agent', 'onBehalfOf: bo')}`
    warnings.length = 0
    expect(read(text + others).map(({ principal }) => principal.id)).toEqual(['ana', 'a1'])
    expect(warnings).toEqual([
      expect.stringMatching(/identities\.yaml:27: .*`a2` is not let in/),
      expect.stringMatching(/identities\.yaml:36: .*`a3` is not let in/),
    ])
  })

  it('is asked for when it is not there', () =>
    expect(messageOf(() => readIdentities(join(folder, 'none.yaml'), () => {}))).toContain('cannot be read'))
})

const hex = (name: string) => Buffer.from(name.padEnd(32, '-')).toString('hex')

/** Nine lines at most; `more` comes last. */
const entry = (id: string, kind: string, ...more: string[]) =>
  [
    `  - id: ${id}`,
    `    kind: ${kind}`,
    '    groups: [g]',
    '    credential:',
    `      id: ${id}-1`,
    `      tokenDigest: ${hex(id)}`,
    '      expiresAt: 2099-01-01T00:00:00Z',
    "      roles: { '*': shop_app }",
    ...more.map((line) => `    ${line}`),
  ].join('\n')

const person = (id: string, ...more: string[]) => entry(id, 'person', ...more)

const read = (text: string) => {
  const file = join(folder, 'identities.yaml')
  writeFileSync(file, text)
  return readIdentities(file, (warning) => warnings.push(warning))
}

const messageOf = (act: () => unknown): string => {
  try {
    act()
  } catch (error) {
    return (error as Error).message
  }
  throw new Error('nothing was refused')
}
