-- Written as Metabase, Superset, Looker, Mode, dbt and people at a prompt ask.

SELECT DATE_TRUNC('month', "public"."orders"."placed_at") AS "placed_at", SUM("public"."orders"."total") AS "sum" FROM "public"."orders" GROUP BY DATE_TRUNC('month', "public"."orders"."placed_at") ORDER BY DATE_TRUNC('month', "public"."orders"."placed_at") ASC

SELECT "public"."orders"."status" AS "status", COUNT(*) AS "count" FROM "public"."orders" LEFT JOIN "public"."users" AS "Users" ON "public"."orders"."user_id" = "Users"."id" WHERE ("Users"."role" = 'admin') AND ("public"."orders"."placed_at" >= DATE_TRUNC('day', (NOW() + INTERVAL '-30 day'))) GROUP BY "public"."orders"."status" ORDER BY "count" DESC, "public"."orders"."status" ASC LIMIT 2000

SELECT substring("public"."users"."name", 1, 1234) AS "substring1" FROM "public"."users" LIMIT 10000

SELECT status AS status, sum(total) AS "SUM(total)" FROM public.orders WHERE placed_at >= TO_TIMESTAMP('2024-01-01 00:00:00.000000', 'YYYY-MM-DD HH24:MI:SS.US') GROUP BY status ORDER BY "SUM(total)" DESC LIMIT 1000

SELECT DATE_TRUNC('day', placed_at) AS __timestamp, count(*) AS count FROM (SELECT * FROM orders WHERE total > 10) AS virtual_table GROUP BY DATE_TRUNC('day', placed_at) ORDER BY count DESC LIMIT 50000

SELECT orders.status AS "orders.status", COALESCE(SUM(orders.total), 0) AS "orders.total", COUNT(DISTINCT orders.user_id) AS "orders.users" FROM public.orders AS orders WHERE ((orders.placed_at >= (TIMESTAMP '2024-01-01') AND orders.placed_at < (TIMESTAMP '2025-01-01'))) GROUP BY 1 ORDER BY 2 DESC FETCH NEXT 500 ROWS ONLY

with source as (select * from "public"."orders"), renamed as (select id as order_id, user_id as customer_id, status, total as amount, placed_at::date as ordered_on from source) select * from renamed

with orders as (select * from public.orders), items as (select * from public.order_items), final as (select orders.id, orders.user_id, sum(items.quantity) as quantity, sum(items.quantity * items.unit_price) as revenue from orders left join items on items.order_id = orders.id group by 1, 2) select * from final where revenue > 100

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error from (select id from "public"."orders" where id is null) dbt_internal_test

select count(*) as failures from (select id as unique_field, count(*) as n_records from "public"."orders" where id is not null group by id having count(*) > 1) dbt_internal_test

with all_values as (select status as value_field, count(*) as n_records from "public"."orders" group by status) select * from all_values where value_field not in ('new', 'paid', 'shipped', 'cancelled')

with child as (select user_id as from_field from "public"."orders" where user_id is not null), parent as (select id as to_field from "public"."users") select from_field from child left join parent on child.from_field = parent.to_field where parent.to_field is null

SELECT u.id, u.name, count(o.id) AS orders, sum(o.total) AS spent, max(o.placed_at) AS last_order FROM users u LEFT JOIN orders o ON o.user_id = u.id GROUP BY u.id ORDER BY spent DESC NULLS LAST LIMIT 50

WITH first_order AS (SELECT user_id, min(placed_at) AS first_at FROM orders GROUP BY user_id) SELECT date_trunc('month', f.first_at) AS cohort, date_part('month', age(o.placed_at, f.first_at)) AS month, count(DISTINCT o.user_id) FROM first_order f JOIN orders o USING (user_id) GROUP BY 1, 2 ORDER BY 1, 2

SELECT kind, count(*) FILTER (WHERE at > now() - interval '1 day') AS day, count(*) FILTER (WHERE at > now() - interval '7 days') AS week FROM events GROUP BY kind

WITH steps AS (SELECT user_id, min(at) FILTER (WHERE kind = 'view') AS viewed, min(at) FILTER (WHERE kind = 'click') AS clicked, min(at) FILTER (WHERE kind = 'buy') AS bought FROM events GROUP BY user_id) SELECT count(viewed), count(clicked), count(bought), round(100.0 * count(bought) / nullif(count(viewed), 0), 1) AS rate FROM steps

SELECT user_id, at, kind, lag(at) OVER w AS before, at - lag(at) OVER w AS gap, sum(CASE WHEN kind = 'buy' THEN 1 ELSE 0 END) OVER w AS buys FROM events WINDOW w AS (PARTITION BY user_id ORDER BY at)

SELECT placed_at::date AS day, sum(total) AS revenue, avg(sum(total)) OVER (ORDER BY placed_at::date ROWS BETWEEN 6 PRECEDING AND CURRENT ROW) AS weekly FROM orders GROUP BY 1 ORDER BY 1

