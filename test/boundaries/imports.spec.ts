import { globSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { mayImport, PURE } from '../../oxlint.config.ts'
import { lint, ROOT } from './lint.ts'

const LIBS = Object.keys(mayImport)
const SERVICES = readdirSync(join(ROOT, 'services'))

const friendsOf = (lib: string): readonly string[] => mayImport[lib] ?? []

const importing = (name: string) => `import { x } from '${name}'\nexport const y = x\n`

describe('the import table', () => {
  it('lists every library, below all that it may import', () => {
    expect([...LIBS].sort()).toEqual(readdirSync(join(ROOT, 'libs')).sort())
    for (const [i, lib] of LIBS.entries()) expect(LIBS.slice(0, i)).toEqual(expect.arrayContaining([...friendsOf(lib)]))
  })

  it('lets pure libraries import pure libraries only', () =>
    expect(PURE.flatMap(friendsOf).filter((friend) => !PURE.includes(friend))).toEqual([]))

  it('is kept, each pair of it: what it allows is accepted, everything else reported', () => {
    const pairs = LIBS.flatMap((lib) => [...LIBS, ...SERVICES].map((other) => ({ lib, other })))
    const found = lint(
      new Map(pairs.map(({ lib, other }) => [`libs/${lib}/src/${other}.ts`, importing(`@countersign/${other}`)])),
    )
    const reported = pairs.filter(({ lib, other }) => found.has(`libs/${lib}/src/${other}.ts`))
    expect(reported).toEqual(pairs.filter(({ lib, other }) => !friendsOf(lib).includes(other)))
  })
})

describe('a service', () => {
  it('is imported by no service, no test and no script', () => {
    const from = [...SERVICES.map((name) => `services/${name}/src`), 'test/journeys', 'scripts']
    const files = from.flatMap((folder) => [...SERVICES, 'tomorrow'].map((other) => [`${folder}/${other}.ts`, other]))
    const found = lint(new Map(files.map(([file = '', other = '']) => [file, importing(`@countersign/${other}`)])))
    expect(files.map(([file = '']) => file).filter((file) => !found.has(file))).toEqual([])
  })
})

const PURELY = ' is pure and may import only: '
const NOTHING = 'a pure library asks the world for nothing'
const NO_CLOCK = 'a pure library reads no clock'
const NO_RANDOM = 'a pure library draws no random values'
const BY_NAME = 'reach another package by its name, not by its path'
const FRONT_DOOR = 'enter a library by its front door'
const NO_SERVICE = 'nothing imports a service'
const ONLY_TESTS = 'only tests use this'
const TOLD = 'a worker is told which protocol it speaks'
const BEHIND_THE_PORT = 'only services/proxy/src/postgres speaks PostgreSQL'

/** Each in a file of its own: where it lies, what it says, and what is said about it. */
const REPORTED: readonly (readonly [string, string, string])[] = [
  ['libs/kernel/src/a.ts', importing('node:fs'), PURELY],
  ['libs/kernel/src/b.ts', importing('node:fs/promises'), PURELY],
  ['libs/kernel/src/c.ts', importing('fs'), PURELY],
  ['libs/kernel/src/d.ts', importing('pg'), PURELY],
  ['libs/kernel/src/e.ts', importing('@nestjs/common'), PURELY],
  ['libs/kernel/src/f.ts', importing('a-package-of-tomorrow'), PURELY],
  ['libs/kernel/src/g.ts', "export * from 'node:net'\n", PURELY],
  ['libs/kernel/src/h.ts', "export { connect } from 'node:net'\n", PURELY],
  ['libs/kernel/src/i.ts', "export const y = () => import('node:fs')\n", PURELY],
  ['libs/kernel/src/j.ts', "import type { Stats } from 'node:fs'\nexport type Y = Stats\n", PURELY],
  ['libs/kernel/src/k.mts', importing('node:fs'), PURELY],
  ['libs/kernel/src/deep/er/l.ts', importing('node:fs'), PURELY],
  ['libs/kernel/src/m.ts', 'export const y = () => Date.now()\n', NO_CLOCK],
  ['libs/kernel/src/n.ts', 'export const y = () => new Date()\n', NO_CLOCK],
  ['libs/kernel/src/o.ts', 'export const y = () => performance.now()\n', NOTHING],
  ['libs/kernel/src/p.ts', 'export const y = () => Math.random()\n', NO_RANDOM],
  ['libs/kernel/src/q.ts', "export const y = () => Math['random']()\n", NO_RANDOM],
  ['libs/kernel/src/r.ts', 'export const { random } = Math\n', NO_RANDOM],
  ['libs/kernel/src/s.ts', "import { randomUUID } from 'node:crypto'\nexport const y = randomUUID\n", NO_RANDOM],
  ['libs/kernel/src/t.ts', "import * as all from 'node:crypto'\nexport const y = all\n", NO_RANDOM],
  ['libs/kernel/src/u.ts', 'export const y = () => crypto.randomUUID()\n', NOTHING],
  ['libs/kernel/src/v.ts', "export const y = () => fetch('http://localhost')\n", NOTHING],
  ['libs/kernel/src/w.ts', "export const y = () => globalThis.fetch('http://localhost')\n", NOTHING],
  ['libs/kernel/src/x.ts', "export const y = () => process.env['HOME']\n", NOTHING],
  ['libs/kernel/src/y.ts', 'export const y = () => setTimeout(() => undefined, 1)\n', NOTHING],
  ['libs/kernel/src/z.ts', "export const y = () => console.log('y')\n", NOTHING],
  ['libs/kernel/src/aa.ts', "export const y = () => global.fetch('http://localhost')\n", NOTHING],
  ['libs/kernel/src/ab.ts', "export const y = () => new WebSocket('ws://localhost')\n", NOTHING],
  ['libs/kernel/src/ac.ts', "export const y = () => new Function('return Date.now()')()\n", NOTHING],
  ['libs/kernel/src/ad.ts', 'export const y = () => queueMicrotask(() => undefined)\n', NOTHING],
  ['libs/kernel/src/ae.ts', "export { randomUUID } from 'node:crypto'\n", NO_RANDOM],
  ['libs/kernel/src/af.tsx', importing('node:fs'), PURELY],

  ['libs/contracts/src/a.ts', importing('@countersign/eventlog'), PURELY],
  ['libs/contracts/src/b.ts', importing('@countersign/kernel/src/brand.ts'), FRONT_DOOR],
  ['libs/contracts/src/c.ts', importing('@countersign/kernel/dist/index.js'), FRONT_DOOR],
  ['libs/contracts/src/d.ts', importing('../../kernel/src/index.ts'), BY_NAME],
  ['libs/contracts/src/deep/e.ts', importing('../../../kernel/dist/index.js'), BY_NAME],
  ['libs/contracts/src/f.ts', importing('../../../libs/kernel/src/index.ts'), BY_NAME],
  ['libs/contracts/src/g.ts', importing('@countersign/control'), PURELY],
  ['libs/contracts/src/h.ts', importing('../../../services/control/src/main.ts'), BY_NAME],
  ['libs/contracts/src/i.ts', importing('vitest'), PURELY],
  ['libs/contracts/src/deep/i.ts', importing('../../../../test/support/b.ts'), ONLY_TESTS],
  ['libs/contracts/src/j.spec.ts', importing('@countersign/kernel/src/brand.ts'), FRONT_DOOR],
  ['libs/contracts/src/k.spec.ts', importing('../../kernel/src/index.ts'), BY_NAME],
  ['libs/contracts/src/l.spec.ts', importing('@countersign/control'), NO_SERVICE],
  ['libs/contracts/scripts/m.ts', importing('@countersign/control'), NO_SERVICE],
  ['libs/contracts/scripts/n.ts', importing('@countersign/kernel/src/brand.ts'), FRONT_DOOR],

  ['libs/eventlog/src/a.ts', importing('@countersign/cli'), 'eventlog may import only: kernel, contracts'],
  ['libs/eventlog/src/b.ts', importing('vitest'), ONLY_TESTS],
  ['libs/eventlog/src/c.ts', importing('fast-check'), ONLY_TESTS],
  ['libs/eventlog/src/d.ts', importing('../../../test/support/b.ts'), ONLY_TESTS],
  ['libs/eventlog/src/e.ts', importing('../../../node_modules/@countersign/platform/dist/index.js'), BY_NAME],
  ['libs/unlisted/src/a.ts', importing('@countersign/kernel'), 'list the library in oxlint.config.ts'],

  ['services/proxy/src/a.ts', importing('@countersign/control'), NO_SERVICE],
  ['services/proxy/src/b.ts', "export const y = () => import('@countersign/control')\n", NO_SERVICE],
  ['services/proxy/src/c.ts', importing('../../control/src/main.ts'), BY_NAME],
  ['services/proxy/src/deep/d.ts', importing('../../../control/dist/main.js'), BY_NAME],
  ['services/proxy/src/e.ts', importing('../../../services/control/src/main.ts'), BY_NAME],
  ['services/proxy/src/f.ts', importing('../../../libs/kernel/src/index.ts'), BY_NAME],
  ['services/proxy/src/g.ts', importing('@countersign/kernel/src/brand.ts'), FRONT_DOOR],
  ['services/proxy/src/h.ts', importing('@countersign/testing'), ONLY_TESTS],
  ['services/proxy/src/i.ts', importing('vitest'), ONLY_TESTS],
  ['services/proxy/src/j.mjs', importing('@countersign/control'), NO_SERVICE],
  ['services/proxy/src/k.spec.ts', importing('@countersign/control'), NO_SERVICE],
  ['services/proxy/src/l.spec.ts', importing('../../control/src/main.ts'), BY_NAME],
  ['services/proxy/src/m.ts', importing('../../../test/support/b.ts'), ONLY_TESTS],
  ['services/proxy/src/n.ts', importing('../../../node_modules/pg/lib/index.js'), BY_NAME],
  ['services/proxy/bin/o.mjs', importing('@countersign/control'), NO_SERVICE],

  ['services/proxy/src/p.ts', importing('./postgres/postgresql.ts'), BEHIND_THE_PORT],
  ['services/proxy/src/session/q.ts', importing('../postgres/session/session.ts'), BEHIND_THE_PORT],
  ['services/proxy/src/session/r.ts', importing('./../../src/postgres/session/session.ts'), BEHIND_THE_PORT],
  [
    'services/proxy/src/session/s.ts',
    "import type { S } from '../postgres/s.ts'\nexport type T = S\n",
    BEHIND_THE_PORT,
  ],
  ['services/proxy/src/session/t.ts', "export * from '../postgres/session/session.ts'\n", BEHIND_THE_PORT],
  ['services/proxy/src/session/u.ts', "export const y = () => import('../postgres/s.ts')\n", BEHIND_THE_PORT],
  ['services/proxy/src/testing/v.ts', importing('../postgres/testing/wire.ts'), BEHIND_THE_PORT],
  ['services/proxy/src/w.ts', importing('@countersign/pgwire'), BEHIND_THE_PORT],
  ['services/proxy/src/statement/x.ts', importing('@countersign/sql'), BEHIND_THE_PORT],
  ['services/proxy/src/statement/y.ts', "import type { C } from 'pg'\nexport type T = C\n", BEHIND_THE_PORT],
  ['services/proxy/src/statement/z.ts', importing('pg/lib/client.js'), BEHIND_THE_PORT],
  ['services/proxy/src/aa.mjs', importing('pg-protocol'), BEHIND_THE_PORT],
  ['services/proxy/src/ab.ts', "export const y = () => import('@countersign/pgwire')\n", BEHIND_THE_PORT],
  ['services/proxy/src/ac.ts', importing('@countersign/control'), NO_SERVICE],
  ['services/proxy/src/postgres/ad.ts', importing('@countersign/control'), NO_SERVICE],
  ['services/proxy/src/postgres/ae.ts', importing('../../../control/src/main.ts'), BY_NAME],
  ['services/proxy/src/postgres/deep/af.ts', importing('@countersign/testing'), ONLY_TESTS],
  ['services/proxy/src/postgres/deep/ag.ts', importing('../../../../../test/support/b.ts'), ONLY_TESTS],
  ['services/proxy/src/protocols.ts', importing('@countersign/control'), NO_SERVICE],
  ['services/proxy/src/ah.ts', importing('./protocols.ts'), TOLD],
  ['services/proxy/src/session/ai.ts', importing('../protocols.ts'), TOLD],
  ['services/proxy/src/workers/inside.ts', importing('../postgres/postgresql.ts'), BEHIND_THE_PORT],

  ['test/journeys/a.spec.ts', importing('../../services/control/src/main.ts'), BY_NAME],
  ['test/journeys/b.ts', importing('../../libs/kernel/src/index.ts'), BY_NAME],
  ['test/journeys/c.ts', importing('@countersign/control'), NO_SERVICE],
  ['test/journeys/d.ts', importing('@countersign/kernel/src/brand.ts'), FRONT_DOOR],
]

describe('a file that reaches too far', () => {
  const found = lint(new Map(REPORTED.map(([path, text]) => [path, text])))

  it.each(REPORTED)('is reported: %s', (path, _, because) =>
    expect(found.get(path) ?? []).toContainEqual(expect.stringContaining(because)),
  )
})

const ACCEPTED: readonly (readonly [string, string])[] = [
  ['libs/kernel/src/a.ts', importing('./own.ts')],
  ['libs/kernel/src/own.ts', 'export const x = 1\n'],
  ['libs/kernel/src/deep/b.ts', importing('../own.ts')],
  [
    'libs/kernel/src/c.ts',
    "import { createHash, createHmac, hash } from 'node:crypto'\nexport { createHash, createHmac, hash }\n",
  ],
  ['libs/kernel/src/d.ts', importing('zod')],
  ['libs/kernel/src/e.ts', 'export const y = (at: { Date: number }) => Math.max(at.Date, 1)\n'],
  [
    'libs/kernel/src/f.spec.ts',
    "import 'node:fs'\nimport 'vitest'\nexport const y = [Date.now(), Math.random(), process.env]\n",
  ],
  ['libs/policy/src/a.ts', importing('@cedar-policy/cedar-wasm/nodejs')],
  ['libs/policy/src/b.ts', importing('@countersign/sql')],
  [
    'libs/eventlog/src/a.ts',
    "import 'node:fs'\nimport '@countersign/contracts'\nexport const y = [Date.now(), Math.random()]\n",
  ],
  ['libs/eventlog/src/b.spec.ts', "import '@countersign/testing'\nimport 'fast-check'\n"],
  ['libs/eventlog/src/c.spec.ts', importing('../../../test/support/b.ts')],
  ['libs/eventlog/scripts/d.ts', "import 'node:fs'\nimport '@countersign/eventlog'\n"],
  ['libs/testing/src/a.ts', importing('vitest')],
  [
    'services/proxy/src/a.ts',
    "import '@countersign/masking'\nimport '@countersign/platform'\nimport 'node:net'\nimport 'uuid'\n",
  ],
  ['services/proxy/src/deep/b.ts', "import '../a.ts'\nimport './services/c.ts'\n"],
  ['services/proxy/src/deep/services/c.ts', 'export const x = 1\n'],
  [
    'services/proxy/src/postgres/deep/a.ts',
    "import '@countersign/pgwire'\nimport '@countersign/sql'\nimport 'pg'\nimport 'pg-protocol'\nimport '../../a.ts'\n",
  ],
  ['services/proxy/src/protocols.ts', importing('./postgres/deep/a.ts')],
  [
    'services/proxy/src/startup/a.spec.ts',
    "import 'pg'\nimport '@countersign/pgwire'\nimport '../postgres/deep/a.ts'\n",
  ],
  [
    'services/proxy/src/postgres/fuzz/a.ts',
    "import '@countersign/testing'\nimport '../../../../../test/support/b.ts'\n",
  ],
  ['services/proxy/src/workers/worker-process.ts', importing('../protocols.ts')],
  ['services/audit/src/a.ts', importing('@countersign/sql')],
  ['services/proxy/src/d.spec.ts', "import '@countersign/testing'\nimport './a.ts'\n"],
  ['services/proxy/src/testing/e.mjs', "import '../../dist/a.js'\n"],
  ['services/proxy/src/deep/f.ts', importing('../test/g.ts')],
  ['services/proxy/src/test/g.ts', 'export const x = 1\n'],
  ['services/proxy/bin/h.mjs', "import '../dist/main.js'\nimport '../../../scripts/toolchain.mjs'\n"],
  ['test/journeys/a.spec.ts', "import '../support/b.ts'\nimport '@countersign/contracts'\n"],
  ['test/support/b.ts', 'export const x = 1\n'],
]

describe('a file that keeps to its place', () => {
  const found = lint(new Map(ACCEPTED))

  it.each(ACCEPTED)('is accepted: %s', (path) => expect(found.get(path) ?? []).toEqual([]))
})

describe('the rules', () => {
  it('are switched off nowhere', () => {
    const sources = globSync('{libs,services}/*/src/**/*.{ts,mts,cts,js,mjs,cjs}', { cwd: ROOT })
    expect(sources.length).toBeGreaterThan(200)
    const off = /(?:oxlint|eslint)-disable(?!.*\b(?:typescript|unicorn|promise)\/)/
    expect(sources.filter((file) => off.test(readFileSync(join(ROOT, file), 'utf8')))).toEqual([])
  })
})
