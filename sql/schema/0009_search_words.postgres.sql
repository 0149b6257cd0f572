-- Who may see a row. One policy a table, of all commands: the row's organization is the transaction's, which db_postgres.c sets
-- by SET LOCAL. (After such a transaction the setting reads '', not NULL.) The owner is bound by it too.
-- Each policy by a command of its own, since Citus hands them on one by one. The next file that makes a tenant's table ends
-- with the same lines for it; a test compares the catalogue with the statement compiler's list.

ALTER TABLE organizations ENABLE ROW LEVEL SECURITY;
ALTER TABLE organizations FORCE ROW LEVEL SECURITY;
CREATE POLICY organization ON organizations TO innkeeper_server
	USING (id = nullif(current_setting('innkeeper.organization', true), '')::uuid)
	WITH CHECK (id = nullif(current_setting('innkeeper.organization', true), '')::uuid);

ALTER TABLE api_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE api_keys FORCE ROW LEVEL SECURITY;
CREATE POLICY organization ON api_keys TO innkeeper_server
	USING (organization_id = nullif(current_setting('innkeeper.organization', true), '')::uuid)
	WITH CHECK (organization_id = nullif(current_setting('innkeeper.organization', true), '')::uuid);

ALTER TABLE users ENABLE ROW LEVEL SECURITY;
ALTER TABLE users FORCE ROW LEVEL SECURITY;
CREATE POLICY organization ON users TO innkeeper_server
	USING (organization_id = nullif(current_setting('innkeeper.organization', true), '')::uuid)
	WITH CHECK (organization_id = nullif(current_setting('innkeeper.organization', true), '')::uuid);

ALTER TABLE visitors ENABLE ROW LEVEL SECURITY;
ALTER TABLE visitors FORCE ROW LEVEL SECURITY;
CREATE POLICY organization ON visitors TO innkeeper_server
	USING (organization_id = nullif(current_setting('innkeeper.organization', true), '')::uuid)
	WITH CHECK (organization_id = nullif(current_setting('innkeeper.organization', true), '')::uuid);

ALTER TABLE chats ENABLE ROW LEVEL SECURITY;
ALTER TABLE chats FORCE ROW LEVEL SECURITY;
CREATE POLICY organization ON chats TO innkeeper_server
	USING (organization_id = nullif(current_setting('innkeeper.organization', true), '')::uuid)
	WITH CHECK (organization_id = nullif(current_setting('innkeeper.organization', true), '')::uuid);

ALTER TABLE chat_activity ENABLE ROW LEVEL SECURITY;
ALTER TABLE chat_activity FORCE ROW LEVEL SECURITY;
CREATE POLICY organization ON chat_activity TO innkeeper_server
	USING (organization_id = nullif(current_setting('innkeeper.organization', true), '')::uuid)
	WITH CHECK (organization_id = nullif(current_setting('innkeeper.organization', true), '')::uuid);

ALTER TABLE messages ENABLE ROW LEVEL SECURITY;
ALTER TABLE messages FORCE ROW LEVEL SECURITY;
CREATE POLICY organization ON messages TO innkeeper_server
	USING (organization_id = nullif(current_setting('innkeeper.organization', true), '')::uuid)
	WITH CHECK (organization_id = nullif(current_setting('innkeeper.organization', true), '')::uuid);

ALTER TABLE article_mentions ENABLE ROW LEVEL SECURITY;
ALTER TABLE article_mentions FORCE ROW LEVEL SECURITY;
CREATE POLICY organization ON article_mentions TO innkeeper_server
	USING (organization_id = nullif(current_setting('innkeeper.organization', true), '')::uuid)
	WITH CHECK (organization_id = nullif(current_setting('innkeeper.organization', true), '')::uuid);

ALTER TABLE article_views ENABLE ROW LEVEL SECURITY;
ALTER TABLE article_views FORCE ROW LEVEL SECURITY;
CREATE POLICY organization ON article_views TO innkeeper_server
	USING (organization_id = nullif(current_setting('innkeeper.organization', true), '')::uuid)
	WITH CHECK (organization_id = nullif(current_setting('innkeeper.organization', true), '')::uuid);