SELECT percentile_cont(ARRAY[0.5, 0.9, 0.99]) WITHIN GROUP (ORDER BY total) FROM orders

SELECT coalesce(status, 'all') AS status, date_trunc('month', placed_at) AS month, sum(total) FROM orders GROUP BY GROUPING SETS ((status, date_trunc('month', placed_at)), (status), ()) ORDER BY 1, 2

SELECT p.name, sum(i.quantity) AS sold, rank() OVER (ORDER BY sum(i.quantity) DESC) FROM products p JOIN order_items i ON i.product_id = p.id GROUP BY p.id, p.name HAVING sum(i.quantity) > 3

SELECT a.product_id, b.product_id, count(*) FROM order_items a JOIN order_items b ON a.order_id = b.order_id AND a.product_id < b.product_id GROUP BY 1, 2 ORDER BY 3 DESC LIMIT 20

SELECT d::date, count(o.id) FROM generate_series(now() - interval '30 days', now(), '1 day') d LEFT JOIN orders o ON o.placed_at::date = d::date GROUP BY 1 ORDER BY 1

SELECT profile ->> 'theme' AS theme, count(*) FROM users GROUP BY 1

SELECT key, count(*) FROM users, jsonb_object_keys(profile) AS key GROUP BY key

SELECT unnest(labels) AS label, count(*) FROM products GROUP BY 1 ORDER BY 2 DESC

SELECT split_part(email, '@', 2) AS domain, count(*) FROM users GROUP BY 1 ORDER BY 2 DESC LIMIT 10

SELECT width_bucket(total, 0, 3000, 10) AS bucket, min(total), max(total), count(*) FROM orders GROUP BY 1 ORDER BY 1

WITH RECURSIVE c AS (SELECT id, parent_id, name, name AS path FROM categories WHERE parent_id IS NULL UNION ALL SELECT k.id, k.parent_id, k.name, c.path || ' > ' || k.name FROM categories k JOIN c ON k.parent_id = c.id) SELECT path FROM c ORDER BY path

SELECT * FROM order_totals WHERE total > 20 ORDER BY total DESC LIMIT 100

SELECT day, n, total FROM daily_orders ORDER BY day DESC

SELECT u.name, x.title, x.views FROM users u CROSS JOIN LATERAL (SELECT title, views FROM posts p WHERE p.author_id = u.id ORDER BY views DESC LIMIT 3) x

SELECT t.name, count(*) FROM tags t JOIN post_tags pt ON pt.tag_id = t.id JOIN posts p ON p.id = pt.post_id WHERE p.published GROUP BY t.name ORDER BY 2 DESC

SELECT string_agg(name, ', ' ORDER BY name) FROM tags

SELECT id, title, ts_rank(to_tsvector('english', title || ' ' || coalesce(body, '')), q) AS rank FROM posts, plainto_tsquery('english', 'post text') q WHERE to_tsvector('english', title || ' ' || coalesce(body, '')) @@ q ORDER BY rank DESC LIMIT 10

SELECT * FROM users TABLESAMPLE SYSTEM (10) LIMIT 5

SELECT corr(views, length(title)), regr_slope(views, length(title)) FROM posts

SELECT mode() WITHIN GROUP (ORDER BY status) FROM orders

SELECT count(*), count(DISTINCT user_id), min(at), max(at) FROM events

SELECT 'users' AS t, count(*) FROM users UNION ALL SELECT 'posts', count(*) FROM posts UNION ALL SELECT 'orders', count(*) FROM orders

SELECT * FROM orders WHERE user_id IN (SELECT id FROM users WHERE created_at > now() - interval '90 days') AND status <> 'cancelled'

SELECT o.id FROM orders o WHERE NOT EXISTS (SELECT FROM order_items i WHERE i.order_id = o.id)

EXPLAIN (ANALYZE, BUFFERS) SELECT count(*) FROM orders WHERE status = 'paid'

EXPLAIN SELECT * FROM posts WHERE author_id = 7

COPY (SELECT id, status, total FROM orders WHERE placed_at > '2024-01-01') TO STDOUT WITH CSV HEADER

CREATE TEMP TABLE paid AS SELECT id, total FROM orders WHERE status = 'paid'

SELECT json_agg(json_build_object('id', id, 'name', name)) FROM (SELECT id, name FROM users LIMIT 5) u

SELECT to_char(placed_at, 'YYYY-"W"IW') AS week, sum(total) FROM orders GROUP BY 1 ORDER BY 1

SELECT relname, n_live_tup, n_dead_tup, last_autovacuum FROM pg_stat_user_tables ORDER BY n_dead_tup DESC LIMIT 10

SELECT schemaname, relname, indexrelname, idx_scan FROM pg_stat_user_indexes WHERE idx_scan = 0

SELECT pg_size_pretty(pg_database_size(current_database()))

SELECT table_name, pg_size_pretty(pg_total_relation_size(quote_ident(table_name))) FROM information_schema.tables WHERE table_schema = 'public' ORDER BY pg_total_relation_size(quote_ident(table_name)) DESC
