import { fileURLToPath } from 'node:url'
import { readMigrations } from '@countersign/clickhouse'

/** The schema of the audit database: deploy/clickhouse, which lies beside the services in every installation. */
export const MIGRATIONS_FOLDER = fileURLToPath(new URL('../../../../deploy/clickhouse', import.meta.url))

export const auditMigrations = () => readMigrations(MIGRATIONS_FOLDER)
