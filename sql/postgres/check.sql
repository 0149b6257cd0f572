-- What is wrong with the role that the server has connected as, or with the tables it would work with: a sentence each; no
-- row, nothing. $1: the tenants' tables that this version knows, as `table.owner_column` with blanks between.
WITH mine AS ( -- every role that this connection may become; of a superuser, who may become any, itself alone
	SELECT r.*
	FROM pg_catalog.pg_roles AS r
	WHERE r.rolname = current_user
	   OR (pg_catalog.pg_has_role(current_user, r.oid, 'MEMBER')
	       AND NOT (SELECT s.rolsuper FROM pg_catalog.pg_roles AS s WHERE s.rolname = current_user))
), house AS (
	SELECT c.oid, c.relname, c.relowner, c.relrowsecurity, c.relforcerowsecurity
	FROM pg_catalog.pg_class AS c
	JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
	WHERE n.nspname = 'innkeeper' AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
), wanted AS (
	SELECT split_part(w, '.', 1) AS name, split_part(w, '.', 2) AS owner_column,
	       format('(%s = (NULLIF(current_setting(''innkeeper.organization''::text, true), ''''::text))::uuid)',
	              split_part(w, '.', 2)) AS condition
	FROM unnest(string_to_array($1, ' ')) AS w
), wrong (rank, sentence) AS (
	SELECT 1, format('it is %s, not innkeeper_server', current_user)
	WHERE current_user <> 'innkeeper_server'
	UNION ALL
	SELECT 2, format('role %s is a superuser', m.rolname) FROM mine AS m WHERE m.rolsuper
	UNION ALL
	SELECT 2, format('role %s has BYPASSRLS', m.rolname) FROM mine AS m WHERE m.rolbypassrls
	UNION ALL
	SELECT 2, format('role %s has REPLICATION', m.rolname) FROM mine AS m WHERE m.rolreplication
	UNION ALL
	SELECT 2, format('role %s has CREATEROLE', m.rolname) FROM mine AS m WHERE m.rolcreaterole
	UNION ALL
	SELECT 2, format('role %s has CREATEDB', m.rolname) FROM mine AS m WHERE m.rolcreatedb
	UNION ALL
	SELECT 3, format('role %s is a member of %s', current_user, m.rolname)
	FROM mine AS m
	WHERE m.rolname NOT IN (current_user, 'innkeeper_system')
	UNION ALL
	-- Becoming it must be an act of its own.
	SELECT 3, format('role %s inherits the rights of %s: it must be NOINHERIT', current_user, s.rolname)
	FROM pg_catalog.pg_roles AS s
	WHERE s.rolname = 'innkeeper_system' AND current_user <> s.rolname
	  AND NOT (SELECT u.rolsuper FROM pg_catalog.pg_roles AS u WHERE u.rolname = current_user)
	  AND pg_catalog.pg_has_role(current_user, s.oid, 'USAGE')
	UNION ALL
	SELECT 4, format('role %s owns table %s', m.rolname, h.relname)
	FROM house AS h
	JOIN mine AS m ON m.oid = h.relowner
	UNION ALL
	SELECT 5, format('role %s has %s on table %s', m.rolname, p.name, h.relname)
	FROM house AS h
	CROSS JOIN mine AS m
	CROSS JOIN (VALUES ('TRUNCATE'), ('REFERENCES'), ('TRIGGER')) AS p (name)
	WHERE pg_catalog.has_table_privilege(m.oid, h.oid, p.name)
	UNION ALL
	SELECT 5, format('role %s has CREATE on schema %s', m.rolname, n.nspname)
	FROM pg_catalog.pg_namespace AS n
	CROSS JOIN mine AS m
	WHERE n.nspname !~ '^pg_(temp|toast)' AND pg_catalog.has_schema_privilege(m.oid, n.oid, 'CREATE')
	UNION ALL
	SELECT 5, format('role %s has %s on the database', m.rolname, p.name)
	FROM mine AS m
	CROSS JOIN (VALUES ('CREATE'), ('TEMP')) AS p (name)
	WHERE pg_catalog.has_database_privilege(m.oid, current_database(), p.name)
	UNION ALL
	SELECT 6, format('table %s is not there', w.name)
	FROM wanted AS w
	WHERE NOT EXISTS (SELECT FROM house AS h WHERE h.relname = w.name)
	UNION ALL
	SELECT 6, format('table %s lacks ENABLE ROW LEVEL SECURITY', w.name)
	FROM wanted AS w
	JOIN house AS h ON h.relname = w.name
	WHERE NOT h.relrowsecurity
	UNION ALL
	SELECT 6, format('table %s lacks FORCE ROW LEVEL SECURITY', w.name)
	FROM wanted AS w
	JOIN house AS h ON h.relname = w.name
	WHERE NOT h.relforcerowsecurity
	UNION ALL
	SELECT 6, format('table %s holds organizations'' rows and is unknown to this version', h.relname)
	FROM house AS h
	JOIN pg_catalog.pg_attribute AS a ON a.attrelid = h.oid
	WHERE a.attname = 'organization_id' AND NOT a.attisdropped
	  AND NOT EXISTS (SELECT FROM wanted AS w WHERE w.name = h.relname)
	UNION ALL
	SELECT 7, format('the policy of table %s is not this version''s', w.name)
	FROM wanted AS w
	JOIN house AS h ON h.relname = w.name
	WHERE NOT EXISTS (SELECT
	                  FROM pg_catalog.pg_policy AS p
	                  WHERE p.polrelid = h.oid AND p.polname = 'organization' AND p.polpermissive AND p.polcmd = '*'
	                    AND p.polroles = ARRAY[(SELECT r.oid
	                                            FROM pg_catalog.pg_roles AS r
	                                            WHERE r.rolname = 'innkeeper_server')]
	                    AND pg_catalog.pg_get_expr(p.polqual, p.polrelid) = w.condition
	                    AND pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid) = w.condition)
	UNION ALL
	-- Another one would widen what an organization's scope sees.
	SELECT 7, format('policy %s of table %s is for everybody, or for the server''s role', p.polname, h.relname)
	FROM house AS h
	JOIN pg_catalog.pg_policy AS p ON p.polrelid = h.oid
	WHERE p.polname <> 'organization' AND p.polpermissive
	  AND (0 = ANY (p.polroles)
	       OR EXISTS (SELECT
	                  FROM pg_catalog.pg_roles AS r
	                  WHERE r.oid = ANY (p.polroles) AND r.rolname <> 'innkeeper_system'
	                    AND pg_catalog.pg_has_role(current_user, r.oid, 'MEMBER')))
	UNION ALL
	SELECT 8, format('function %s runs with its owner''s rights', f.proname)
	FROM pg_catalog.pg_proc AS f
	JOIN pg_catalog.pg_namespace AS n ON n.oid = f.pronamespace
	WHERE n.nspname = 'innkeeper' AND f.prosecdef AND f.proname <> 'search_documents'
	UNION ALL
	SELECT 9, format('its encoding is %s, not UTF8', pg_catalog.getdatabaseencoding())
	WHERE pg_catalog.getdatabaseencoding() <> 'UTF8'
)
SELECT sentence FROM wrong ORDER BY rank, sentence
