// Migrates with Drizzle, twice, which does nothing the second time; then uses what it has made.
import { createRequire } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'

const require = createRequire(`${process.env.MIGRATION_MODULES}/`)
const load = (name) => import(pathToFileURL(require.resolve(name)))

const { drizzle } = await load('drizzle-orm/node-postgres')
const { migrate } = await load('drizzle-orm/node-postgres/migrator')
const { eq, sql } = await load('drizzle-orm')
const { bigint, integer, jsonb, pgEnum, pgTable, serial, text, timestamp, varchar } = await load('drizzle-orm/pg-core')

const db = drizzle(process.env.DATABASE_URL)
const migrationsFolder = fileURLToPath(new URL('migrations', import.meta.url))
for (let time = 0; time < 2; time++) await migrate(db, { migrationsFolder })

const status = pgEnum('status', ['open', 'paid', 'sent'])
const users = pgTable('users', {
  id: serial().primaryKey(),
  email: varchar({ length: 256 }).notNull(),
  createdAt: timestamp('created_at', { withTimezone: true }).defaultNow(),
  name: text(),
})
const orders = pgTable('orders', {
  id: bigint({ mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
  userId: integer('user_id').notNull(),
  status: status().default('open'),
  items: jsonb(),
})

const told = await db.transaction(async (tx) => {
  const [ana] = await tx.insert(users).values({ email: 'ana@example.org', name: 'Ana' }).returning()
  await tx
    .insert(orders)
    .values([1, 2, 3].map((n) => ({ userId: ana.id, items: { n }, status: n === 3 ? 'sent' : 'open' })))
  await tx
    .update(orders)
    .set({ status: 'paid' })
    .where(sql`(items ->> 'n')::int = 2`)
  return tx
    .select({ email: users.email, status: orders.status, items: orders.items })
    .from(users)
    .innerJoin(orders, eq(orders.userId, users.id))
    .orderBy(orders.id)
})
console.log(JSON.stringify(told))
await db.$client.end()
