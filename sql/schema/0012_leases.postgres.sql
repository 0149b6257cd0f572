-- What one of the processes of a database does for all, and which one: by the database's clock, so that none of theirs matters.
CREATE TABLE leases (
	name       text   COLLATE "C" PRIMARY KEY, -- of the work
	holder     text   NOT NULL,                -- a number that a process has drawn for itself
	expires_at bigint NOT NULL                 -- from then on another process may take it
) WITH (fillfactor = 20);
GRANT SELECT, INSERT, UPDATE, DELETE ON leases TO innkeeper_system;
