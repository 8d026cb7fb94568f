-- Made by kysely 0.28.18, as it sends them.

select * from "users" where "id" = $1

select "id", "email" as "mail" from "users" where "active" = $1 order by "created_at" desc limit $2

select "posts"."title", "users"."name" from "posts" inner join "users" on "users"."id" = "posts"."author_id" where "posts"."published" = $1

select "u"."id", "o"."last_id" from "users" as "u" left join lateral (select "id" as "last_id" from "orders" where "orders"."user_id" = "u"."id" order by "placed_at" desc limit $1) as "o" on true

select "status", count(*) as "n", sum("total") as "t" from "orders" group by "status" having count(*) > $1

select "id" from "users" where ("role" = $1 or "email" like $2)

select "id" from "users" where "id" in ($1, $2, $3)

select "id" from "users" where exists (select "posts"."id" from "posts" where "posts"."author_id" = "users"."id")

insert into "tags" ("name") values ($1) returning *

insert into "tags" ("name") values ($1), ($2) on conflict ("name") do nothing

insert into "users" ("email", "name") values ($1, $2) on conflict ("email") do update set "name" = "excluded"."name" returning "id"

update "users" set "name" = $1 where "id" = $2 returning "id", "name"

update "products" set "stock" = "stock" - $1 where "id" = $2 and "stock" >= $3

delete from "comments" where "id" = $1 returning "id"

with "top" as (select "user_id", "total" from "orders" order by "total" desc limit $1) select "users"."name", "top"."total" from "top" inner join "users" on "users"."id" = "top"."user_id"

select "id", row_number() over(partition by "author_id" order by "created_at") as "rn" from "posts"

select "id", (select coalesce(json_agg(c), '[]') from (select "comments"."body" from "comments" where "comments"."post_id" = "posts"."id") as c) as "comments" from "posts"

select "email" from "users" union select "name" as "email" from "tags"

select * from "jobs" where "state" = $1 limit $2 for update skip locked

select distinct "role" from "users"

select distinct on ("author_id") * from "posts" order by "author_id", "created_at" desc

merge into "products" as "p" using "order_items" as "i" on "i"."product_id" = "p"."id" when matched and "i"."order_id" = $1 then update set "stock" = "p"."stock" - "i"."quantity"
