-- What the statements of evasions.jsonl speak of, on top of schema.sql: code that changes data, in every place where the
-- server runs code without being asked to by name. Each of it does the same: it empties `victim`.

CREATE TABLE victim(id int PRIMARY KEY, note text);
INSERT INTO victim SELECT g, 'n' || g FROM generate_series(1, 20) g;
CREATE TABLE plain(id int PRIMARY KEY, a int, b text);
INSERT INTO plain SELECT g, g % 5, 'b' || g FROM generate_series(1, 100) g;

-- Functions
CREATE FUNCTION wipe() RETURNS int LANGUAGE plpgsql AS 'BEGIN DELETE FROM public.victim; RETURN 1; END';
CREATE FUNCTION calm(x int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN x + 1; END';
CREATE FUNCTION as_stable(x int) RETURNS int LANGUAGE plpgsql STABLE AS 'BEGIN PERFORM public.wipe(); RETURN x; END';
CREATE FUNCTION as_immutable(x int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS 'BEGIN PERFORM public.wipe(); RETURN x; END';
CREATE FUNCTION as_sql(x int) RETURNS int LANGUAGE sql AS 'DELETE FROM public.victim; SELECT x';
CREATE FUNCTION as_sql_immutable(x int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT public.wipe() * 0 + x';
CREATE FUNCTION as_atomic(x int) RETURNS int LANGUAGE sql BEGIN ATOMIC DELETE FROM public.victim; SELECT x; END;
CREATE FUNCTION as_return(x int) RETURNS int LANGUAGE sql RETURN public.wipe() + x;
CREATE FUNCTION as_definer(x int) RETURNS int LANGUAGE plpgsql SECURITY DEFINER AS 'BEGIN DELETE FROM public.victim; RETURN x; END';
CREATE FUNCTION as_cte(x int) RETURNS bigint LANGUAGE sql AS 'WITH d AS (DELETE FROM public.victim RETURNING 1) SELECT count(*) FROM d';
CREATE FUNCTION as_built(x int) RETURNS int LANGUAGE plpgsql AS 'BEGIN EXECUTE ''DELE'' || ''TE FROM public.victim''; RETURN x; END';
CREATE FUNCTION as_cursor() RETURNS int LANGUAGE plpgsql AS 'DECLARE r record; BEGIN FOR r IN SELECT id FROM public.victim FOR UPDATE LOOP DELETE FROM public.victim WHERE id = r.id; END LOOP; RETURN 1; END';
CREATE FUNCTION as_exception() RETURNS int LANGUAGE plpgsql AS 'BEGIN RAISE division_by_zero; EXCEPTION WHEN others THEN DELETE FROM public.victim; RETURN 1; END';
CREATE FUNCTION as_return_query() RETURNS SETOF int LANGUAGE plpgsql AS 'BEGIN RETURN QUERY DELETE FROM public.victim RETURNING id; END';
CREATE FUNCTION as_assignment() RETURNS int LANGUAGE plpgsql AS 'DECLARE v int := public.wipe(); BEGIN RETURN v; END';
CREATE FUNCTION as_condition() RETURNS int LANGUAGE plpgsql AS 'BEGIN IF public.wipe() > 0 THEN RETURN 1; END IF; RETURN 0; END';
CREATE FUNCTION as_argument(x int DEFAULT public.wipe()) RETURNS int LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN x; END';
CREATE FUNCTION as_argument_sequence(x bigint DEFAULT nextval('public.invoice_no')) RETURNS bigint LANGUAGE sql AS 'SELECT x';
CREATE FUNCTION as_sequence() RETURNS bigint LANGUAGE sql AS 'SELECT nextval(''public.invoice_no'')';
CREATE FUNCTION as_temp() RETURNS int LANGUAGE plpgsql AS 'BEGIN CREATE TEMP TABLE made AS SELECT 1 AS a; RETURN 1; END';
CREATE FUNCTION as_path() RETURNS int LANGUAGE plpgsql SET search_path = evil, public, pg_catalog AS 'BEGIN PERFORM lower(''x''::text); RETURN 1; END';
CREATE FUNCTION as_c(int) RETURNS int LANGUAGE internal AS 'int4abs';
CREATE FUNCTION many(VARIADIC xs int[]) RETURNS int LANGUAGE plpgsql AS 'BEGIN DELETE FROM public.victim; RETURN 1; END';
CREATE FUNCTION pick(x int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN x; END';
CREATE FUNCTION pick(x text) RETURNS int LANGUAGE plpgsql AS 'BEGIN DELETE FROM public.victim; RETURN 1; END';
CREATE FUNCTION abs(x text) RETURNS int LANGUAGE plpgsql AS 'BEGIN DELETE FROM public.victim; RETURN 1; END';
CREATE FUNCTION lower(x int) RETURNS text LANGUAGE plpgsql AS 'BEGIN DELETE FROM public.victim; RETURN ''x''; END';
CREATE FUNCTION length(x uuid) RETURNS int LANGUAGE plpgsql AS 'BEGIN DELETE FROM public.victim; RETURN 1; END';
CREATE FUNCTION field(r plain) RETURNS int LANGUAGE plpgsql AS 'BEGIN DELETE FROM public.victim; RETURN 1; END';
CREATE FUNCTION rows_of() RETURNS SETOF plain LANGUAGE plpgsql AS 'BEGIN DELETE FROM public.victim; RETURN QUERY SELECT * FROM public.plain; END';
CREATE PROCEDURE sweep() LANGUAGE plpgsql AS 'BEGIN DELETE FROM public.victim; END';
CREATE PROCEDURE sweep_and_commit() LANGUAGE plpgsql AS 'BEGIN DELETE FROM public.victim; COMMIT; END';
CREATE PROCEDURE sweep_out(OUT n int) LANGUAGE plpgsql AS 'BEGIN DELETE FROM public.victim; n := 1; END';
CREATE PROCEDURE sweep_sql() LANGUAGE sql AS 'DELETE FROM public.victim';
CREATE PROCEDURE sweep_atomic() BEGIN ATOMIC DELETE FROM public.victim; END;
CREATE PROCEDURE calm_procedure(INOUT x int) LANGUAGE plpgsql AS 'BEGIN x := x + 1; END';

-- Operators, casts, aggregates
CREATE FUNCTION bad_op(a int, b int) RETURNS boolean LANGUAGE plpgsql AS 'BEGIN DELETE FROM public.victim; RETURN true; END';
CREATE OPERATOR === (LEFTARG = int, RIGHTARG = int, FUNCTION = bad_op);
CREATE FUNCTION bad_prefix(a text) RETURNS text LANGUAGE plpgsql AS 'BEGIN DELETE FROM public.victim; RETURN a; END';
CREATE OPERATOR !!! (RIGHTARG = text, FUNCTION = bad_prefix);
CREATE FUNCTION bad_plus(a text, b int) RETURNS text LANGUAGE plpgsql AS 'BEGIN DELETE FROM public.victim; RETURN a; END';
CREATE TYPE pair AS (x int, y int);
CREATE FUNCTION pair_from(a int) RETURNS pair LANGUAGE plpgsql AS 'BEGIN DELETE FROM public.victim; RETURN ROW(a, a)::public.pair; END';
CREATE CAST (int AS pair) WITH FUNCTION pair_from(int);
CREATE FUNCTION mood_from(a int) RETURNS mood LANGUAGE plpgsql AS 'BEGIN DELETE FROM public.victim; RETURN ''ok''; END';
-- One that need not be written would make all code suspicious: statements that need such a cast make it first.
CREATE CAST (int AS mood) WITH FUNCTION mood_from(int);
CREATE FUNCTION step(s int, x int) RETURNS int LANGUAGE plpgsql AS 'BEGIN DELETE FROM public.victim; RETURN s + x; END';
CREATE FUNCTION good_step(s int, x int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT s + x';
CREATE FUNCTION finish(s int) RETURNS int LANGUAGE plpgsql AS 'BEGIN DELETE FROM public.victim; RETURN s; END';
CREATE AGGREGATE tally(int) (SFUNC = step, STYPE = int, INITCOND = '0');
CREATE AGGREGATE tally_at_end(int) (SFUNC = good_step, FINALFUNC = finish, STYPE = int, INITCOND = '0');
CREATE AGGREGATE good_tally(int) (SFUNC = good_step, STYPE = int, INITCOND = '0');
CREATE AGGREGATE tally_moving(int) (SFUNC = good_step, STYPE = int, INITCOND = '0', MSFUNC = step, MINVFUNC = step, MSTYPE = int, MINITCOND = '0');

-- Types
CREATE FUNCTION checked(x int) RETURNS boolean LANGUAGE plpgsql AS 'BEGIN PERFORM public.wipe(); RETURN true; END';
CREATE DOMAIN dom AS int CHECK (checked(VALUE));
CREATE DOMAIN dom_of_dom AS dom;
CREATE DOMAIN good_dom AS int CHECK (VALUE > 0);
CREATE DOMAIN dom_of_built_in AS int CHECK (setval('public.invoice_no', 777) > 0 OR VALUE > 0);
CREATE TYPE with_dom AS (d dom, n int);
CREATE TYPE with_dom_inside AS (w with_dom);
CREATE TABLE has_dom(d dom, n int);
CREATE TABLE has_plain_int(d int);
INSERT INTO has_plain_int VALUES (1);
CREATE DOMAIN dom_array AS int[] CHECK (checked(VALUE[1]));
CREATE TYPE key_of AS (k int);
CREATE FUNCTION key_lt(key_of, key_of) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT ($1).k < ($2).k';
CREATE FUNCTION key_le(key_of, key_of) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT ($1).k <= ($2).k';
CREATE FUNCTION key_eq(key_of, key_of) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT ($1).k = ($2).k';
CREATE FUNCTION key_ge(key_of, key_of) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT ($1).k >= ($2).k';
CREATE FUNCTION key_gt(key_of, key_of) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT ($1).k > ($2).k';
CREATE FUNCTION key_cmp(a key_of, b key_of) RETURNS int LANGUAGE plpgsql IMMUTABLE AS 'BEGIN PERFORM public.wipe(); RETURN sign((a).k - (b).k); END';
CREATE OPERATOR <^ (LEFTARG = key_of, RIGHTARG = key_of, FUNCTION = key_lt, COMMUTATOR = >^);
CREATE OPERATOR <=^ (LEFTARG = key_of, RIGHTARG = key_of, FUNCTION = key_le);
CREATE OPERATOR =^ (LEFTARG = key_of, RIGHTARG = key_of, FUNCTION = key_eq, COMMUTATOR = =^);
CREATE OPERATOR >=^ (LEFTARG = key_of, RIGHTARG = key_of, FUNCTION = key_ge);
CREATE OPERATOR >^ (LEFTARG = key_of, RIGHTARG = key_of, FUNCTION = key_gt, COMMUTATOR = <^);
CREATE OPERATOR CLASS key_ops DEFAULT FOR TYPE key_of USING btree AS
  OPERATOR 1 <^, OPERATOR 2 <=^, OPERATOR 3 =^, OPERATOR 4 >=^, OPERATOR 5 >^, FUNCTION 1 key_cmp(key_of, key_of);
CREATE TABLE keyed(k key_of);
INSERT INTO keyed VALUES (ROW(1)::key_of), (ROW(2)::key_of);
CREATE TYPE key_range AS RANGE (SUBTYPE = key_of, SUBTYPE_OPCLASS = key_ops);
CREATE FUNCTION odd_cmp(a int, b int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS 'BEGIN PERFORM public.wipe(); RETURN sign(a - b); END';
CREATE TABLE odd(a int);
INSERT INTO odd SELECT 1 FROM generate_series(1, 3);
INSERT INTO victim SELECT g, 'n' || g FROM generate_series(1, 20) g ON CONFLICT DO NOTHING;
CREATE FUNCTION distance(a int, b int) RETURNS float8 LANGUAGE plpgsql IMMUTABLE AS 'BEGIN PERFORM public.wipe(); RETURN a - b; END';

-- Views and rules
CREATE VIEW v_call AS SELECT id, wipe() AS w FROM plain;
CREATE VIEW v_of_v AS SELECT id FROM v_call WHERE w > 0;
CREATE VIEW v_calm AS SELECT id, calm(a) AS c FROM plain;
CREATE VIEW v_op AS SELECT id FROM plain WHERE a === 1;
CREATE VIEW v_settings AS SELECT set_config('work_mem', '64kB', false) AS s;
CREATE VIEW v_sequence AS SELECT nextval('invoice_no') AS n;
CREATE VIEW v_lock AS SELECT id FROM plain FOR UPDATE;
CREATE VIEW v_limit AS SELECT id FROM plain LIMIT as_stable(1);
CREATE MATERIALIZED VIEW m_calm AS SELECT id FROM plain;
CREATE MATERIALIZED VIEW m_call AS SELECT id, wipe() FROM plain WITH NO DATA;
CREATE MATERIALIZED VIEW m_of_v AS SELECT id FROM v_of_v WITH NO DATA;
CREATE TABLE ruled(id int);
INSERT INTO ruled VALUES (1);
CREATE RULE ruled_also AS ON UPDATE TO ruled DO ALSO DELETE FROM victim;
CREATE RULE ruled_instead AS ON DELETE TO ruled DO INSTEAD DELETE FROM victim;
CREATE RULE ruled_call AS ON INSERT TO ruled DO ALSO SELECT wipe();
CREATE VIEW v_trigger AS SELECT id FROM plain;
CREATE FUNCTION instead_of() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN DELETE FROM public.victim; RETURN NEW; END';
CREATE TRIGGER v_trigger_insert INSTEAD OF INSERT ON v_trigger FOR EACH ROW EXECUTE FUNCTION instead_of();

-- Tables with code
CREATE FUNCTION wiping() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN DELETE FROM public.victim; RETURN NEW; END';
CREATE TABLE t_trigger(id int PRIMARY KEY, a int);
INSERT INTO t_trigger VALUES (1, 1);
CREATE TRIGGER t_trigger_row BEFORE INSERT ON t_trigger FOR EACH ROW EXECUTE FUNCTION wiping();
CREATE TRIGGER t_trigger_statement AFTER DELETE ON t_trigger FOR EACH STATEMENT EXECUTE FUNCTION wiping();
CREATE TRIGGER t_trigger_column AFTER UPDATE OF a ON t_trigger FOR EACH ROW EXECUTE FUNCTION wiping();
CREATE TRIGGER t_trigger_truncate AFTER TRUNCATE ON t_trigger FOR EACH STATEMENT EXECUTE FUNCTION wiping();
CREATE TABLE t_when(id int PRIMARY KEY, a int);
CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER t_when_row BEFORE INSERT ON t_when FOR EACH ROW WHEN (as_stable(NEW.id) > 0) EXECUTE FUNCTION nothing();
CREATE TABLE t_deferred(id int PRIMARY KEY);
CREATE CONSTRAINT TRIGGER t_deferred_later AFTER INSERT ON t_deferred DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION wiping();
CREATE TABLE t_default(id int, w int DEFAULT wipe());
CREATE TABLE t_check(id int CHECK (checked(id)));
CREATE TABLE t_check_built_in(id int CHECK (setval('public.invoice_no', 4711) > 0));
CREATE TABLE t_generated(id int, g int GENERATED ALWAYS AS (as_immutable(id)) STORED);
CREATE TABLE t_domain(id dom);
CREATE TABLE t_composite(w with_dom);
CREATE TABLE t_index(id int);
CREATE INDEX t_index_expression ON t_index (as_immutable(id));
CREATE TABLE t_partial(id int);
CREATE INDEX t_partial_index ON t_partial (id) WHERE as_immutable(id) > 0;
CREATE TABLE t_index_class(id int);
INSERT INTO t_index_class VALUES (1);
CREATE TABLE t_statistics(id int, a int);
INSERT INTO t_statistics SELECT g, g FROM generate_series(1, 10) g;
CREATE STATISTICS t_statistics_expression ON (as_immutable(id)), a FROM t_statistics;
CREATE TABLE t_policy(id int);
ALTER TABLE t_policy ENABLE ROW LEVEL SECURITY;
ALTER TABLE t_policy FORCE ROW LEVEL SECURITY;
INSERT INTO t_policy VALUES (1), (2);
CREATE POLICY t_policy_reads ON t_policy USING (as_stable(id) > 0);
CREATE TABLE t_policy_view(id int);
INSERT INTO t_policy_view VALUES (1);
ALTER TABLE t_policy_view ENABLE ROW LEVEL SECURITY;
CREATE POLICY t_policy_view_reads ON t_policy_view USING (EXISTS (SELECT 1 FROM v_of_v));
CREATE TABLE t_policy_built_in(id int);
INSERT INTO t_policy_built_in VALUES (1);
ALTER TABLE t_policy_built_in ENABLE ROW LEVEL SECURITY;
CREATE POLICY t_policy_built_in_reads ON t_policy_built_in USING (setval('public.invoice_no', 4242) > 0);
CREATE TABLE t_partition_key(id int) PARTITION BY LIST (as_immutable(id));
CREATE TABLE t_partition_key_1 PARTITION OF t_partition_key DEFAULT;
CREATE TABLE t_parts(id int, k int) PARTITION BY LIST (k);
CREATE TABLE t_parts_1 PARTITION OF t_parts FOR VALUES IN (1);
CREATE TRIGGER t_parts_1_row AFTER INSERT ON t_parts_1 FOR EACH ROW EXECUTE FUNCTION wiping();
CREATE TABLE t_parent(id int PRIMARY KEY);
CREATE TABLE t_child(id int REFERENCES t_parent ON DELETE CASCADE);
INSERT INTO t_parent VALUES (1);
INSERT INTO t_child VALUES (1);
CREATE TRIGGER t_child_row AFTER DELETE ON t_child FOR EACH ROW EXECUTE FUNCTION wiping();
CREATE TABLE t_grown() INHERITS (plain);
CREATE TABLE t_exclude(id int, EXCLUDE USING btree (as_immutable(id) WITH =));
CREATE SERVER files FOREIGN DATA WRAPPER file_fdw;
CREATE FOREIGN TABLE f_program(line text) SERVER files OPTIONS (program 'echo hello');
CREATE FOREIGN TABLE f_file(line text) SERVER files OPTIONS (filename '/etc/hostname');
CREATE SEQUENCE steps;
CREATE TABLE t_serial(id serial PRIMARY KEY, a int);
CREATE TABLE t_identity(id int GENERATED ALWAYS AS IDENTITY, a int);
CREATE PUBLICATION everything FOR TABLE plain;
SELECT lo_from_bytea(99001, 'hello');

-- Shadows of what everybody knows
CREATE SCHEMA shadow;
CREATE FUNCTION shadow.now() RETURNS timestamptz LANGUAGE plpgsql AS 'BEGIN DELETE FROM public.victim; RETURN clock_timestamp(); END';
CREATE FUNCTION shadow.count(int) RETURNS bigint LANGUAGE plpgsql AS 'BEGIN DELETE FROM public.victim; RETURN 1; END';
CREATE OPERATOR shadow.= (LEFTARG = int, RIGHTARG = int, FUNCTION = bad_op);
CREATE VIEW shadow.plain AS SELECT wipe() AS id;
CREATE DOMAIN shadow.int4 AS integer CHECK (public.checked(VALUE));
CREATE VIEW shadow.pg_class AS SELECT public.wipe() AS oid, 'x'::name AS relname;

-- Row security does not apply to those who run the corpus.
GRANT ALL ON ALL TABLES IN SCHEMA public TO app_ro;
GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO app_ro;

-- Made last, or it would fire on all of the above.
CREATE TABLE ddl_trace(tag text);
INSERT INTO victim SELECT g, 'n' || g FROM generate_series(1, 20) g ON CONFLICT DO NOTHING;
