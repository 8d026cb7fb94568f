-- Written as Ecto 3 (Postgrex) sends it.

SELECT u0."id", u0."email", u0."name", u0."role" FROM "users" AS u0 WHERE (u0."id" = $1)

SELECT u0."id", u0."email" FROM "users" AS u0 WHERE (u0."active" = TRUE) ORDER BY u0."created_at" DESC LIMIT $1 OFFSET $2

SELECT p0."id", p0."title", p0."author_id", p0."author_id" FROM "posts" AS p0 WHERE (p0."author_id" = ANY($1)) ORDER BY p0."author_id"

SELECT p0."id", u1."name" FROM "posts" AS p0 INNER JOIN "users" AS u1 ON u1."id" = p0."author_id" WHERE (p0."published")

SELECT count(*) FROM "users" AS u0

SELECT TRUE FROM "users" AS u0 WHERE (u0."email" = $1) LIMIT 1

SELECT o0."status", sum(o0."total") FROM "orders" AS o0 GROUP BY o0."status"

SELECT s0."user_id", s0."total" FROM (SELECT so0."user_id" AS "user_id", sum(so0."total") AS "total" FROM "orders" AS so0 GROUP BY so0."user_id") AS s0 WHERE (s0."total" > $1)

WITH "latest" AS (SELECT so0."user_id" AS "user_id", max(so0."placed_at") AS "at" FROM "orders" AS so0 GROUP BY so0."user_id") SELECT u0."name", l1."at" FROM "users" AS u0 INNER JOIN "latest" AS l1 ON l1."user_id" = u0."id"

INSERT INTO "users" ("active","email","name","role") VALUES ($1,$2,$3,$4) RETURNING "id"

INSERT INTO "tags" AS t0 ("name") VALUES ($1) ON CONFLICT ("name") DO UPDATE SET "name" = EXCLUDED."name" RETURNING "id"

UPDATE "users" AS u0 SET "name" = $1 WHERE (u0."id" = $2)

UPDATE "products" AS p0 SET "stock" = p0."stock" + $1 WHERE (p0."id" = $2) RETURNING p0."stock"

DELETE FROM "comments" WHERE "id" = $1

UPDATE "jobs" AS o0 SET "state" = $1, "attempts" = o0."attempts" + $2 FROM (SELECT so0."id" AS "id" FROM "jobs" AS so0 WHERE ((so0."state" = 'ready') AND (so0."queue" = $3)) ORDER BY so0."run_at" LIMIT 10 FOR UPDATE SKIP LOCKED) AS f1 WHERE (o0."id" = f1."id") RETURNING o0."id"

SELECT s0."version"::bigint FROM "schema_migrations" AS s0 ORDER BY 1
