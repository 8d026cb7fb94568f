-- Made by typeorm 1.1.1, as it sends them.

SELECT "user"."id" AS "user_id", "user"."email" AS "user_email", "user"."name" AS "user_name", "user"."role" AS "user_role", "user"."active" AS "user_active" FROM "users" "user" WHERE "user"."id" = $1

SELECT "user"."id" AS "user_id", "user"."email" AS "user_email", "user"."name" AS "user_name", "user"."role" AS "user_role", "user"."active" AS "user_active", "post"."id" AS "post_id", "post"."title" AS "post_title", "post"."published" AS "post_published", "post"."views" AS "post_views", "post"."author_id" AS "post_author_id" FROM "users" "user" LEFT JOIN "posts" "post" ON "post"."author_id"="user"."id" WHERE "user"."active" = $1 ORDER BY "user"."name" ASC

SELECT "post"."id" AS "post_id", "post"."title" AS "post_title", "post"."published" AS "post_published", "post"."views" AS "post_views", "post"."author_id" AS "post_author_id", "author"."id" AS "author_id", "author"."email" AS "author_email", "author"."name" AS "author_name", "author"."role" AS "author_role", "author"."active" AS "author_active", "tag"."id" AS "tag_id", "tag"."name" AS "tag_name" FROM "posts" "post" INNER JOIN "users" "author" ON "author"."id"="post"."author_id"  INNER JOIN "post_tags" "post_tag" ON "post_tag"."post_id"="post"."id" INNER JOIN "tags" "tag" ON "tag"."id"="post_tag"."tag_id" WHERE "tag"."name" IN ($1, $2)

SELECT "post"."author_id" AS "author", COUNT(*) AS "n" FROM "posts" "post" GROUP BY "post"."author_id" HAVING COUNT(*) > $1

SELECT DISTINCT "user"."role" AS "role" FROM "users" "user"

SELECT "user"."id" AS "user_id", "user"."email" AS "user_email", "user"."name" AS "user_name", "user"."role" AS "user_role", "user"."active" AS "user_active" FROM "users" "user" WHERE "user"."id" IN (SELECT "post"."author_id" FROM "posts" "post" WHERE "post"."published" = true)

SELECT "user"."id" AS "user_id", "user"."email" AS "user_email", "user"."name" AS "user_name", "user"."role" AS "user_role", "user"."active" AS "user_active" FROM "users" "user" ORDER BY "user"."id" DESC LIMIT 10 OFFSET 20

INSERT INTO "users"("email", "name", "role", "active") VALUES ($1, $2, $3, $4) RETURNING id

INSERT INTO "users"("email", "name", "role", "active") VALUES ($1, DEFAULT, DEFAULT, DEFAULT), ($2, DEFAULT, DEFAULT, DEFAULT) ON CONFLICT DO NOTHING

INSERT INTO "users"("email", "name", "role", "active") VALUES ($1, $2, DEFAULT, DEFAULT) ON CONFLICT ( "email" ) DO UPDATE SET "name" = EXCLUDED."name"

UPDATE "users" SET "name" = $1 WHERE "id" = $2

UPDATE "posts" SET "views" = "views" + 1 WHERE "id" = $1 RETURNING "id", "views"

DELETE FROM "posts" WHERE "id" = $1

SELECT "user"."id" AS "user_id", "user"."email" AS "user_email", "user"."name" AS "user_name", "user"."role" AS "user_role", "user"."active" AS "user_active" FROM "users" "user" WHERE "user"."email" ILIKE $1 AND ("user"."role" = $2 OR "user"."active")

SELECT "post"."id" AS "post_id", "post"."title" AS "post_title", "post"."published" AS "post_published", "post"."views" AS "post_views", "post"."author_id" AS "post_author_id" FROM "posts" "post" WHERE "post"."id" = $1 FOR UPDATE

SELECT SUM("post"."views") AS "sum", MAX("post"."views") AS "max" FROM "posts" "post"

SELECT "user"."id" AS "user_id", "user"."email" AS "user_email", "user"."name" AS "user_name", "user"."role" AS "user_role", "user"."active" AS "user_active" FROM "users" "user" WHERE "user"."id" IN ($1, $2, $3)
