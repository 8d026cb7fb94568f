-- Written as Prisma 5 and 6 send it (query engine, PostgreSQL).

SELECT "public"."users"."id", "public"."users"."email", "public"."users"."name" FROM "public"."users" WHERE ("public"."users"."id" = $1 AND 1=1) LIMIT $2 OFFSET $3

SELECT "public"."users"."id", "public"."users"."email", "public"."users"."role"::text FROM "public"."users" WHERE 1=1 ORDER BY "public"."users"."created_at" DESC OFFSET $1

SELECT "public"."posts"."id", "public"."posts"."title", "public"."posts"."author_id" FROM "public"."posts" WHERE "public"."posts"."author_id" IN ($1,$2,$3) OFFSET $4

SELECT COUNT(*) FROM (SELECT "public"."users"."id" FROM "public"."users" WHERE "public"."users"."active" = $1 OFFSET $2) AS "sub"

SELECT COUNT(*) AS "_count$_all", SUM("total") AS "_sum$total", "public"."orders"."status" FROM "public"."orders" WHERE 1=1 GROUP BY "public"."orders"."status" OFFSET $1

SELECT "public"."users"."id" FROM "public"."users" WHERE ("public"."users"."id") IN (SELECT "t1"."author_id" FROM "public"."posts" AS "t1" WHERE ("t1"."published" = $1 AND "t1"."author_id" IS NOT NULL)) OFFSET $2

SELECT "public"."users"."id", "public"."users"."name" FROM "public"."users" WHERE ("public"."users"."email"::text ILIKE $1 OR "public"."users"."name"::text LIKE $2) LIMIT $3 OFFSET $4

SELECT "t1"."id", "t1"."title", "User_author"."__prisma_data__" AS "author" FROM "public"."posts" AS "t1" LEFT JOIN LATERAL (SELECT JSONB_BUILD_OBJECT('id', "t2"."id", 'name', "t2"."name") AS "__prisma_data__" FROM (SELECT "t3".* FROM "public"."users" AS "t3" WHERE "t1"."author_id" = "t3"."id" LIMIT $1) AS "t2") AS "User_author" ON true WHERE "t1"."published" = $2 LIMIT $3

SELECT "t1"."id", "User_posts"."__prisma_data__" AS "posts" FROM "public"."users" AS "t1" LEFT JOIN LATERAL (SELECT COALESCE(JSONB_AGG("__prisma_data__"), '[]') AS "__prisma_data__" FROM (SELECT "t4"."__prisma_data__" FROM (SELECT JSONB_BUILD_OBJECT('id', "t3"."id", 'title', "t3"."title") AS "__prisma_data__", "t3"."author_id" FROM (SELECT "t2".* FROM "public"."posts" AS "t2" WHERE "t1"."id" = "t2"."author_id") AS "t3") AS "t4") AS "t5") AS "User_posts" ON true

INSERT INTO "public"."users" ("email","name","role","active","created_at","updated_at") VALUES ($1,$2,$3,$4,$5,$6) RETURNING "public"."users"."id", "public"."users"."email"

INSERT INTO "public"."tags" ("name") VALUES ($1), ($2) ON CONFLICT DO NOTHING

INSERT INTO "public"."users" ("email","name") VALUES ($1,$2) ON CONFLICT ("email") DO UPDATE SET "name" = $3 WHERE ("public"."users"."email" = $4 AND 1=1) RETURNING "public"."users"."id"

UPDATE "public"."users" SET "name" = $1, "updated_at" = $2 WHERE ("public"."users"."id" = $3 AND 1=1) RETURNING "public"."users"."id", "public"."users"."name"

UPDATE "public"."products" SET "stock" = ("public"."products"."stock" - $1) WHERE ("public"."products"."id" = $2 AND 1=1) RETURNING "public"."products"."id"

UPDATE "public"."posts" SET "published" = $1 WHERE ("public"."posts"."id" IN ($2,$3) AND 1=1)

DELETE FROM "public"."comments" WHERE ("public"."comments"."id" = $1 AND 1=1) RETURNING "public"."comments"."id"

DELETE FROM "public"."post_tags" WHERE ("public"."post_tags"."post_id" = $1 AND "public"."post_tags"."tag_id" IN ($2))

SELECT 1

SELECT "public"."schema_migrations"."version" FROM "public"."schema_migrations" WHERE 1=1 ORDER BY "version" ASC

SELECT namespace.nspname AS schema_name FROM pg_namespace AS namespace ORDER BY namespace.nspname
