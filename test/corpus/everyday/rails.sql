-- Written as Active Record 7 and 8 sends it.

SELECT "users".* FROM "users" WHERE "users"."id" = $1 LIMIT $2

SELECT "users".* FROM "users" ORDER BY "users"."id" ASC LIMIT $1

SELECT "users".* FROM "users" WHERE "users"."active" = TRUE AND "users"."role" IN ('admin', 'owner') ORDER BY "users"."created_at" DESC

SELECT 1 AS one FROM "users" WHERE "users"."email" = $1 LIMIT $2

SELECT COUNT(*) FROM "users" WHERE "users"."active" = $1

SELECT COUNT(*) AS "count_all", "orders"."status" AS "orders_status" FROM "orders" GROUP BY "orders"."status"

SELECT "posts".* FROM "posts" WHERE "posts"."author_id" IN ($1, $2, $3)

SELECT "posts".* FROM "posts" INNER JOIN "users" ON "users"."id" = "posts"."author_id" WHERE "users"."role" = $1

SELECT "users"."id" AS t0_r0, "users"."email" AS t0_r1, "posts"."id" AS t1_r0, "posts"."title" AS t1_r1 FROM "users" LEFT OUTER JOIN "posts" ON "posts"."author_id" = "users"."id" WHERE "users"."id" = $1

SELECT "users".* FROM "users" WHERE "users"."id" > $1 ORDER BY "users"."id" ASC LIMIT $2

SELECT DISTINCT "tags".* FROM "tags" INNER JOIN "post_tags" ON "tags"."id" = "post_tags"."tag_id" WHERE "post_tags"."post_id" = $1

SELECT "users"."name" FROM "users" WHERE (lower(email) = 'a@example.com')

SELECT SUM("orders"."total") FROM "orders" WHERE "orders"."placed_at" BETWEEN $1 AND $2

SELECT "users".* FROM "users" WHERE "users"."id" = $1 LIMIT $2 FOR UPDATE

INSERT INTO "users" ("email", "name", "role", "active", "created_at", "updated_at") VALUES ($1, $2, $3, $4, $5, $6) RETURNING "id"

INSERT INTO "tags" ("name") VALUES ('a'), ('b') ON CONFLICT ("name") DO NOTHING RETURNING "id"

INSERT INTO "users" ("email","name") VALUES ('a@example.com', 'A') ON CONFLICT ("email") DO UPDATE SET updated_at=(CASE WHEN ("users"."name" IS NOT DISTINCT FROM excluded."name") THEN "users".updated_at ELSE CURRENT_TIMESTAMP END),"name"=excluded."name" RETURNING "id"

UPDATE "users" SET "name" = $1, "updated_at" = $2 WHERE "users"."id" = $3

UPDATE "posts" SET "views" = COALESCE("posts"."views", 0) + $1 WHERE "posts"."id" = $2

UPDATE "orders" SET "status" = $1, "version" = $2 WHERE "orders"."id" = $3 AND "orders"."version" = $4

DELETE FROM "comments" WHERE "comments"."id" = $1

DELETE FROM "post_tags" WHERE "post_tags"."post_id" = $1 AND "post_tags"."tag_id" = $2

SELECT "schema_migrations"."version" FROM "schema_migrations" ORDER BY "schema_migrations"."version" ASC

INSERT INTO "schema_migrations" ("version") VALUES ('20260101000000') RETURNING "version"

SELECT a.attname, format_type(a.atttypid, a.atttypmod), pg_get_expr(d.adbin, d.adrelid), a.attnotnull, a.atttypid, a.atttypmod, c.collname, col_description(a.attrelid, a.attnum) AS comment, attidentity AS identity, attgenerated as attgenerated FROM pg_attribute a LEFT JOIN pg_attrdef d ON a.attrelid = d.adrelid AND a.attnum = d.adnum LEFT JOIN pg_type t ON a.atttypid = t.oid LEFT JOIN pg_collation c ON a.attcollation = c.oid AND a.attcollation <> t.typcollation WHERE a.attrelid = '"users"'::regclass AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum

SELECT c.relname FROM pg_class c LEFT JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = ANY (current_schemas(false)) AND c.relkind IN ('r','p')

SELECT pg_try_advisory_lock(2034187462049)

SELECT pg_advisory_unlock(2034187462049)
