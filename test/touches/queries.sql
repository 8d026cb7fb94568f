-- Statements that reach columns in every way that SQL has, against schema.sql. A line each; some have to be run in a transaction that is rolled back, and all are.
-- plain
SELECT id, name FROM people
SELECT name FROM people WHERE ssn = 'x'
SELECT * FROM people
TABLE people
SELECT p.* FROM people p
SELECT p FROM people p
SELECT (p).email FROM people p
SELECT (p.*)::text FROM people p
SELECT count(*) FROM people
SELECT count(p) FROM people p
SELECT count(email) FROM people
SELECT 1 FROM people
SELECT FROM people
SELECT exists(SELECT FROM people)
SELECT ctid, xmin, tableoid FROM people
SELECT name AS n FROM people ORDER BY n
SELECT name FROM people ORDER BY born DESC NULLS LAST, 1
SELECT DISTINCT dept FROM people
SELECT DISTINCT ON (dept) dept, name FROM people ORDER BY dept, born
SELECT dept, max(born) FROM people GROUP BY dept HAVING min(boss) > 1
SELECT dept FROM people GROUP BY 1 ORDER BY count(*)
SELECT lower(email) || ssn FROM people LIMIT 3
SELECT CASE WHEN ssn LIKE 'z%' THEN 'yes' ELSE 'no' END FROM people
SELECT coalesce(email, name), nullif(ssn, 'x'), greatest(name, email) FROM people
SELECT id FROM people WHERE email IS NOT NULL AND (dept = 1 OR boss IS NULL)
SELECT id FROM people WHERE (dept, boss) = (1, 2)
SELECT id FROM people WHERE ROW(dept, boss) IS DISTINCT FROM ROW(1, 2)
SELECT id FROM people WHERE name BETWEEN 'a' AND 'zz' AND born NOT BETWEEN '1990-01-01' AND '1991-01-01'
SELECT id FROM people WHERE dept = ANY (ARRAY[1, 2]) AND name ~ '^z'
SELECT id FROM people WHERE name SIMILAR TO 'z%' AND email ILIKE '%q%'
SELECT id FROM people WHERE dept IN (SELECT id FROM departments WHERE budget > 1000)
SELECT id FROM people OFFSET (SELECT min(id) FROM departments) LIMIT (SELECT max(head) FROM departments)
SELECT name COLLATE "C" FROM people ORDER BY name COLLATE "C"
SELECT born AT TIME ZONE 'UTC', extract(year FROM born), to_char(born, 'YYYY') FROM people
SELECT cast(ssn AS varchar(5)), ssn::bytea, ssn::char(2) FROM people
-- joins
SELECT p.name, d.title FROM people p JOIN departments d ON d.id = p.dept
SELECT p.name, d.title FROM people p LEFT JOIN departments d ON d.id = p.dept AND d.budget > 2000
SELECT p.name FROM people p RIGHT JOIN departments d ON d.id = p.dept WHERE d.title <> 'x'
SELECT p.name, d.title FROM people p FULL JOIN departments d ON d.id = p.dept
SELECT p.name FROM people p CROSS JOIN departments
SELECT p.name, q.name FROM people p, people q WHERE p.boss = q.id
SELECT name, title FROM people JOIN departments USING (id)
SELECT id FROM people JOIN departments USING (id)
SELECT j.id FROM people JOIN departments USING (id) AS j
SELECT name, title FROM people NATURAL JOIN departments
SELECT * FROM people NATURAL JOIN departments
SELECT id FROM people NATURAL LEFT JOIN departments NATURAL FULL JOIN tree
SELECT x.a, x.c FROM people AS x(a, b, c)
SELECT j.n FROM (people p JOIN departments d ON p.dept = d.id) AS j(a, n, e)
SELECT p.name FROM people p WHERE NOT EXISTS (SELECT FROM skills s WHERE s.person = p.id AND s.level > 4)
SELECT p.name, (SELECT count(*) FROM skills s WHERE s.person = p.id) FROM people p
SELECT p.name, (SELECT d.secret_note FROM departments d WHERE d.id = p.dept) FROM people p
SELECT p.name, ARRAY(SELECT skill FROM skills s WHERE s.person = p.id) FROM people p
SELECT p.name FROM people p WHERE p.dept > ALL (SELECT head FROM departments WHERE budget < 3000)
SELECT p.name FROM people p WHERE (p.id, p.dept) IN (SELECT person, level FROM skills)
SELECT p.name, s.skill FROM people p, LATERAL (SELECT skill FROM skills s WHERE s.person = p.id LIMIT 1) s
SELECT p.name, x.* FROM people p LEFT JOIN LATERAL (SELECT s.skill, s.level FROM skills s WHERE s.person = p.id) x ON true
SELECT p.id FROM people p JOIN LATERAL (SELECT p.email AS e) x ON x.e <> ''
SELECT a.id FROM people a JOIN people b ON a.boss = b.id JOIN people c ON b.boss = c.id WHERE c.name IS NOT NULL
SELECT count(*) FROM people a, people b WHERE a.ssn = b.ssn
-- set operations
SELECT id, name FROM people UNION SELECT id, title FROM departments
SELECT id, name FROM people UNION ALL SELECT person, skill FROM skills ORDER BY 1
SELECT email FROM people INTERSECT SELECT contact_email FROM sales.leads
SELECT email FROM people EXCEPT ALL SELECT contact_email FROM sales.leads
(SELECT id FROM people ORDER BY born LIMIT 2) UNION (SELECT id FROM departments ORDER BY budget LIMIT 2)
SELECT max(x) FROM (SELECT id AS x FROM people UNION SELECT head FROM departments) u
SELECT u.n FROM (SELECT ssn AS n, 1 AS k FROM people UNION ALL SELECT 'fixed', 2) u WHERE k = 1
VALUES (1, (SELECT name FROM people LIMIT 1)), (2, 'x')
SELECT v.a FROM (VALUES ((SELECT email FROM people LIMIT 1), 1), ('y', 2)) v(a, b)
SELECT NULL::text UNION ALL SELECT ssn FROM people UNION ALL SELECT home_town FROM people
-- common table expressions
WITH x AS (SELECT id, email FROM people) SELECT id FROM x
WITH x AS MATERIALIZED (SELECT id, email FROM people) SELECT email FROM x
WITH x AS NOT MATERIALIZED (SELECT * FROM people) SELECT name FROM x WHERE ssn <> ''
WITH x AS (SELECT * FROM people), y AS (SELECT dept, count(*) n FROM x GROUP BY dept) SELECT d.title, y.n FROM y JOIN departments d ON d.id = y.dept
WITH x(a, b) AS (SELECT id, ssn FROM people) SELECT b FROM x
WITH people AS (SELECT id FROM departments) SELECT id FROM people
WITH RECURSIVE r AS (SELECT id, parent, label FROM tree WHERE parent IS NULL UNION ALL SELECT t.id, t.parent, r.label || '/' || t.label FROM tree t JOIN r ON t.parent = r.id) SELECT * FROM r
WITH RECURSIVE r(id, trail) AS (SELECT id, ARRAY[private_label] FROM tree WHERE id = 1 UNION ALL SELECT t.id, trail || t.private_label FROM tree t, r WHERE t.parent = r.id) SELECT trail FROM r
WITH RECURSIVE r AS (SELECT id, boss FROM people WHERE id = 9 UNION SELECT p.id, p.boss FROM people p, r WHERE p.id = r.boss) SEARCH DEPTH FIRST BY id SET ord SELECT id FROM r ORDER BY ord
WITH RECURSIVE r AS (SELECT id, boss FROM people WHERE id = 9 UNION ALL SELECT p.id, p.boss FROM people p, r WHERE p.id = r.boss) CYCLE id SET looped USING path SELECT id, looped FROM r
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5) SELECT i, p.name FROM n JOIN people p ON p.id = i
WITH a AS (SELECT 1 AS k), b AS (SELECT a.k, p.name FROM a JOIN people p ON p.id = a.k) SELECT name FROM b
WITH a AS (INSERT INTO ledger(person, amount) VALUES (1, 2) RETURNING id, amount) SELECT amount FROM a
WITH gone AS (DELETE FROM skills WHERE level = 1 RETURNING person, skill) SELECT p.name, gone.skill FROM gone JOIN people p ON p.id = gone.person
WITH up AS (UPDATE people SET home_town = 'x' WHERE dept = 1 RETURNING *) SELECT count(*) FROM up
WITH up AS (UPDATE people SET home_town = name WHERE dept = 1 RETURNING id, home_town) INSERT INTO ledger(person, memo) SELECT id, home_town FROM up
-- aggregates, windows, grouping sets
SELECT sum(budget) FILTER (WHERE title <> 'x') FROM departments
SELECT array_agg(name ORDER BY born) FROM people
SELECT string_agg(DISTINCT home_town, ',') FROM people
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY budget) FROM departments
SELECT mode() WITHIN GROUP (ORDER BY dept), rank(3) WITHIN GROUP (ORDER BY boss) FROM people
SELECT dept, boss, count(*) FROM people GROUP BY ROLLUP (dept, boss)
SELECT dept, boss, grouping(dept, boss) FROM people GROUP BY CUBE (dept, boss)
SELECT dept, home_town FROM people GROUP BY GROUPING SETS ((dept), (home_town), ())
SELECT name, rank() OVER (PARTITION BY dept ORDER BY born) FROM people
SELECT name, lag(ssn) OVER w, lead(email, 2, 'none') OVER w FROM people WINDOW w AS (PARTITION BY dept ORDER BY id)
SELECT sum(amount) OVER (ORDER BY changed_at RANGE BETWEEN '1 day' PRECEDING AND CURRENT ROW) FROM ledger
SELECT ntile(4) OVER (ORDER BY budget) FROM departments
SELECT first_value(home_town) OVER (ORDER BY born) FROM people
SELECT count(*) FILTER (WHERE ssn LIKE '9%') OVER (PARTITION BY dept) FROM people
SELECT name FROM (SELECT name, row_number() OVER (PARTITION BY dept ORDER BY born) rn FROM people) t WHERE rn = 1
SELECT all_names(name) FROM people
SELECT bool_and(ssn <> ''), every(dept > 0), bit_or(dept) FROM people
SELECT json_agg(p) FROM people p
SELECT jsonb_object_agg(id, name) FROM people
SELECT corr(id, dept), regr_count(boss, dept) FROM people
-- rows and composites
SELECT row_to_json(p) FROM people p
SELECT to_jsonb(p) - 'ssn' FROM people p
SELECT ROW(p.id, p.ssn) FROM people p
SELECT (ROW(p.id, p.ssn)).f2 FROM people p
SELECT hstore FROM (SELECT p.name AS hstore FROM people p) x
SELECT (addr).town FROM places
SELECT (addr).* FROM places
SELECT addr FROM places
SELECT (old_addrs[1]).street FROM places
SELECT (unnest(old_addrs)).code FROM places
SELECT a.town FROM places, unnest(old_addrs) AS a
SELECT point_at[0] FROM places
SELECT p = q FROM people p, people q WHERE p.id = q.id
SELECT p IS NULL FROM people p
SELECT max(x.p::text) FROM (SELECT p FROM people p) x
SELECT (x.p).name FROM (SELECT p FROM people p) x
SELECT (SELECT p FROM people p LIMIT 1).email
SELECT initials(p) FROM people p
SELECT p.initials FROM people p
SELECT email(p) FROM people p
-- JSON, arrays, ranges, XML, text search
SELECT body ->> 'who' FROM documents
SELECT body -> 'n' FROM documents WHERE body @> '{"n": 3}'
SELECT d.id, e.key, e.value FROM documents d, jsonb_each_text(d.body) e
SELECT d.id, x.who FROM documents d, jsonb_to_record(d.body) AS x(who text, n int)
SELECT jsonb_path_query(body, '$.who') FROM documents
SELECT jsonb_build_object('a', labels, 'b', id) FROM documents
SELECT json_build_array(id, owner) FROM documents
SELECT body['who'] FROM documents
SELECT unnest(labels) FROM documents
SELECT d.id, l FROM documents d, unnest(d.labels) WITH ORDINALITY AS u(l, n) WHERE n = 2
SELECT labels[1:2], array_length(labels, 1) FROM documents
SELECT array_to_string(labels, ',') FROM documents WHERE 'x' = ANY (labels)
SELECT lower(parts), parts && int4range(1, 3) FROM documents
SELECT id FROM documents WHERE search @@ to_tsquery('x')
SELECT ts_headline(body ->> 'who', to_tsquery('x')) FROM documents
SELECT xpath('/a/b/text()', raw) FROM documents
SELECT x.b FROM documents, XMLTABLE('/a' PASSING raw COLUMNS b text PATH 'b') x
SELECT xmlelement(name foo, xmlattributes(owner AS o), id) FROM documents
SELECT g, p.name FROM generate_series(1, 3) g JOIN people p ON p.id = g
SELECT * FROM ROWS FROM (generate_series(1, 2), unnest(ARRAY['a', 'b'])) AS r(a, b) JOIN people p ON p.id = r.a
SELECT regexp_matches(email, 'q') FROM people
SELECT string_to_table(home_town, 'q') FROM people
SELECT format('%s <%s>', name, email) FROM people
SELECT md5(ssn), encode(sha256(ssn::bytea), 'hex'), length(ssn) FROM people
-- views
SELECT id FROM people_public
SELECT name FROM people_public WHERE dept = 2
SELECT * FROM people_town
SELECT who FROM people_over
SELECT who, skill FROM people_top WHERE skill = 'sql'
SELECT p FROM people_public p
SELECT email FROM people_safe WHERE name LIKE 'z%'
SELECT n FROM people_groups
SELECT names FROM people_groups WHERE eldest < '2000-01-01'
SELECT contact FROM people_union
SELECT place, eldest FROM people_window WHERE place = 1
SELECT * FROM people_lateral
SELECT id, depth FROM bosses
SELECT v.who, d.secret_note FROM people_town v JOIN departments d ON d.title = v.title
WITH x AS (SELECT * FROM people_over) SELECT who FROM x
SELECT a.name FROM people_public a JOIN people_public b ON a.dept = b.dept AND a.id < b.id
SELECT ssn FROM people_kept
SELECT last_ssn FROM people_kept_again
SELECT k.dept FROM people_kept k JOIN people_kept_again a USING (dept)
SELECT contact FROM active_customers
SELECT em, n FROM v_order_summary
SELECT * FROM mv_city
-- inheritance and partitions
SELECT plate FROM vehicles
SELECT * FROM vehicles
SELECT holder FROM ONLY vehicles
SELECT plate FROM vehicles_all
SELECT plate FROM vehicles_only
SELECT holder_phone FROM cars
SELECT v.plate, c.doors FROM vehicles v JOIN cars c USING (id)
SELECT tableoid::regclass, count(*) FROM vehicles GROUP BY 1
SELECT meter, value FROM readings
SELECT reader_name FROM readings WHERE at >= '2025-02-01'
SELECT sum(value) FROM readings WHERE at < '2025-01-01'
SELECT reader_name FROM readings_25
SELECT value FROM readings_25_n WHERE region = 'north'
SELECT r.value, p.name FROM readings r JOIN people p ON p.id = r.meter
UPDATE vehicles SET holder = 'x' WHERE id = 5
DELETE FROM ONLY vehicles WHERE plate = 'x'
UPDATE readings SET value = value + 1 WHERE at = '2025-03-01' AND region = 'north'
DELETE FROM readings WHERE meter = 3 RETURNING reader_name
INSERT INTO readings(at, region, meter) VALUES ('2025-05-01', 'south', 5)
TRUNCATE readings
-- functions
SELECT name_of(3)
SELECT town_of(3)
SELECT * FROM in_dept(2)
SELECT email FROM in_dept(2)
SELECT mail FROM mails_in(3) WHERE id > 1
SELECT double_it(budget) FROM departments
SELECT ssn_of(id) FROM departments
SELECT first_mail()
SELECT * FROM whole_person(4)
SELECT (whole_person(4)).ssn
SELECT move_person(4, 2)
SELECT rename_person(5)
SELECT calls_other(3)
SELECT town_over_view(7)
SELECT email_taken('x')
SELECT p.name FROM people p WHERE email_taken(p.email)
SELECT get_email(7)
SELECT order_total(7)
SELECT x.* FROM departments d, LATERAL mails_in(d.id) x
CALL close_ledger(3)
DO $$ BEGIN PERFORM ssn FROM people WHERE id = 3; END $$
DO $$ DECLARE r record; BEGIN FOR r IN SELECT id, email FROM people LOOP UPDATE ledger SET memo = r.email WHERE person = r.id; END LOOP; END $$
-- INSERT
INSERT INTO people(id, name) VALUES (100, 'n')
INSERT INTO people VALUES (100, 'n', 'e')
INSERT INTO ledger DEFAULT VALUES
INSERT INTO prices(id, net, rate) VALUES (100, 5, 0.1) RETURNING gross
INSERT INTO ledger(person, memo) SELECT id, ssn FROM people WHERE dept = 1
INSERT INTO people(id, email) VALUES (3, 'e') ON CONFLICT (id) DO NOTHING
INSERT INTO people(id, email) VALUES (3, 'e') ON CONFLICT (id) DO UPDATE SET email = excluded.email
INSERT INTO people(id, email) VALUES (3, 'e') ON CONFLICT (id) DO UPDATE SET email = people.name || excluded.email WHERE people.dept <> 9 RETURNING ssn
INSERT INTO people(id, email) VALUES (3, 'e') ON CONFLICT ON CONSTRAINT people_pkey DO UPDATE SET (email, name) = (SELECT title, secret_note FROM departments WHERE id = 1)
INSERT INTO people_public(id, name) VALUES (101, 'n') RETURNING dept
INSERT INTO people_checked(id, name, dept) VALUES (101, 'n', 2)
INSERT INTO people(id, name) VALUES (100, (SELECT title FROM departments WHERE head = 1)) RETURNING *
INSERT INTO skills TABLE skills LIMIT 0
INSERT INTO places(id, addr.town) VALUES (99, 't')
INSERT INTO ledger(person, amount) VALUES (1, 2), (2, 3), (3, (SELECT max(budget) FROM departments))
INSERT INTO "Odd Names"("Some Id", "a.b") VALUES (9, 'x') RETURNING "sélect"
-- UPDATE
UPDATE people SET name = 'x' WHERE id = 3
UPDATE people SET name = email WHERE id = 3
UPDATE people SET boss = boss + 1
UPDATE people p SET name = d.title FROM departments d WHERE d.id = p.dept AND p.id = 3
UPDATE people SET (name, email) = ('a', 'b') WHERE ssn = 'x'
UPDATE people SET (name, email) = (SELECT title, secret_note FROM departments WHERE id = dept) WHERE id = 3
UPDATE people SET name = DEFAULT WHERE id = 4 RETURNING home_town
UPDATE people SET name = 'x' WHERE id = 4 RETURNING *
UPDATE people_public SET name = 'y' WHERE id = 5
UPDATE people_edit SET name = 'y' WHERE id = 5
UPDATE people_checked SET email = 'y' WHERE name <> ''
UPDATE prices SET net = net * 2 WHERE id = 1 RETURNING gross, label
UPDATE ledger SET memo = 'm' WHERE person = 3
UPDATE places SET addr.town = 'x' WHERE id = 1
UPDATE documents SET body = jsonb_set(body, '{n}', '1'), labels[1] = 'q' WHERE owner = 2
UPDATE people SET dept = (SELECT id FROM departments ORDER BY budget LIMIT 1) WHERE id IN (SELECT person FROM skills WHERE level = 2)
UPDATE "Odd Names" SET "from" = "a.b" WHERE "Some Id" = 1
WITH d AS (SELECT id FROM departments WHERE budget > 1) UPDATE people SET home_town = 'x' FROM d WHERE d.id = people.dept
-- DELETE
DELETE FROM skills
DELETE FROM skills WHERE level > 3
DELETE FROM skills RETURNING skill
DELETE FROM skills s USING people p WHERE p.id = s.person AND p.ssn = 'x'
DELETE FROM skills WHERE person IN (SELECT id FROM people WHERE email LIKE '%x')
DELETE FROM people_checked WHERE email = 'none'
DELETE FROM ledger WHERE ctid = '(0,1)'
TRUNCATE ledger
TRUNCATE skills, ledger_log
-- MERGE
MERGE INTO people p USING departments d ON d.head = p.id WHEN MATCHED THEN UPDATE SET home_town = d.title
MERGE INTO people p USING departments d ON d.head = p.id WHEN MATCHED AND p.born < '1980-02-01' THEN DELETE WHEN MATCHED THEN DO NOTHING
MERGE INTO ledger l USING (SELECT id, email FROM people WHERE dept = 1) p ON l.person = p.id WHEN MATCHED THEN UPDATE SET memo = p.email WHEN NOT MATCHED THEN INSERT (person, memo) VALUES (p.id, 'new')
MERGE INTO prices x USING (VALUES (1, 2.0), (50, 3.0)) v(id, net) ON x.id = v.id WHEN MATCHED AND x.label <> 'none' THEN UPDATE SET net = v.net WHEN NOT MATCHED THEN INSERT (id, net) VALUES (v.id, v.net)
MERGE INTO skills s USING skills t ON s.person = t.person AND s.skill = t.skill WHEN MATCHED THEN UPDATE SET level = t.level + 1
-- locking
SELECT id FROM people WHERE id = 3 FOR UPDATE
SELECT id FROM people p JOIN departments d USING (id) FOR SHARE OF d
SELECT id FROM people WHERE dept = 1 ORDER BY born LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED
-- COPY, CREATE AS, cursors, EXPLAIN
COPY people TO STDOUT
COPY people (id, email) TO STDOUT
COPY (SELECT name FROM people WHERE ssn <> '') TO STDOUT
COPY (DELETE FROM skills WHERE level = 9 RETURNING skill) TO STDOUT
COPY ledger (person, memo) FROM STDIN
COPY prices TO STDOUT
COPY skills FROM STDIN
CREATE TABLE made AS SELECT id, ssn FROM people
CREATE TEMP TABLE made AS SELECT id FROM people WHERE email <> ''
SELECT id, name INTO made FROM people
CREATE MATERIALIZED VIEW made AS SELECT dept, count(*) FROM people GROUP BY 1
DECLARE c CURSOR FOR SELECT id, email FROM people
EXPLAIN SELECT name FROM people WHERE ssn = 'x'
EXPLAIN ANALYZE SELECT name FROM people WHERE ssn = 'x'
EXPLAIN (VERBOSE, COSTS OFF) SELECT * FROM people_top
EXPLAIN ANALYZE UPDATE people SET name = 'q' WHERE id = 1
-- odd names
SELECT "a.b" FROM "Odd Names"
SELECT "sélect" FROM "Odd Names" WHERE "from" = 'f'
SELECT "Odd Names".* FROM public."Odd Names"
SELECT U&"\0061.b" FROM "Odd Names"
SELECT o."Some Id" AS email FROM "Odd Names" o ORDER BY "a.b"
-- queries like TPC-H and TPC-C
SELECT o.status, sum(o.total) AS sum_total, avg(o.total) AS avg_total, count(*) AS count_order FROM orders o WHERE o.created_at <= date '2024-12-01' - interval '90 day' GROUP BY o.status ORDER BY o.status
SELECT c.country, sum(p.amount * (1 - 0.1)) AS revenue FROM customers c, orders o, payments p WHERE c.id = o.customer_id AND p.order_id = o.id AND o.created_at >= date '2023-01-01' AND o.created_at < date '2024-01-01' GROUP BY c.country ORDER BY revenue DESC LIMIT 20
SELECT o.id, o.created_at, sum(p.amount) FROM customers c, orders o, payments p WHERE c.city = 'City7' AND c.id = o.customer_id AND p.order_id = o.id GROUP BY o.id, o.created_at ORDER BY 3 DESC, 2
SELECT status, count(*) FROM orders WHERE created_at >= '2023-07-01' AND EXISTS (SELECT * FROM payments WHERE order_id = orders.id AND paid_at > orders.created_at) GROUP BY status
SELECT sum(p.amount) AS revenue FROM payments p WHERE p.amount BETWEEN 5 AND 700 AND p.paid_at > '2020-01-01'
SELECT a.city AS supp, b.city AS cust, extract(year FROM o.created_at) AS y, sum(o.total) FROM customers a, customers b, orders o WHERE a.id = o.customer_id AND b.id = o.id AND ((a.city = 'City1' AND b.city = 'City2') OR (a.city = 'City2' AND b.city = 'City1')) GROUP BY 1, 2, 3
SELECT sum(CASE WHEN c.country = 'US' THEN o.total ELSE 0 END) / sum(o.total) FROM orders o JOIN customers c ON c.id = o.customer_id
SELECT c.id, c.full_name, sum(o.total) AS revenue, c.phone FROM customers c JOIN orders o ON c.id = o.customer_id GROUP BY c.id, c.full_name, c.phone ORDER BY revenue DESC LIMIT 20
SELECT customer_id, sum(total) AS v FROM orders GROUP BY customer_id HAVING sum(total) > (SELECT sum(total) * 0.0001 FROM orders)
SELECT c_count, count(*) AS custdist FROM (SELECT c.id, count(o.id) FROM customers c LEFT JOIN orders o ON c.id = o.customer_id AND o.status NOT LIKE '%special%' GROUP BY c.id) AS c_orders (c_id, c_count) GROUP BY c_count
WITH revenue AS (SELECT customer_id AS cno, sum(total) AS t FROM orders GROUP BY customer_id) SELECT c.id, c.full_name, t FROM customers c, revenue WHERE c.id = cno AND t = (SELECT max(t) FROM revenue)
SELECT count(DISTINCT customer_id) FROM orders WHERE customer_id NOT IN (SELECT id FROM customers WHERE notes LIKE '%Complaints%')
SELECT sum(p.amount) / 7.0 FROM payments p WHERE p.amount < (SELECT 0.2 * avg(q.amount) FROM payments q WHERE q.order_id = p.order_id)
SELECT substring(phone FROM 1 FOR 2) AS cntrycode, count(*) FROM customers WHERE substring(phone FROM 1 FOR 2) IN ('13', 'zq') AND NOT EXISTS (SELECT FROM orders WHERE orders.customer_id = customers.id) GROUP BY 1
UPDATE orders SET total = total - 5, status = 'new' WHERE id = 7 RETURNING total
SELECT o.id, o.total FROM orders o WHERE o.customer_id = 5 AND o.id = (SELECT max(id) FROM orders WHERE customer_id = 5)
INSERT INTO orders(customer_id, status, total) SELECT id, 'new', 0 FROM customers WHERE id = 3
SELECT count(DISTINCT p.id) FROM payments p, orders o WHERE o.id = p.order_id AND o.customer_id BETWEEN 1 AND 20 AND p.amount < 10
