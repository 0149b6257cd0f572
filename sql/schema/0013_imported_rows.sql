-- What an import from another system has taken (src/legacy/) where the row itself cannot tell: so that nothing is taken twice.
CREATE TABLE imported_rows (
	organization_id BLOB NOT NULL REFERENCES organizations (id),
	source          TEXT NOT NULL, -- what kind of row it was
	source_key      TEXT NOT NULL, -- its id there; of a row without one a hash of it
	kept_id         BLOB,          -- the row here that stands for it under another id; null: it kept its own
	PRIMARY KEY (organization_id, source, source_key)
) STRICT, WITHOUT ROWID;
