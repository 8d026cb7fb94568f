import type { Suite } from '../suite.ts'
import { asyncpg } from './asyncpg.ts'
import { pg8000 } from './pg8000.ts'
import { pgx } from './pgx.ts'
import { pq } from './pq.ts'
import { psycopg2 } from './psycopg2.ts'
import { tokioPostgres } from './tokio-postgres.ts'

export const SUITES: readonly Suite[] = [pgx, pq, tokioPostgres, psycopg2, asyncpg, pg8000]
