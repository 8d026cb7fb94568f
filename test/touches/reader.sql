-- One role owns whatever runs with its owner's rights, and has none of its own: so what it is granted is what decides.
CREATE ROLE touches_reader;
CREATE ROLE touches_all;
DO $$
DECLARE o record;
BEGIN
  FOR o IN SELECT c.oid::regclass AS name, c.relkind AS kind FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname IN ('public', 'sales') AND c.relkind IN ('v', 'm')
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e') LOOP
    EXECUTE format('ALTER %s %s OWNER TO touches_reader', CASE o.kind WHEN 'v' THEN 'VIEW' ELSE 'MATERIALIZED VIEW' END, o.name);
    EXECUTE format('REVOKE ALL ON %s FROM touches_reader', o.name);
  END LOOP;
  FOR o IN SELECT p.oid::regprocedure AS name FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE n.nspname = 'public' AND p.prokind IN ('f', 'p') AND p.prosecdef
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e') LOOP
    EXECUTE format('ALTER ROUTINE %s OWNER TO touches_reader', o.name);
  END LOOP;
END $$;
-- A rule runs with the rights of the table's owner.
ALTER TABLE inbox OWNER TO touches_reader;
REVOKE ALL ON inbox FROM touches_reader;
GRANT CREATE, USAGE ON SCHEMA public TO touches_reader;
GRANT USAGE ON SCHEMA sales, evil TO touches_reader;
GRANT USAGE, SELECT, UPDATE ON ALL SEQUENCES IN SCHEMA public, sales TO touches_reader;
GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON ALL TABLES IN SCHEMA public, sales TO touches_all;
