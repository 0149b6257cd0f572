-- See the file of the same name beside this one.
CREATE TABLE imported_rows (
	organization_id uuid NOT NULL REFERENCES organizations (id),
	source          text COLLATE "C" NOT NULL,
	source_key      text COLLATE "C" NOT NULL,
	kept_id         uuid,
	PRIMARY KEY (organization_id, source, source_key)
);
ALTER TABLE imported_rows ENABLE ROW LEVEL SECURITY;
ALTER TABLE imported_rows FORCE ROW LEVEL SECURITY;
CREATE POLICY organization ON imported_rows TO innkeeper_server
	USING (organization_id = nullif(current_setting('innkeeper.organization', true), '')::uuid)
	WITH CHECK (organization_id = nullif(current_setting('innkeeper.organization', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE, DELETE ON imported_rows TO innkeeper_server;
