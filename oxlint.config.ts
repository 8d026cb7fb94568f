// Who may import whom (DESIGN.md, section 12). Read the table from top to bottom: a line may name lines above it.
export const mayImport: Record<string, readonly string[]> = {
  kernel: [],
  contracts: ['kernel'],
  approval: ['kernel', 'contracts'],
  sql: ['kernel'],
  'sql-mysql': ['kernel', 'sql'],
  policy: ['kernel', 'contracts', 'sql'],
  masking: ['kernel'],
  pgwire: ['kernel'],
  eventlog: ['kernel', 'contracts'],
  clickhouse: ['kernel', 'contracts'],
  platform: ['kernel'],
  testing: ['kernel', 'contracts', 'eventlog', 'clickhouse', 'platform'],
}

/** Libraries that ask the world for nothing: no I/O, no clock, no randomness, no framework. */
export const PURE = ['kernel', 'contracts', 'approval', 'policy', 'sql', 'sql-mysql', 'masking', 'pgwire']

/** What a pure library may use of Node.js and of npm: computation only. */
const PURE_MODULES = [
  'node:buffer',
  'node:crypto',
  'zod',
  '@cedar-policy/cedar-wasm',
  'libpg-query',
  'pgsql-deparser',
  '@guanmingchiu/sqlparser-ts',
  'node-sql-parser',
]
const PURE_CRYPTO = ['createHash', 'createHmac', 'hash', 'timingSafeEqual']
const IMPURE_GLOBALS = [
  'process',
  'console',
  'fetch',
  'crypto',
  'performance',
  'global',
  'globalThis',
  'require',
  'setTimeout',
  'setInterval',
  'setImmediate',
  'queueMicrotask',
  'Function',
  'Temporal',
  'EventSource',
  'WebSocket',
]

const LIBS = Object.keys(mayImport)
const PRODUCT = LIBS.filter((name) => name !== 'testing')
// What drives a fuzzer or a benchmark is a test as well, though it may run for hours as a command.
const SPECS = ['**/*.spec.ts', 'services/*/src/**/{fuzz,bench}/**']
const codeIn = (folder: string) => `${folder}/**/*.{ts,tsx,mts,cts,js,jsx,mjs,cjs}`

const frontDoor = { group: ['@countersign/*/**'], message: 'enter a library by its front door' }
const byName = {
  regex: '(^|/)(\\.\\./(libs|services)|node_modules)/|^(\\.{1,2}/)+[^./][^/]*/(src|dist)/',
  message: 'reach another package by its name, not by its path',
}
const noServiceBut = (libs: readonly string[]) => ({
  group: ['@countersign/*', ...libs.map((name) => `!@countersign/${name}`)],
  message: 'nothing imports a service',
})
/** What one protocol of the node is made of: only its own folder uses it (services/proxy/src/protocol.ts). */
const ONE_PROTOCOLS = ['@countersign/pgwire', '@countersign/sql', '@countersign/sql-mysql', 'pg', 'pg-protocol']
const onlyBehindThePort = 'only services/proxy/src/postgres speaks PostgreSQL: go through the port'
const ofOneProtocol = {
  paths: ONE_PROTOCOLS.map((name) => ({ name, message: onlyBehindThePort })),
  patterns: [{ regex: '^\\.{1,2}/(.*/)?postgres/|^pg(-protocol)?/', message: onlyBehindThePort }],
}
const whichProtocol = { regex: '/protocols\\.ts$', message: 'a worker is told which protocol it speaks' }
const onlyTests = { group: ['@countersign/testing', 'vitest', 'fast-check'], message: 'only tests use this' }
const noTest = { regex: '(\\.\\./){2}test/', message: 'only tests use this' }
const SERVICE_PATTERNS = [frontDoor, byName, noTest, onlyTests, noServiceBut(PRODUCT)]
/** What of the node is the same for every protocol. */
const neutral = (...more: readonly { regex: string; message: string }[]) => ({
  paths: ofOneProtocol.paths,
  patterns: [...SERVICE_PATTERNS, ...ofOneProtocol.patterns, ...more],
})
const unlisted = { group: ['@countersign/*'], message: 'list the library in oxlint.config.ts, with what it may import' }
const pureCrypto = {
  name: 'node:crypto',
  allowImportNames: PURE_CRYPTO,
  message: 'a pure library draws no random values',
}

