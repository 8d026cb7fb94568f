-- Ordinary statements of drivers, ORMs, psql and analysts, against schema.sql. One per paragraph. All are allowed.

-- what drivers send when they connect
SET extra_float_digits = 3

SET application_name = 'PostgreSQL JDBC Driver'

SET client_min_messages TO warning

SET standard_conforming_strings = on

SET SESSION timezone TO 'UTC'

SET intervalstyle = iso_8601

SET DATESTYLE TO 'ISO, MDY'

SET NAMES 'UTF8'

SHOW TRANSACTION ISOLATION LEVEL

SHOW standard_conforming_strings

SHOW server_version_num

SELECT version()

SELECT current_schema(), current_database(), session_user

SELECT 1

SELECT NULL

SELECT pg_backend_pid(), inet_client_addr()

SELECT t.oid, t.typname, t.typtype, t.typelem FROM pg_type t LEFT JOIN pg_range r ON r.rngtypid = t.oid WHERE t.typname IN ('int2', 'int4', 'text', 'hstore')

WITH RECURSIVE typeinfo_tree(oid, ns, name, kind, basetype, depth) AS (SELECT ti.oid, ti.typnamespace, ti.typname, ti.typtype, ti.typbasetype, 0 FROM pg_type ti WHERE ti.oid = any($1::oid[]) UNION ALL SELECT ti.oid, ti.typnamespace, ti.typname, ti.typtype, ti.typbasetype, tt.depth + 1 FROM pg_type ti, typeinfo_tree tt WHERE tt.basetype <> 0 AND ti.oid = tt.basetype) SELECT DISTINCT *, basetype::regtype::text AS basetype_name FROM typeinfo_tree ORDER BY depth DESC

-- transactions
BEGIN

START TRANSACTION ISOLATION LEVEL READ COMMITTED

BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY

SAVEPOINT sp_1

RELEASE SAVEPOINT sp_1

ROLLBACK TO SAVEPOINT sp_1

COMMIT

ROLLBACK

SET TRANSACTION ISOLATION LEVEL SERIALIZABLE

SET LOCAL lock_timeout = '2s'

SET LOCAL statement_timeout = '30s'

SET CONSTRAINTS ALL DEFERRED

DISCARD ALL

DEALLOCATE ALL

RESET ALL

-- psql
SELECT n.nspname as "Schema", c.relname as "Name", CASE c.relkind WHEN 'r' THEN 'table' WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' END as "Type", pg_catalog.pg_get_userbyid(c.relowner) as "Owner" FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_catalog.pg_am am ON am.oid = c.relam WHERE c.relkind IN ('r','p','v','m','S','f','') AND n.nspname <> 'pg_catalog' AND n.nspname !~ '^pg_toast' AND pg_catalog.pg_table_is_visible(c.oid) ORDER BY 1,2

SELECT a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), (SELECT pg_catalog.pg_get_expr(d.adbin, d.adrelid, true) FROM pg_catalog.pg_attrdef d WHERE d.adrelid = a.attrelid AND d.adnum = a.attnum AND a.atthasdef), a.attnotnull FROM pg_catalog.pg_attribute a WHERE a.attrelid = '16400' AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum

SELECT d.datname as "Name", pg_catalog.pg_get_userbyid(d.datdba) as "Owner", pg_catalog.pg_encoding_to_char(d.encoding) as "Encoding" FROM pg_catalog.pg_database d ORDER BY 1

SELECT r.rolname, r.rolsuper, r.rolinherit, r.rolcreaterole, r.rolcanlogin FROM pg_catalog.pg_roles r WHERE r.rolname !~ '^pg_' ORDER BY 1

SELECT p.proname, pg_catalog.pg_get_function_result(p.oid), pg_catalog.pg_get_function_arguments(p.oid) FROM pg_catalog.pg_proc p LEFT JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = 'public'

SELECT pg_catalog.pg_get_viewdef('public.active_customers'::pg_catalog.regclass, true)

SELECT pg_size_pretty(pg_total_relation_size('orders')), pg_relation_size('orders')

SELECT relname, n_live_tup, last_vacuum FROM pg_stat_user_tables ORDER BY n_live_tup DESC

SELECT pid, state, wait_event_type, now() - xact_start AS age FROM pg_stat_activity WHERE state <> 'idle'

SELECT * FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()

SELECT pid, usename, now() - query_start AS running, state, wait_event_type, left(query, 60) AS query FROM pg_stat_activity WHERE state = 'active' ORDER BY query_start

SELECT blocked.pid, blocking.pid, blocked.query, blocking.query FROM pg_stat_activity blocked JOIN pg_stat_activity blocking ON blocking.pid = ANY (pg_blocking_pids(blocked.pid))

