import { defineConfig } from 'vitest/config'

/*
 * Suffixes say what a test needs: `.spec.ts` nothing, `.live.spec.ts` real servers, which it starts itself.
 * What crosses packages lies in test/, one project per folder, run one file at a time because they share the machine.
 */
const sources = { conditions: ['source', 'module', 'node', 'development|production'] }
const shared = { resolve: sources, ssr: { resolve: sources } }
const serial = { fileParallelism: false, testTimeout: 120_000, hookTimeout: 300_000 }

export default defineConfig({
  ...shared,
  test: {
    projects: [
      {
        ...shared,
        test: {
          name: 'unit',
          include: [
            'libs/*/src/**/*.spec.ts',
            'services/*/src/**/*.spec.ts',
            'test/{boundaries,formats,corpus}/**/*.spec.ts',
          ],
          exclude: ['**/*.live.spec.ts'],
          // Properties take their time on a machine that is busy.
          testTimeout: 60_000,
        },
      },
      {
        ...shared,
        test: { name: 'live', include: ['{libs,services}/*/src/**/*.live.spec.ts'], ...serial },
      },
      {
        ...shared,
        test: {
          name: 'versions',
          include: [
            'libs/sql/src/server/{analysis,harmless}.live.spec.ts',
            'libs/policy/src/corpus.live.spec.ts',
            'services/proxy/src/postgres/statement/blast-radius.live.spec.ts',
            'services/proxy/src/postgres/statement/database-judge.live.spec.ts',
            'services/proxy/src/postgres/upstream/replicas.live.spec.ts',
          ],
          env: { COUNTERSIGN_TEST_POSTGRES: 'others' },
          globalSetup: './test/corpus/versions.setup.ts',
          ...serial,
        },
      },
      {
        ...shared,
        test: {
          name: 'journeys',
          include: ['test/journeys/**/*.spec.ts'],
          globalSetup: './test/support/embedded.setup.ts',
          ...serial,
        },
      },
      {
        ...shared,
        test: {
          name: 'journeys-kafka',
          include: ['test/journeys/**/*.spec.ts'],
          // These start a product of their own, which has the embedded log here as well.
          exclude: [
            'test/journeys/{database-gone,clickhouse-gone,many-workers,node-stops,node-reloads,policy-change,restricted}.spec.ts',
          ],
          globalSetup: './test/support/kafka.setup.ts',
          ...serial,
        },
      },
      {
        ...shared,
        test: {
          name: 'clients',
          include: ['test/clients/**/*.spec.ts'],
          globalSetup: './test/support/embedded.setup.ts',
          ...serial,
        },
      },
      { ...shared, test: { name: 'suites', include: ['test/suites/**/*.spec.ts'], ...serial } },
      {
        ...shared,
        test: { name: 'readme', include: ['test/readme/**/*.spec.ts'], ...serial, testTimeout: 400_000 },
      },
      { ...shared, test: { name: 'fuzz', include: ['test/{fuzz,load}/**/*.spec.ts'], ...serial } },
      { ...shared, test: { name: 'regress', include: ['test/{regress,effects}/**/*.spec.ts'], ...serial } },
      { ...shared, test: { name: 'faults', include: ['test/faults/**/*.spec.ts'], ...serial } },
    ],
  },
})
