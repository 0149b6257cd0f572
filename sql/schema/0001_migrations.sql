-- Which of these files a database has seen. The first to run, and harmless to run again: so the server can ask.
CREATE TABLE IF NOT EXISTS migrations (
	number     INTEGER PRIMARY KEY,
	name       TEXT    NOT NULL,
	checksum   TEXT    NOT NULL, -- SHA-256 of the file as it was applied
	applied_at INTEGER NOT NULL
) STRICT;
