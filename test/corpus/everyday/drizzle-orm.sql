-- Made by drizzle-orm 0.45.4, as it sends them.

select "id", "email", "name", "role", "active", "profile", "created_at" from "users" where "users"."id" = $1

select "users"."id", count("posts"."id") from "users" left join "posts" on "posts"."author_id" = "users"."id" group by "users"."id"

select "id", "author_id", "title", "body", "published", "views", "created_at" from "posts" where ("posts"."published" = $1 and "posts"."views" > $2) order by "posts"."created_at" desc limit $3 offset $4

select "id", "email", "name", "role", "active", "profile", "created_at" from "users" where ("users"."email" ilike $1 or "users"."role" in ($2, $3))

select "id", "email", "name", "role", "active", "profile", "created_at" from "users" where exists (select "id", "user_id", "status", "total", "placed_at" from "orders" where "orders"."user_id" = "users"."id")

insert into "users" ("id", "email", "name", "role", "active", "profile", "created_at") values (default, $1, $2, default, default, default, default) returning "id", "email", "name", "role", "active", "profile", "created_at"

insert into "users" ("id", "email", "name", "role", "active", "profile", "created_at") values (default, $1, default, default, default, default, default), (default, $2, default, default, default, default, default) on conflict do nothing

insert into "users" ("id", "email", "name", "role", "active", "profile", "created_at") values (default, $1, $2, default, default, default, default) on conflict ("email") do update set "name" = $3 returning "id"

update "users" set "name" = $1 where "users"."id" = $2 returning "id", "email", "name", "role", "active", "profile", "created_at"

update "products" set "stock" = "products"."stock" - 1 where "products"."id" = $1

delete from "posts" where "posts"."id" = $1 returning "id"

select "status", sum("total") from "orders" group by "orders"."status" having count(*) > $1

select distinct "role" from "users"

select distinct on ("posts"."author_id") "id", "author_id", "title", "body", "published", "views", "created_at" from "posts" order by "posts"."author_id", "posts"."created_at" desc

with "c" as (select "user_id", sum("total") as "t" from "orders" group by "orders"."user_id") select "user_id", "t" from "c" where "t" > $1

select "id", "email", "name", "role", "active", "profile", "created_at" from "users" where "users"."id" between $1 and $2 for update skip locked

select "users"."id", "users"."email", "users"."name", "users"."role", "users"."active", "users"."profile", "users"."created_at", "users_posts"."data" as "posts" from "users" "users" left join lateral (select coalesce(json_agg(json_build_array("users_posts"."id", "users_posts"."author_id", "users_posts"."title", "users_posts"."body", "users_posts"."published", "users_posts"."views", "users_posts"."created_at", "users_posts_comments"."data")), '[]'::json) as "data" from "posts" "users_posts" left join lateral (select coalesce(json_agg(json_build_array("users_posts_comments"."id", "users_posts_comments"."post_id", "users_posts_comments"."author_id", "users_posts_comments"."body")), '[]'::json) as "data" from "comments" "users_posts_comments" where "users_posts_comments"."post_id" = "users_posts"."id") "users_posts_comments" on true where "users_posts"."author_id" = "users"."id") "users_posts" on true limit $1

select "posts"."id", "posts"."author_id", "posts"."title", "posts"."body", "posts"."published", "posts"."views", "posts"."created_at", "posts_author"."data" as "author" from "posts" "posts" left join lateral (select json_build_array("posts_author"."id", "posts_author"."email", "posts_author"."name", "posts_author"."role", "posts_author"."active", "posts_author"."profile", "posts_author"."created_at") as "data" from (select * from "users" "posts_author" where "posts_author"."id" = "posts"."author_id" limit $1) "posts_author") "posts_author" on true where "posts"."id" = $2 limit $3

select "id", "email" from "users" "users" where "users"."active" = $1 order by "users"."id" asc

select "posts"."id", "posts"."author_id", "posts"."title", "posts"."body", "posts"."published", "posts"."views", "posts"."created_at", "users"."id", "users"."email", "users"."name", "users"."role", "users"."active", "users"."profile", "users"."created_at", "comments"."id", "comments"."post_id", "comments"."author_id", "comments"."body" from "posts" inner join "users" on "users"."id" = "posts"."author_id" inner join "comments" on "comments"."post_id" = "posts"."id"