ALTER TABLE web_mentions ENABLE ROW LEVEL SECURITY;
ALTER TABLE web_mentions FORCE ROW LEVEL SECURITY;
CREATE POLICY organization ON web_mentions TO innkeeper_server
	USING (organization_id = nullif(current_setting('innkeeper.organization', true), '')::uuid)
	WITH CHECK (organization_id = nullif(current_setting('innkeeper.organization', true), '')::uuid);

ALTER TABLE invitations ENABLE ROW LEVEL SECURITY;
ALTER TABLE invitations FORCE ROW LEVEL SECURITY;
CREATE POLICY organization ON invitations TO innkeeper_server
	USING (organization_id = nullif(current_setting('innkeeper.organization', true), '')::uuid)
	WITH CHECK (organization_id = nullif(current_setting('innkeeper.organization', true), '')::uuid);

ALTER TABLE audit_log ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_log FORCE ROW LEVEL SECURITY;
CREATE POLICY organization ON audit_log TO innkeeper_server
	USING (organization_id = nullif(current_setting('innkeeper.organization', true), '')::uuid)
	WITH CHECK (organization_id = nullif(current_setting('innkeeper.organization', true), '')::uuid);

ALTER TABLE chat_summaries ENABLE ROW LEVEL SECURITY;
ALTER TABLE chat_summaries FORCE ROW LEVEL SECURITY;
CREATE POLICY organization ON chat_summaries TO innkeeper_server
	USING (organization_id = nullif(current_setting('innkeeper.organization', true), '')::uuid)
	WITH CHECK (organization_id = nullif(current_setting('innkeeper.organization', true), '')::uuid);

ALTER TABLE rollup_counts ENABLE ROW LEVEL SECURITY;
ALTER TABLE rollup_counts FORCE ROW LEVEL SECURITY;
CREATE POLICY organization ON rollup_counts TO innkeeper_server
	USING (organization_id = nullif(current_setting('innkeeper.organization', true), '')::uuid)
	WITH CHECK (organization_id = nullif(current_setting('innkeeper.organization', true), '')::uuid);

ALTER TABLE rollup_members ENABLE ROW LEVEL SECURITY;
ALTER TABLE rollup_members FORCE ROW LEVEL SECURITY;
CREATE POLICY organization ON rollup_members TO innkeeper_server
	USING (organization_id = nullif(current_setting('innkeeper.organization', true), '')::uuid)
	WITH CHECK (organization_id = nullif(current_setting('innkeeper.organization', true), '')::uuid);

ALTER TABLE rollup_gaps ENABLE ROW LEVEL SECURITY;
ALTER TABLE rollup_gaps FORCE ROW LEVEL SECURITY;
CREATE POLICY organization ON rollup_gaps TO innkeeper_server
	USING (organization_id = nullif(current_setting('innkeeper.organization', true), '')::uuid)
	WITH CHECK (organization_id = nullif(current_setting('innkeeper.organization', true), '')::uuid);

ALTER TABLE rollup_states ENABLE ROW LEVEL SECURITY;
ALTER TABLE rollup_states FORCE ROW LEVEL SECURITY;
CREATE POLICY organization ON rollup_states TO innkeeper_server
	USING (organization_id = nullif(current_setting('innkeeper.organization', true), '')::uuid)
	WITH CHECK (organization_id = nullif(current_setting('innkeeper.organization', true), '')::uuid);

ALTER TABLE articles ENABLE ROW LEVEL SECURITY;
ALTER TABLE articles FORCE ROW LEVEL SECURITY;
CREATE POLICY organization ON articles TO innkeeper_server
	USING (organization_id = nullif(current_setting('innkeeper.organization', true), '')::uuid)
	WITH CHECK (organization_id = nullif(current_setting('innkeeper.organization', true), '')::uuid);

