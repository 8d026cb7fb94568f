export { dropPostgres } from './places.ts'
export { PostgresError, type PostgresFault } from './postgres-error.ts'
export { startPostgres, stopLeftoverPostgres, type PostgresOptions } from './start-postgres.ts'