// In oxlint, what one pattern of a rule excepts (`!`) other patterns do not report either: none may except what another is
// there for, and those that do except come last. A regular expression with a look-ahead is passed over without a word.
// test/boundaries sees both.
const friendsOf = (name: string, friends: readonly string[]) => ({
  group: ['@countersign/*', ...friends.map((friend) => `!@countersign/${friend}`)],
  message: `${name} may import only: ${friends.join(', ') || 'nothing of ours'}`,
})

const pureFriendsOf = (name: string, friends: readonly string[]) => {
  const allowed = [...friends.map((friend) => `@countersign/${friend}`), ...PURE_MODULES]
  const beneath = PURE_MODULES.map((module) => `${module}/**`)
  return {
    group: ['*', ...['./**', '../**', ...allowed, ...beneath].map((each) => `!${each}`)],
    message: `${name} is pure and may import only: ${allowed.join(', ')}`,
  }
}

const libRule = ([name, friends]: [string, readonly string[]]) => ({
  files: [codeIn(`libs/${name}/src`)],
  rules: {
    'no-restricted-imports': [
      'error',
      PURE.includes(name)
        ? { patterns: [frontDoor, byName, noTest, pureFriendsOf(name, friends)], paths: [pureCrypto] }
        : {
            patterns: [frontDoor, byName, ...(name === 'testing' ? [] : [noTest, onlyTests]), friendsOf(name, friends)],
          },
    ],
  },
})

export default {
  plugins: ['typescript', 'unicorn', 'oxc', 'import', 'promise'],
  categories: { correctness: 'error', suspicious: 'error' },
  rules: {
    'import/no-cycle': 'error',
    'no-console': 'error',
    // Node's own name for the operating system's socket (services/proxy/src/stream/socket-stream.ts).
    'no-underscore-dangle': ['error', { allow: ['_handle'] }],
    'typescript/no-explicit-any': 'error',
    'typescript/no-non-null-assertion': 'error',
    'no-await-in-loop': 'off',
    'unicorn/require-post-message-target-origin': 'off',
    'import/no-named-as-default-member': 'off',
    'no-shadow': 'off',
    'import/no-unassigned-import': 'off',
    'unicorn/no-array-sort': 'off',
    'unicorn/consistent-function-scoping': 'off',
    'typescript/no-extraneous-class': 'off',
    'promise/always-return': 'off',
  },
  overrides: [
    {
      files: [codeIn('services/*/{bin,src}')],
      rules: { 'no-restricted-imports': ['error', { patterns: SERVICE_PATTERNS }] },
    },
    {
      files: [codeIn('services/proxy/src')],
      rules: { 'no-restricted-imports': ['error', neutral(whichProtocol)] },
    },
    {
      files: ['services/proxy/src/workers/{inside,worker-process}.ts'],
      rules: { 'no-restricted-imports': ['error', neutral()] },
    },
    {
      files: [codeIn('services/proxy/src/postgres'), 'services/proxy/src/protocols.ts'],
      rules: { 'no-restricted-imports': ['error', { patterns: SERVICE_PATTERNS }] },
    },
    {
      files: [codeIn('libs/*/src')],
      rules: { 'no-restricted-imports': ['error', { patterns: [unlisted, frontDoor, byName, noTest, onlyTests] }] },
    },
    ...Object.entries(mayImport).map(libRule),
    {
      files: PURE.map((name) => codeIn(`libs/${name}/src`)),
      rules: {
        'no-restricted-globals': [
          'error',
          { name: 'Date', message: 'a pure library reads no clock: times come in, as text' },
          ...IMPURE_GLOBALS.map((name) => ({ name, message: 'a pure library asks the world for nothing' })),
        ],
        'no-restricted-properties': [
          'error',
          { object: 'Math', property: 'random', message: 'a pure library draws no random values' },
        ],
      },
    },
    {
      files: [...SPECS, codeIn('test'), codeIn('scripts'), codeIn('{libs,services}/*/scripts')],
      rules: { 'no-restricted-imports': ['error', { patterns: [frontDoor, byName, noServiceBut(LIBS)] }] },
    },
    {
      files: SPECS,
      rules: {
        'no-restricted-globals': 'off',
        'no-restricted-properties': 'off',
        'typescript/no-non-null-assertion': 'off',
        'no-console': 'off',
      },
    },
    { files: ['scripts/**', 'test/**', 'services/cli/**'], rules: { 'no-console': 'off' } },
  ],
  ignorePatterns: ['**/dist/**', 'node_modules/**', '**/.countersign/**', '.cache/**'],
}
