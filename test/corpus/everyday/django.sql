-- Made by django 5.2.19, as it sends them.

SELECT "users"."id", "users"."email", "users"."name", "users"."role", "users"."active", "users"."profile", "users"."created_at" FROM "users"

SELECT "users"."id", "users"."email", "users"."name", "users"."role", "users"."active", "users"."profile", "users"."created_at" FROM "users" WHERE "users"."id" = $1

SELECT "users"."id", "users"."email", "users"."name", "users"."role", "users"."active", "users"."profile", "users"."created_at" FROM "users" WHERE "users"."active" ORDER BY "users"."created_at" DESC LIMIT 10

SELECT "users"."id", "users"."email", "users"."name", "users"."role", "users"."active", "users"."profile", "users"."created_at" FROM "users" WHERE (("users"."role" = $1 OR UPPER("users"."email"::text) LIKE UPPER($2)) AND NOT ("users"."name" IS NULL))

SELECT "posts"."id", "posts"."author_id", "posts"."title", "posts"."body", "posts"."published", "posts"."views", "posts"."created_at", "users"."id", "users"."email", "users"."name", "users"."role", "users"."active", "users"."profile", "users"."created_at" FROM "posts" INNER JOIN "users" ON ("posts"."author_id" = "users"."id") WHERE "posts"."published" LIMIT 20 OFFSET 20

SELECT "users"."id", "users"."email", "users"."name", "users"."role", "users"."active", "users"."profile", "users"."created_at", COUNT("posts"."id") AS "n" FROM "users" LEFT OUTER JOIN "posts" ON ("users"."id" = "posts"."author_id") GROUP BY "users"."id" HAVING COUNT("posts"."id") > $1

SELECT "orders"."status" AS "status", SUM("orders"."total") AS "t", AVG("orders"."total") AS "a" FROM "orders" GROUP BY 1 ORDER BY 1 ASC

SELECT DATE_TRUNC($1, "orders"."placed_at" AT TIME ZONE $2) AS "m", COUNT("orders"."id") AS "n" FROM "orders" GROUP BY 1

SELECT "users"."id", "users"."email" FROM "users" WHERE "users"."id" IN ($1, $2, $3)

SELECT "users"."id", "users"."email", "users"."name", "users"."role", "users"."active", "users"."profile", "users"."created_at" FROM "users" WHERE "users"."id" IN (SELECT U0."user_id" AS "user_id" FROM "orders" U0 WHERE U0."total" > $1)

SELECT "users"."id", "users"."email", "users"."name", "users"."role", "users"."active", "users"."profile", "users"."created_at", (SELECT U0."total" AS "total" FROM "orders" U0 WHERE U0."user_id" = ("users"."id") ORDER BY U0."placed_at" DESC LIMIT 1) AS "last" FROM "users"

SELECT "users"."id", "users"."email", "users"."name", "users"."role", "users"."active", "users"."profile", "users"."created_at" FROM "users" WHERE EXISTS(SELECT $1 AS "a" FROM "posts" U0 WHERE (U0."author_id" = ("users"."id") AND U0."published") LIMIT 1)

SELECT "posts"."id", "posts"."author_id", "posts"."title", "posts"."body", "posts"."published", "posts"."views", "posts"."created_at", ROW_NUMBER() OVER (PARTITION BY "posts"."author_id" ORDER BY "posts"."views" DESC) AS "r" FROM "posts"

SELECT "users"."id", "users"."email", "users"."name", "users"."role", "users"."active", "users"."profile", "users"."created_at" FROM "users" WHERE ("users"."profile" -> $1) = $2

SELECT DISTINCT "users"."role" AS "role" FROM "users"

SELECT "users"."id" AS "id", CASE WHEN "users"."role" = $1 THEN $2 ELSE $3 END AS "k" FROM "users"

SELECT "comments"."id", "comments"."post_id", "comments"."author_id", "comments"."body", "posts"."id", "posts"."author_id", "posts"."title", "posts"."body", "posts"."published", "posts"."views", "posts"."created_at", T4."id", T4."email", T4."name", T4."role", T4."active", T4."profile", T4."created_at" FROM "comments" INNER JOIN "posts" ON ("comments"."post_id" = "posts"."id") INNER JOIN "users" ON ("posts"."author_id" = "users"."id") INNER JOIN "users" T4 ON ("comments"."author_id" = T4."id") WHERE "users"."email" = $1

SELECT "posts"."id", "posts"."author_id", "posts"."title", "posts"."body", "posts"."published", "posts"."views", "posts"."created_at" FROM "posts" WHERE ("posts"."created_at" BETWEEN $1 AND $2 AND "posts"."title"::text LIKE $3)

SELECT LOWER("users"."email") AS "l", (COALESCE("users"."name", $1) || COALESCE((COALESCE($2, $3) || COALESCE("users"."role", $4)), $5)) AS "cc" FROM "users"

(SELECT "users"."id" AS "id" FROM "users") UNION (SELECT "posts"."author_id" AS "author_id" FROM "posts")

SELECT "orders"."id", "orders"."user_id", "orders"."status", "orders"."total", "orders"."placed_at" FROM "orders" WHERE "orders"."placed_at" BETWEEN $1 AND $2

UPDATE "users" SET "name" = $1, "active" = $2 WHERE "users"."id" = $3

UPDATE "posts" SET "views" = ("posts"."views" + $1) WHERE "posts"."id" = $2

UPDATE "orders" SET "status" = $1 WHERE ("orders"."id" = $2 AND "orders"."status" = $3)

DELETE FROM "comments" WHERE "comments"."id" = $1

DELETE FROM "comments" WHERE "comments"."id" IN ($1, $2)

INSERT INTO "orders" ("user_id", "status", "total", "placed_at") VALUES ($1, $2, $3, $4) RETURNING "orders"."id"

INSERT INTO "orders" ("user_id", "status", "total", "placed_at") SELECT * FROM UNNEST(($1)::integer[], ($2)::text[], ($3)::numeric[], ($4)::timestamp with time zone[]) RETURNING "orders"."id"

SELECT (1) AS "a" FROM "users" WHERE "users"."email" = $1 LIMIT 1