SELECT locktype, mode, granted FROM pg_locks

SELECT attname, n_distinct, null_frac FROM pg_stats WHERE tablename = 'orders'

SELECT * FROM pg_stats WHERE schemaname = 'public' AND tablename = 'orders'

SELECT name, statement, prepare_time FROM pg_prepared_statements

-- ORMs, introspection
SELECT table_schema, table_name, table_type FROM information_schema.tables WHERE table_schema NOT IN ('pg_catalog', 'information_schema')

SELECT column_name, data_type, is_nullable, column_default FROM information_schema.columns WHERE table_name = 'orders' ORDER BY ordinal_position

SELECT tc.constraint_name, kcu.column_name, ccu.table_name AS foreign_table FROM information_schema.table_constraints tc JOIN information_schema.key_column_usage kcu USING (constraint_name) JOIN information_schema.constraint_column_usage ccu USING (constraint_name) WHERE tc.constraint_type = 'FOREIGN KEY'

SELECT i.relname, ix.indisunique, array_to_string(array_agg(a.attname), ', ') FROM pg_class t, pg_class i, pg_index ix, pg_attribute a WHERE t.oid = ix.indrelid AND i.oid = ix.indexrelid AND a.attrelid = t.oid AND a.attnum = ANY(ix.indkey) AND t.relname = 'orders' GROUP BY 1, 2

-- ORMs, reading
SELECT "orders"."id", "orders"."customer_id", "orders"."status", "orders"."total" FROM "orders" WHERE "orders"."id" = 21 LIMIT 21

SELECT "public"."orders"."id", "public"."orders"."status" FROM "public"."orders" WHERE ("public"."orders"."status" = $1 AND 1=1) ORDER BY "public"."orders"."id" ASC LIMIT $2 OFFSET $3

SELECT COUNT(*) AS "__count" FROM "orders" INNER JOIN "customers" ON ("orders"."customer_id" = "customers"."id") WHERE "customers"."active"

SELECT 1 AS one FROM "customers" WHERE "customers"."id" = $1 LIMIT 1

SELECT o1_0.id, o1_0.status, c1_0.id, c1_0.full_name FROM orders o1_0 LEFT JOIN customers c1_0 ON c1_0.id = o1_0.customer_id WHERE o1_0.created_at > $1 ORDER BY o1_0.created_at DESC FETCH FIRST $2 ROWS ONLY

SELECT DISTINCT ON ("customer_id") "customer_id", "id", "created_at" FROM "orders" ORDER BY "customer_id", "created_at" DESC

SELECT * FROM "orders" WHERE "id" IN (1, 2, 3, 4, 5) AND "shipped_at" IS NULL

SELECT "id" FROM "orders" WHERE UPPER("status"::text) LIKE UPPER('%pai%')

SELECT EXISTS(SELECT 1 FROM customers WHERE email = 'a@example.com')

SELECT id, profile -> 'plan' AS plan FROM customers WHERE profile @> '{"plan": "pro"}'

SELECT id FROM customers WHERE 'vip' = ANY(tags)

SELECT id, status FROM orders WHERE id = ANY($1::bigint[])

SELECT id FROM orders WHERE status = 'new' ORDER BY id LIMIT 10 FOR UPDATE SKIP LOCKED

SELECT * FROM orders WHERE id = 5 FOR NO KEY UPDATE

SELECT nextval('orders_id_seq')

SELECT pg_try_advisory_lock(8237)

SELECT pg_advisory_xact_lock(hashtext('job'))

-- ORMs, writing
INSERT INTO "orders" ("customer_id", "status", "total", "created_at") VALUES (1, 'new', '10.50', '2024-05-01T10:00:00Z') RETURNING "orders"."id"

INSERT INTO orders (customer_id, status, total) VALUES ($1, $2, $3), ($4, $5, $6), ($7, $8, $9) RETURNING id

INSERT INTO settings (key, value) VALUES ('theme', 'dark') ON CONFLICT (key) DO NOTHING

INSERT INTO sales.leads (id, contact_email, score) VALUES (9001, 'a@example.com', 5) ON CONFLICT (id) DO UPDATE SET score = EXCLUDED.score

INSERT INTO orders DEFAULT VALUES

INSERT INTO audit_log (actor, action) VALUES (current_user, 'login')

INSERT INTO orders (customer_id, status) SELECT id, 'new' FROM customers WHERE id = 7

UPDATE "orders" SET "status" = 'paid', "shipped_at" = NULL WHERE "orders"."id" = 12

UPDATE orders SET total = total + 5 WHERE id = $1

UPDATE orders SET status = $1 WHERE id = $2 AND status = $3 RETURNING *

