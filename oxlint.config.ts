// Who may import whom (DESIGN.md, section 12). Read the table from top to bottom: a line may name lines above it.
export const mayImport: Record<string, readonly string[]> = {
  kernel: [],
  contracts: ['kernel'],
  approval: ['kernel', 'contracts'],
  sql: ['kernel'],
  policy: ['kernel', 'contracts', 'sql'],
  masking: ['kernel'],
  pgwire: ['kernel'],
  eventlog: ['kernel', 'contracts'],
  clickhouse: ['kernel', 'contracts'],
  platform: ['kernel'],
  testing: ['kernel', 'contracts', 'eventlog', 'clickhouse', 'platform'],
}

/** Libraries that ask the world for nothing: no I/O, no clock, no randomness, no framework. */
export const PURE = ['kernel', 'contracts', 'approval', 'policy', 'sql', 'masking', 'pgwire']

/** What a pure library may use of Node.js and of npm: computation only. */
const PURE_MODULES = ['node:buffer', 'node:crypto', 'zod', '@cedar-policy/cedar-wasm', 'libpg-query']

const SPECS = ['**/*.spec.ts']

const frontDoor = { group: ['@countersign/*/**'], message: 'enter a library by its front door' }
const byName = { regex: '(^|/)\\.\\./(libs|services)/', message: 'reach another package by its name, not by its path' }
const noService = { group: ['@countersign/{proxy,control,audit,console,cli}'], message: 'nothing imports a service' }
const onlyTests = { group: ['@countersign/testing', 'vitest', 'fast-check'], message: 'only tests use this' }
const pure = {
  group: [
    'node:*',
    '@nestjs/*',
    '@clickhouse/*',
    'pg',
    'kafkajs',
    'yaml',
    'rxjs',
    'uuid',
    ...PURE_MODULES.map((m) => `!${m}`),
  ],
  message: 'a pure library does no I/O and knows no framework',
}

const libRule = ([name, friends]: [string, readonly string[]]) => ({
  files: [`libs/${name}/src/**/*.ts`],
  rules: {
    'no-restricted-imports': [
      'error',
      {
        patterns: [
          {
            group: ['@countersign/*', ...friends.map((friend) => `!@countersign/${friend}`)],
            message: `${name} may import only: ${friends.join(', ') || 'nothing of ours'}`,
          },
          frontDoor,
          byName,
          ...(PURE.includes(name) ? [pure] : []),
          ...(name === 'testing' ? [] : [onlyTests]),
        ],
      },
    ],
  },
})

const PURE_GLOBALS = ['process', 'setTimeout', 'setInterval', 'setImmediate', 'fetch', 'console', 'performance']

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
      files: ['libs/*/src/**/*.ts', 'services/*/src/**/*.ts'],
      rules: { 'no-restricted-imports': ['error', { patterns: [frontDoor, byName, onlyTests, noService] }] },
    },
    ...Object.entries(mayImport).map(libRule),
    {
      files: PURE.map((name) => `libs/${name}/src/**/*.ts`),
      rules: { 'no-restricted-globals': ['error', ...PURE_GLOBALS] },
    },
    {
      files: SPECS,
      rules: {
        'no-restricted-imports': ['error', { patterns: [frontDoor, byName] }],
        'no-restricted-globals': 'off',
        'typescript/no-non-null-assertion': 'off',
        'no-console': 'off',
      },
    },
    { files: ['scripts/**', 'test/**', 'services/cli/**'], rules: { 'no-console': 'off' } },
  ],
  ignorePatterns: ['**/dist/**', 'node_modules/**', '**/.countersign/**', '.cache/**'],
}
