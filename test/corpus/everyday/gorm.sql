-- Written as GORM 1.25 (pgx) sends it.

SELECT * FROM "users" WHERE "users"."id" = $1 ORDER BY "users"."id" LIMIT $2

SELECT * FROM "users" WHERE active = $1 AND role IN ($2,$3) ORDER BY created_at desc LIMIT $4 OFFSET $5

SELECT * FROM "posts" WHERE "posts"."author_id" IN ($1,$2,$3)

SELECT "posts"."id","posts"."title","Author"."id" AS "Author__id","Author"."name" AS "Author__name" FROM "posts" LEFT JOIN "users" "Author" ON "posts"."author_id" = "Author"."id" WHERE "posts"."published" = $1

SELECT count(*) FROM "users" WHERE active = true

SELECT status, sum(total) as total FROM "orders" GROUP BY "status" HAVING sum(total) > $1

SELECT * FROM "products" WHERE sku = $1 AND "products"."deleted_at" IS NULL ORDER BY "products"."id" LIMIT 1

INSERT INTO "users" ("email","name","role","active") VALUES ($1,$2,$3,$4) RETURNING "id"

INSERT INTO "users" ("email","name") VALUES ($1,$2) ON CONFLICT ("email") DO UPDATE SET "name"="excluded"."name" RETURNING "id"

UPDATE "users" SET "name"=$1,"updated_at"=$2 WHERE id = $3

UPDATE "products" SET "deleted_at"=$1 WHERE "products"."id" = $2 AND "products"."deleted_at" IS NULL

UPDATE "products" SET "stock"=stock - $1 WHERE id = $2

DELETE FROM "comments" WHERE "comments"."id" = $1

SELECT count(*) FROM information_schema.tables WHERE table_schema = CURRENT_SCHEMA() AND table_name = $1 AND table_type = $2

SELECT c.column_name, c.is_nullable = 'YES', c.udt_name, c.character_maximum_length, c.numeric_precision, c.numeric_precision_radix, c.numeric_scale, c.datetime_precision, 8 * typlen, c.column_default, pd.description, c.identity_increment FROM information_schema.columns AS c JOIN pg_type AS pgt ON c.udt_name = pgt.typname LEFT JOIN pg_catalog.pg_description as pd ON pd.objsubid = c.ordinal_position AND pd.objoid = (SELECT oid FROM pg_catalog.pg_class WHERE relname = c.table_name AND relnamespace = (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = c.table_schema)) where table_catalog = $1 AND table_schema = CURRENT_SCHEMA() AND table_name = $2

SELECT CURRENT_DATABASE()
