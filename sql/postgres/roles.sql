-- The roles of the house and its schema, made by an administrator. Harmless to run again: what is there gets the attributes
-- it must have. Passwords are set apart (src/store/postgres_roles.c).
DO $$
BEGIN
	-- Owns everything, and nobody can be it but a migration.
	IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'innkeeper_owner') THEN
		CREATE ROLE innkeeper_owner;
	END IF;
	-- Finds what must be found before it is known whose it is.
	IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'innkeeper_system') THEN
		CREATE ROLE innkeeper_system;
	END IF;
	-- Looks through the words of a search (sql/schema/0005).
	IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'innkeeper_searcher') THEN
		CREATE ROLE innkeeper_searcher;
	END IF;
	IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'innkeeper_migrator') THEN
		CREATE ROLE innkeeper_migrator;
	END IF;
	IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'innkeeper_server') THEN
		CREATE ROLE innkeeper_server;
	END IF;
END
$$;
ALTER ROLE innkeeper_owner NOLOGIN NOINHERIT NOCREATEDB NOCREATEROLE;
ALTER ROLE innkeeper_system NOLOGIN NOINHERIT NOCREATEDB NOCREATEROLE;
ALTER ROLE innkeeper_searcher NOLOGIN NOINHERIT NOCREATEDB NOCREATEROLE;
ALTER ROLE innkeeper_migrator LOGIN NOINHERIT NOCREATEDB NOCREATEROLE;
ALTER ROLE innkeeper_server LOGIN NOINHERIT NOCREATEDB NOCREATEROLE;
GRANT innkeeper_owner TO innkeeper_migrator;
GRANT innkeeper_searcher TO innkeeper_owner;
GRANT innkeeper_system TO innkeeper_server;
DO $$
BEGIN
	-- Who makes the schema for another must be a member of it.
	IF NOT (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user) THEN
		EXECUTE format('GRANT innkeeper_owner TO %I', current_user);
	END IF;
	EXECUTE format('REVOKE CREATE, TEMPORARY, CONNECT ON DATABASE %I FROM PUBLIC', current_database());
	EXECUTE format('GRANT CONNECT ON DATABASE %I TO innkeeper_migrator, innkeeper_server', current_database());
	IF pg_catalog.has_schema_privilege('innkeeper_server', 'public', 'CREATE') THEN
		REVOKE CREATE ON SCHEMA public FROM PUBLIC;
	END IF;
END
$$;
CREATE SCHEMA IF NOT EXISTS innkeeper AUTHORIZATION innkeeper_owner;
GRANT USAGE ON SCHEMA innkeeper TO innkeeper_server, innkeeper_system;
