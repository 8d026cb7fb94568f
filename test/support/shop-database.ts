import { installed, startPostgres, type Postgres } from '../corpus/postgres.ts'

export const PASSWORD_OF_APP = 'password-of-app-61c0'

export interface ShopDatabase {
  readonly postgres: Postgres
  /** As the configuration of a node says it. */
  readonly upstream: Readonly<Record<string, unknown>>
}

const HBA = `
host all postgres 127.0.0.1/32 trust
host all all      127.0.0.1/32 scram-sha-256
`

/** A real server of the newest version that this machine has, with a database `shop` and a role `app`. */
export const startShopDatabase = async (): Promise<ShopDatabase> => {
  const [newest] = installed()
  if (!newest) throw new Error('no PostgreSQL is installed')
  const files = { 'pg_hba.conf': HBA }
  const postgres = await startPostgres(newest, { files, settings: { max_connections: 200 } })
  const admin = await postgres.connect('postgres')
  await admin.query(`CREATE ROLE app LOGIN PASSWORD '${PASSWORD_OF_APP}'`)
  await admin.query('CREATE DATABASE shop')
  await admin.end()
  const roles = { app: PASSWORD_OF_APP }
  const guard = { role: 'app', password: PASSWORD_OF_APP }
  return {
    postgres,
    upstream: { host: '127.0.0.1', port: postgres.port, database: 'shop', tls: 'disable', roles, guard },
  }
}
