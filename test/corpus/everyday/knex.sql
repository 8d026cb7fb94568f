-- Made by knex 3.3.0, as it sends them.

select * from "users" where "id" = $1 limit $2

select "id", "name" from "users" where "id" in ($1, $2, $3) order by "name" asc

select * from "users" where "active" = $1 and "created_at" > $2 limit $3 offset $4

select count(*) as "n" from "users"

select "posts".*, "users"."name" as "author" from "posts" inner join "users" on "users"."id" = "posts"."author_id" where "posts"."published" = $1

select "posts"."id", count("comments"."id") as "n" from "posts" left join "comments" on "comments"."post_id" = "posts"."id" group by "posts"."id" having count(comments.id) > $1

insert into "users" ("email", "name") values ($1, $2) returning "id"

insert into "users" ("email", "name") values ($1, $2), ($3, $4) returning *

insert into "users" ("email", "name") values ($1, $2) on conflict ("email") do update set "email" = excluded."email", "name" = excluded."name"

insert into "users" ("email", "name") values ($1, $2) on conflict ("email") do nothing

update "users" set "name" = $1 where "id" = $2 returning "id", "updated_at"

delete from "users" where "id" = $1

update "products" set "stock" = "stock" - $1 where "id" = $2

update "posts" set "views" = "views" + $1 where "id" = $2

select sum("total") as "total", avg("total") as "avg" from "orders" where "status" = $1

select * from "orders" where "total" between $1 and $2 and "placed_at" is not null

select * from "users" where exists (select 1 from "orders" where orders.user_id = users.id)

select distinct "role" from "users"

select * from "users" where "email" ilike $1 or ("role" = $2 and "profile" is null)

with "recent" as (select * from "orders" where "placed_at" > $1) select * from "recent"

select "id" from "posts" union select "post_id" from "comments"

select * from "products" where attrs->>'color' = $1

select * from "jobs" where "queue" = $1 and "state" = $2 order by "run_at" asc limit $3 for update skip locked

delete from "order_items" where "order_id" = $1 and "product_id" = $2

select "id" from "users" where jsonb_path_query_first("profile", $1)::int > $2

select "id", row_number() over (partition by author_id order by created_at desc) as rn from "posts"
