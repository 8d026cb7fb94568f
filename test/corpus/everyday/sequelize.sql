-- Made by sequelize 6.37.8, as it sends them.

SELECT "id", "email", "name", "role", "active", "created_at", "updated_at" FROM "users" AS "user";

SELECT "id", "email", "name", "role", "active", "created_at", "updated_at" FROM "users" AS "user" WHERE "user"."id" = 1;

SELECT "id", "email", "name", "role", "active", "created_at", "updated_at" FROM "users" AS "user" WHERE "user"."email" = 'a@example.com' LIMIT 1;

SELECT "id", "email", "name", "role", "active", "created_at", "updated_at" FROM "users" AS "user" WHERE ("user"."role" = 'admin' OR "user"."name" ILIKE '%x%') ORDER BY "user"."name" ASC LIMIT 10 OFFSET 5;

SELECT "user"."id", "user"."email", "user"."name", "user"."role", "user"."active", "user"."created_at", "user"."updated_at", "posts"."id" AS "posts.id", "posts"."title" AS "posts.title", "posts"."body" AS "posts.body", "posts"."published" AS "posts.published", "posts"."views" AS "posts.views", "posts"."author_id" AS "posts.author_id", "posts"."created_at" AS "posts.created_at", "posts"."updated_at" AS "posts.updated_at", "posts->comments"."id" AS "posts.comments.id", "posts->comments"."body" AS "posts.comments.body", "posts->comments"."post_id" AS "posts.comments.post_id" FROM "users" AS "user" LEFT OUTER JOIN "posts" AS "posts" ON "user"."id" = "posts"."author_id" LEFT OUTER JOIN "comments" AS "posts->comments" ON "posts"."id" = "posts->comments"."post_id";

SELECT "post"."id", "post"."title", "post"."body", "post"."published", "post"."views", "post"."author_id", "post"."created_at", "post"."updated_at", "user"."id" AS "user.id", "user"."name" AS "user.name" FROM "posts" AS "post" INNER JOIN "users" AS "user" ON "post"."author_id" = "user"."id" WHERE "post"."published" = true LIMIT 5;

SELECT "user".*, "posts"."id" AS "posts.id", "posts"."title" AS "posts.title", "posts"."body" AS "posts.body", "posts"."published" AS "posts.published", "posts"."views" AS "posts.views", "posts"."author_id" AS "posts.author_id", "posts"."created_at" AS "posts.created_at", "posts"."updated_at" AS "posts.updated_at" FROM (SELECT "user"."id", "user"."email", "user"."name", "user"."role", "user"."active", "user"."created_at", "user"."updated_at" FROM "users" AS "user" LIMIT 3) AS "user" LEFT OUTER JOIN "posts" AS "posts" ON "user"."id" = "posts"."author_id";

SELECT count(*) AS "count" FROM "users" AS "user" WHERE "user"."active" = true;

SELECT "author_id", COUNT("id") AS "n" FROM "posts" AS "post" GROUP BY "author_id" HAVING COUNT(id) > 3;

SELECT max("views") AS "max" FROM "posts" AS "post";

INSERT INTO "users" ("id","email","name","created_at","updated_at") VALUES (DEFAULT,$1,$2,$3,$4) RETURNING "id","email","name","role","active","created_at","updated_at";

INSERT INTO "users" ("id","email","created_at","updated_at") VALUES (DEFAULT,'a','2026-11-23 09:30:06.244 +00:00','2026-11-23 09:30:06.244 +00:00'),(DEFAULT,'b','2026-11-23 09:30:06.244 +00:00','2026-11-23 09:30:06.244 +00:00') ON CONFLICT ("id") DO UPDATE SET "name"=EXCLUDED."name" RETURNING "id","email","name","role","active","created_at","updated_at";

INSERT INTO "users" ("id","email","name","created_at","updated_at") VALUES ($1,$2,$3,$4,$5) ON CONFLICT ("id") DO UPDATE SET "id"=EXCLUDED."id","email"=EXCLUDED."email","name"=EXCLUDED."name","updated_at"=EXCLUDED."updated_at" RETURNING "id","email","name","role","active","created_at","updated_at";

UPDATE "users" SET "name"=$1,"updated_at"=$2 WHERE "id" = $3

DELETE FROM "users" WHERE "id" = 1

UPDATE "products" SET "deleted_at"=$1 WHERE "deleted_at" IS NULL AND "id" = $2

SELECT "id", "sku", "name", "stock", "deleted_at" AS "deletedAt" FROM "products" AS "product" WHERE ("product"."deleted_at" IS NULL);

UPDATE "products" SET "deleted_at"=$1 WHERE "id" = $2

UPDATE "posts" SET "views"="views"+ 1,"updated_at"='2026-11-23 09:30:06.308 +00:00' WHERE "id" = 4 RETURNING *

SELECT "id", "email", "name", "role", "active", "created_at", "updated_at" FROM "users" AS "user" WHERE "user"."id" IN (1, 2, 3) AND "user"."created_at" > '1970-01-01 00:00:00.000 +00:00' FOR UPDATE SKIP LOCKED;

SELECT "id", "email", "name", "role", "active", "created_at", "updated_at" FROM "users" AS "user" WHERE "user"."active" = true LIMIT 2;
