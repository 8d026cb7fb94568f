export { dropPostgres } from './places.ts'
export { PostgresError, type PostgresFault } from './postgres-error.ts'
export { serverTlsOf } from './server-tls.ts'
export { startPostgres, stopLeftoverPostgres, type PostgresOptions } from './start-postgres.ts'
