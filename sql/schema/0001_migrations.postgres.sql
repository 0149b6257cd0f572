-- Which of these files a database has seen. The first to run, and harmless to run again: so the server can ask.
-- Everything of the house lies in the schema innkeeper and belongs to the role innkeeper_owner, which cannot log in. The
-- roles and the schema are made before this file (src/store/postgres_roles.c), and it is the search path.
CREATE TABLE IF NOT EXISTS migrations (
	number     bigint PRIMARY KEY,
	name       text   NOT NULL,
	checksum   text   NOT NULL, -- SHA-256 of the file as it was applied
	applied_at bigint NOT NULL
);
GRANT SELECT ON migrations TO innkeeper_system;
