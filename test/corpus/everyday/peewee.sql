-- Made by peewee 4.5.3, as it sends them.

SELECT "t1"."id", "t1"."email", "t1"."name", "t1"."role", "t1"."active" FROM "users" AS "t1"

SELECT "t1"."id", "t1"."email", "t1"."name", "t1"."role", "t1"."active" FROM "users" AS "t1" WHERE ("t1"."id" = $1)

SELECT "t1"."id", "t1"."author_id", "t1"."title", "t1"."published", "t1"."views", "t2"."id", "t2"."email", "t2"."name", "t2"."role", "t2"."active" FROM "posts" AS "t1" INNER JOIN "users" AS "t2" ON ("t1"."author_id" = "t2"."id") WHERE ("t1"."published" = $1)

SELECT "t1"."author_id", COUNT("t1"."id") FROM "posts" AS "t1" GROUP BY "t1"."author_id" HAVING (COUNT("t1"."id") > $1)

SELECT "t1"."id", "t1"."email", "t1"."name", "t1"."role", "t1"."active" FROM "users" AS "t1" WHERE (("t1"."email" ILIKE $1) OR ("t1"."role" IN ($2, $3))) ORDER BY "t1"."name" DESC LIMIT $4 OFFSET $5

INSERT INTO "users" ("email", "name", "role", "active") VALUES ($1, $2, $3, $4) RETURNING "users"."id"

INSERT INTO "users" ("email", "name", "role", "active") VALUES ($1, $2, $3, $4), ($5, $6, $7, $8) RETURNING "users"."id"

UPDATE "users" SET "name" = $1 WHERE ("users"."id" = $2)

UPDATE "posts" SET "views" = ("posts"."views" + $1) WHERE ("posts"."id" = $2)

DELETE FROM "posts" WHERE ("posts"."id" = $1)

INSERT INTO "users" ("email", "name", "role", "active") VALUES ($1, $2, $3, $4) ON CONFLICT ("email") DO UPDATE SET "name" = EXCLUDED."name" RETURNING "users"."id"

SELECT DISTINCT "t1"."role" FROM "users" AS "t1"

SELECT MAX("t1"."id") FROM "users" AS "t1"

SELECT "t1"."id", RANK() OVER (PARTITION BY "t1"."author_id" ORDER BY "t1"."views") FROM "posts" AS "t1"