UPDATE orders SET status = 'taken' WHERE id = (SELECT id FROM orders WHERE status = 'new' ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING id

UPDATE customers SET notes = concat(notes, ' called'), active = NOT active WHERE id = 3

UPDATE sessions SET expires_at = now() + interval '1 hour' WHERE id = '6f9619ff-8b86-d011-b42d-00c04fc964ff'

UPDATE employees e SET salary = e.salary * 1.05 FROM employees m WHERE m.id = e.manager_id AND e.id = 4

DELETE FROM "sessions" WHERE "sessions"."id" = '6f9619ff-8b86-d011-b42d-00c04fc964ff'

DELETE FROM orders WHERE id IN (1, 2, 3)

DELETE FROM orders WHERE id = 12 AND customer_id = 3 RETURNING id

WITH moved AS (DELETE FROM orders WHERE id = 12 RETURNING *) INSERT INTO audit_log (actor, action) SELECT 'me', id::text FROM moved

MERGE INTO sales.leads t USING (VALUES (1, 5)) AS v(id, score) ON t.id = v.id WHEN MATCHED THEN UPDATE SET score = v.score WHEN NOT MATCHED THEN INSERT (id, score) VALUES (v.id, v.score)

-- analysts
SELECT date_trunc('month', created_at) AS month, count(*), sum(total), avg(total)::numeric(12,2) FROM orders GROUP BY 1 ORDER BY 1

SELECT status, percentile_cont(0.5) WITHIN GROUP (ORDER BY total) FROM orders GROUP BY status HAVING count(*) > 10

SELECT customer_id, total, sum(total) OVER (PARTITION BY customer_id ORDER BY created_at ROWS BETWEEN 2 PRECEDING AND CURRENT ROW) FROM orders WHERE total BETWEEN 5 AND 50

WITH monthly AS (SELECT date_trunc('month', created_at) m, sum(total) t FROM orders GROUP BY 1), ranked AS (SELECT *, rank() OVER (ORDER BY t DESC) r FROM monthly) SELECT m, t FROM ranked WHERE r <= 3

SELECT c.city, count(DISTINCT o.id) FILTER (WHERE o.status = 'paid') AS paid FROM customers c LEFT JOIN orders o ON o.customer_id = c.id GROUP BY ROLLUP (c.city)

SELECT g::date AS day, count(o.id) FROM generate_series('2024-01-01'::date, '2024-01-31', '1 day') g LEFT JOIN orders o ON o.created_at::date = g GROUP BY 1

SELECT width_bucket(total, 0, 1000, 10) AS bucket, count(*) FROM orders GROUP BY 1 ORDER BY 1

SELECT total / NULLIF(count(*) OVER (), 0) FROM orders

SELECT string_agg(status, ', ' ORDER BY status) FROM (SELECT DISTINCT status FROM orders) s

SELECT * FROM crosscheck_missing LIMIT 5

SELECT jsonb_object_agg(status, n) FROM (SELECT status, count(*) n FROM orders GROUP BY status) s

SELECT id, CASE WHEN total > 100 THEN 'big' WHEN total > 10 THEN 'medium' ELSE 'small' END AS size FROM orders

(SELECT id FROM orders ORDER BY total DESC LIMIT 3) UNION ALL (SELECT id FROM orders ORDER BY total LIMIT 3)

SELECT regexp_replace(status, '[aeiou]', '', 'g'), md5(status), to_char(created_at, 'YYYY-MM') FROM orders LIMIT 5

SELECT corr(total, customer_id), regr_slope(total, customer_id), stddev_samp(total) FROM orders

SELECT order_total(7), get_email(3)

SELECT * FROM v_order_summary ORDER BY n DESC LIMIT 10

SELECT count(*) FROM events WHERE at >= '2024-06-01' AND at < '2024-07-01' AND kind = 'click'

EXPLAIN (COSTS, FORMAT JSON) SELECT * FROM orders WHERE customer_id = 3

EXPLAIN ANALYZE SELECT count(*) FROM orders o JOIN customers c ON c.id = o.customer_id

COPY (SELECT status, count(*) FROM orders GROUP BY status) TO STDOUT WITH (FORMAT csv, HEADER)

COPY orders TO STDOUT

DECLARE cur NO SCROLL CURSOR FOR SELECT * FROM orders

PREPARE by_id (bigint) AS SELECT * FROM orders WHERE id = $1

PREPARE del_by_id (bigint) AS DELETE FROM orders WHERE id = $1

CREATE TEMP TABLE scratch (id bigint, note text)

LISTEN jobs

NOTIFY jobs, 'wake up'

ANALYZE orders

VACUUM (ANALYZE) orders