ALTER TABLE web_pages ENABLE ROW LEVEL SECURITY;
ALTER TABLE web_pages FORCE ROW LEVEL SECURITY;
CREATE POLICY organization ON web_pages TO innkeeper_server
	USING (organization_id = nullif(current_setting('innkeeper.organization', true), '')::uuid)
	WITH CHECK (organization_id = nullif(current_setting('innkeeper.organization', true), '')::uuid);

ALTER TABLE search ENABLE ROW LEVEL SECURITY;
ALTER TABLE search FORCE ROW LEVEL SECURITY;
CREATE POLICY organization ON search TO innkeeper_server
	USING (organization_id = nullif(current_setting('innkeeper.organization', true), '')::uuid)
	WITH CHECK (organization_id = nullif(current_setting('innkeeper.organization', true), '')::uuid);

ALTER TABLE search_progress ENABLE ROW LEVEL SECURITY;
ALTER TABLE search_progress FORCE ROW LEVEL SECURITY;
CREATE POLICY organization ON search_progress TO innkeeper_server
	USING (organization_id = nullif(current_setting('innkeeper.organization', true), '')::uuid)
	WITH CHECK (organization_id = nullif(current_setting('innkeeper.organization', true), '')::uuid);

ALTER TABLE erasures ENABLE ROW LEVEL SECURITY;
ALTER TABLE erasures FORCE ROW LEVEL SECURITY;
CREATE POLICY organization ON erasures TO innkeeper_server
	USING (organization_id = nullif(current_setting('innkeeper.organization', true), '')::uuid)
	WITH CHECK (organization_id = nullif(current_setting('innkeeper.organization', true), '')::uuid);

-- What an organization's scope may do: everything with its rows, and nothing with the tables.
GRANT SELECT, INSERT, UPDATE, DELETE ON
	api_keys, users, visitors, chats, chat_activity, messages, article_mentions, article_views, web_mentions, invitations,
	audit_log, chat_summaries, rollup_counts, rollup_members, rollup_gaps, rollup_states, articles, web_pages, search, search_progress, erasures
	TO innkeeper_server;
GRANT SELECT, UPDATE ON organizations TO innkeeper_server;
GRANT SELECT, USAGE ON SEQUENCE messages_number_seq TO innkeeper_server;
GRANT USAGE ON SEQUENCE chats_number_seq TO innkeeper_server;

-- Where it is not known yet whose rows are asked for: a key or a session by its hash, the organizations with work.
GRANT SELECT, INSERT ON organizations, secrets TO innkeeper_system;
GRANT SELECT, INSERT, UPDATE, DELETE ON accounts, sessions, identities TO innkeeper_system;
GRANT SELECT, UPDATE ON search_progress TO innkeeper_system;
CREATE POLICY system ON search_progress TO innkeeper_system USING (true) WITH CHECK (true);
CREATE POLICY system ON organizations TO innkeeper_system USING (true) WITH CHECK (true);
-- What search_documents looks into (0005).
CREATE POLICY searcher ON search FOR SELECT TO innkeeper_searcher USING (true);

GRANT SELECT ON api_keys TO innkeeper_system;
CREATE POLICY system ON api_keys FOR SELECT TO innkeeper_system USING (true);
GRANT SELECT ON users TO innkeeper_system;
CREATE POLICY system ON users FOR SELECT TO innkeeper_system USING (true);
GRANT SELECT ON invitations TO innkeeper_system;
CREATE POLICY system ON invitations FOR SELECT TO innkeeper_system USING (true);
GRANT SELECT ON messages TO innkeeper_system;
CREATE POLICY system ON messages FOR SELECT TO innkeeper_system USING (true);
GRANT SELECT ON erasures TO innkeeper_system;
CREATE POLICY system ON erasures FOR SELECT TO innkeeper_system USING (true);
GRANT SELECT ON rollup_states TO innkeeper_system;
CREATE POLICY system ON rollup_states FOR SELECT TO innkeeper_system USING (true);
