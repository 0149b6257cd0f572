-- An organization as a whole: out into a file, in from one, and gone (src/move/). Which tables these are, in which order, and
-- how rows of one point at another's stands in src/move/tables.c; a test compares it with the schema.
-- A row's number is its place among the others of its table, and how rows of the file point at each other: where it comes in
-- it gets another one.

-- The organization itself, and its way in or out.

-- name: moving_by_slug :system
-- in:  slug text
-- out: id uuid, moving text, moving_by uuid, moving_at time
SELECT o.id, o.moving, o.moving_by, o.moving_at FROM organizations AS o WHERE o.slug = :slug;

-- name: moving_by_id :system
-- in:  id uuid
-- out: slug text, moving text, moving_by uuid, moving_at time
SELECT o.slug, o.moving, o.moving_by, o.moving_at FROM organizations AS o WHERE o.id = :id;

-- The next one behind another that is on its way.
-- name: moving_next :system
-- in:  after uuid
-- out: id uuid, moving text, moving_by uuid, moving_at time
SELECT o.id, o.moving, o.moving_by, o.moving_at
FROM organizations AS o
WHERE o.moving IS NOT NULL AND (:after IS NULL OR o.id > :after)
ORDER BY o.id
LIMIT 1;

-- name: move_out_organizations :tenant
-- out: id uuid, slug text, organization_name text, location text, website_url text, status text, requests_per_minute int,
--      created_at time, updated_at time, time_zone text, retention_days int
SELECT o.id, o.slug, o.organization_name, o.location, o.website_url, o.status, o.requests_per_minute, o.created_at,
       o.updated_at, o.time_zone, o.retention_days
FROM organizations AS o
WHERE o.id = :organization;

-- name: move_in_organization :system
-- in: id uuid, slug text, organization_name text, location text, website_url text, requests_per_minute int,
--     created_at time, updated_at time, time_zone text, retention_days int, moving_by uuid, moving_at time
INSERT INTO organizations (id, slug, organization_name, location, website_url, status, requests_per_minute, created_at,
                           updated_at, time_zone, retention_days, moving, moving_by, moving_at)
VALUES (:id, :slug, :organization_name, :location, :website_url, 'suspended', :requests_per_minute, :created_at,
        :updated_at, :time_zone, :retention_days, 'in', :moving_by, :moving_at);

-- It is all there: everybody may see it, unless another process removes it, having taken it for one that had ended.
-- name: moving_arrive :tenant
-- in: status text, moving_by uuid
UPDATE organizations SET status = :status, moving = NULL, moving_by = NULL, moving_at = NULL
WHERE id = :organization AND moving_by = :moving_by;

-- From here on it only goes.
-- name: moving_leave :tenant
-- in: moving_by uuid, moving_at time
UPDATE organizations SET status = 'suspended', moving = 'out', moving_by = :moving_by, moving_at = :moving_at
WHERE id = :organization;

-- By whose move it is still: another process may have taken it for one that had ended.
-- name: moving_step :tenant
-- in: moving_by uuid, moving_at time
UPDATE organizations SET moving_at = :moving_at WHERE id = :organization AND moving_by = :moving_by;

-- name: moving_receipt :tenant
-- out: receipt text
SELECT o.moving_receipt FROM organizations AS o WHERE o.id = :organization;

-- name: moving_note :tenant
-- in: receipt text
UPDATE organizations SET moving_receipt = :receipt WHERE id = :organization;

-- name: leave_organization :tenant
DELETE FROM organizations WHERE id = :organization AND moving = 'out';

-- name: sessions_delete_of_organization :system
-- in: organization_id uuid
DELETE FROM sessions WHERE entered_organization_id = :organization_id;

-- Accounts of its members, and how other providers know them.

-- name: move_out_account :system
-- in:  id uuid
-- out: id uuid, email text, name text, password_hash text, created_at time, updated_at time
SELECT a.id, a.email, a.name, a.password_hash, a.created_at, a.updated_at FROM accounts AS a WHERE a.id = :id;

-- name: move_out_identities :system
-- in:  account_id uuid
-- out: account_id uuid, issuer text, subject text, created_at time
SELECT i.account_id, i.issuer, i.subject, i.created_at FROM identities AS i WHERE i.account_id = :account_id;

-- name: move_in_account :system
-- in: id uuid, email text, name text, password_hash text, created_at time, updated_at time
INSERT INTO accounts (id, email, name, password_hash, created_at, updated_at)
VALUES (:id, :email, :name, :password_hash, :created_at, :updated_at);

-- One that is another account's here stays that.
-- name: move_in_identity :system
-- in: account_id uuid, issuer text, subject text, created_at time
INSERT INTO identities (account_id, issuer, subject, created_at)
VALUES (:account_id, :issuer, :subject, :created_at)
ON CONFLICT (issuer, subject) DO NOTHING;

-- Out.

-- name: move_out_api_keys :tenant :many
-- out: number int, id uuid, name text, hash text, masked text, created_at time, last_used_at time, revoked_at time
SELECT k.number, k.id, k.name, k.hash, k.masked, k.created_at, k.last_used_at, k.revoked_at
FROM api_keys AS k
WHERE k.organization_id = :organization;

-- name: move_out_users :tenant :many
-- out: number int, id uuid, account_id uuid, email text, name text, image text, role text, provider text,
--      provider_id text, created_at time, updated_at time, last_sign_in_at time
SELECT u.number, u.id, u.account_id, u.email, u.name, u.image, u.role, u.provider, u.provider_id, u.created_at, u.updated_at,
       u.last_sign_in_at
FROM users AS u
WHERE u.organization_id = :organization;

-- name: move_out_invitations :tenant :many
-- out: number int, user_id uuid, hash text, created_at time, expires_at time
SELECT i.number, i.user_id, i.hash, i.created_at, i.expires_at
FROM invitations AS i
WHERE i.organization_id = :organization;

-- name: move_out_visitors :tenant :many
-- out: number int, id uuid, email text, name text, source text, metadata json, created_at time, last_active_at time
SELECT v.number, v.id, v.email, v.name, v.source, v.metadata, v.created_at, v.last_active_at
FROM visitors AS v
WHERE v.organization_id = :organization;

-- name: move_out_chats :tenant :many
-- out: number int, id uuid, chat_id text, session_id text, user_id text, visitor_id uuid, location text, user_agent text,
--      status text, metadata json, created_at time, given_lead_score int, given_sentiment text
SELECT c.number, c.id, c.chat_id, c.session_id, c.user_id, c.visitor_id, c.location, c.user_agent, c.status, c.metadata,
       c.created_at, c.given_lead_score, c.given_sentiment
FROM chats AS c
WHERE c.organization_id = :organization;

-- What moves of every chat; last_message is where its conversation is read from.
-- name: move_out_chat_activity :tenant :many
-- out: chat_number int, updated_at time, message_count int, last_message int
SELECT a.chat_number, a.updated_at, a.message_count, a.last_message
FROM chats AS c
JOIN chat_activity AS a ON a.organization_id = :organization AND a.chat_number = c.number
WHERE c.organization_id = :organization;

-- SQLite finds messages by their chats alone: a conversation from its newest message back.
-- name: move_out_conversation :tenant :many
-- in:  last_message int
-- out: number int, chat_number int, previous int, id uuid, role text, content text, metadata json, created_at time,
--      external_id text, idempotency_key text
-- sqlite:
WITH RECURSIVE chain (number) AS (
	SELECT m.number FROM messages AS m WHERE m.organization_id = :organization AND m.number = :last_message
	UNION ALL
	SELECT m.previous FROM chain JOIN messages AS m ON m.number = chain.number AND m.organization_id = :organization
)
SELECT m.number, m.chat_number, m.previous, m.id, m.role, m.content, m.metadata, m.created_at, m.external_id,
       m.idempotency_key
FROM chain
CROSS JOIN messages AS m
WHERE m.number = chain.number AND m.organization_id = :organization;
-- postgres: none

-- PostgreSQL has them by their organization too. Those of a chat that was erased wait to follow it, and do not move.
-- name: move_out_messages :tenant :many
-- out: number int, chat_number int, previous int, id uuid, role text, content text, metadata json, created_at time,
--      external_id text, idempotency_key text
-- sqlite: none
-- postgres:
SELECT m.number, m.chat_number, m.previous, m.id, m.role, m.content, m.metadata, m.created_at, m.external_id,
       m.idempotency_key
FROM messages AS m
WHERE m.organization_id = :organization
  AND EXISTS (SELECT 1 FROM chats AS c WHERE c.organization_id = :organization AND c.number = m.chat_number)
ORDER BY m.number;

-- name: move_out_chat_summaries :tenant :many
-- out: chat_number int, topic_summary text, user_score int, lead_score int, sentiment text, topics json,
--      conversion_signals json, summarized_at time, last_message int
SELECT s.chat_number, s.topic_summary, s.user_score, s.lead_score, s.sentiment, s.topics, s.conversion_signals,
       s.summarized_at, s.last_message
FROM chats AS c
JOIN chat_summaries AS s ON s.organization_id = :organization AND s.chat_number = c.number
WHERE c.organization_id = :organization;

-- name: move_out_article_mentions :tenant :many
-- out: number int, id uuid, article_id text, article_name text, article_slug text, article_type text, chat_id text,
--      mentioned_at time
SELECT m.number, m.id, m.article_id, m.article_name, m.article_slug, m.article_type, m.chat_id, m.mentioned_at
FROM article_mentions AS m
WHERE m.organization_id = :organization;

-- name: move_out_article_views :tenant :many
-- out: number int, id uuid, article_id text, article_slug text, article_name text, article_type text, chat_id text,
--      session_id text, user_id text, visitor_id uuid, viewed_at time
SELECT v.number, v.id, v.article_id, v.article_slug, v.article_name, v.article_type, v.chat_id, v.session_id, v.user_id,
       v.visitor_id, v.viewed_at
FROM article_views AS v
WHERE v.organization_id = :organization;

-- name: move_out_web_mentions :tenant :many
-- out: number int, id uuid, article_url text, article_title text, chat_id text, session_id text, visitor_id uuid,
--      search_query text, metadata json, mentioned_at time, created_at time, clicked_at time
SELECT w.number, w.id, w.article_url, w.article_title, w.chat_id, w.session_id, w.visitor_id, w.search_query, w.metadata,
       w.mentioned_at, w.created_at, w.clicked_at
FROM web_mentions AS w
WHERE w.organization_id = :organization;

-- name: move_out_imported_rows :tenant :many
-- out: source text, source_key text, kept_id uuid
SELECT r.source, r.source_key, r.kept_id
FROM imported_rows AS r
WHERE r.organization_id = :organization
ORDER BY r.source, r.source_key;

-- name: move_out_articles :tenant :many
-- out: article_id text, article_name text, article_slug text, article_type text, seen_at time
SELECT a.article_id, a.article_name, a.article_slug, a.article_type, a.seen_at
FROM articles AS a
WHERE a.organization_id = :organization;

-- name: move_out_web_pages :tenant :many
-- out: number int, article_url text, article_title text, mentions int, clicks int, last_mentioned time
SELECT w.number, w.article_url, w.article_title, w.mentions, w.clicks, w.last_mentioned
FROM web_pages AS w
WHERE w.organization_id = :organization;

-- name: move_out_audit_log :tenant :many
-- out: number int, id uuid, created_at time, actor_kind text, actor_id uuid, actor_email text, action text,
--      target text, detail json, address text
SELECT l.number, l.id, l.created_at, l.actor_kind, l.actor_id, l.actor_email, l.action, l.target, l.detail, l.address
FROM audit_log AS l
WHERE l.organization_id = :organization;

-- Into it, in the order of their numbers.

-- What other rows refer to by number gets it beforehand on PostgreSQL, many at a time, so that nobody waits for it row by row;
-- on SQLite (null) it gets the next one when it is stored.
-- name: chat_numbers :tenant
-- in:  count int
-- out: number int
-- sqlite: none
-- postgres:
SELECT nextval('chats_number_seq') FROM generate_series(1, :count) WHERE :organization IS NOT NULL;

-- name: move_in_api_keys :tenant
-- in: id uuid, name text, hash text, masked text, created_at time, last_used_at time, revoked_at time
INSERT INTO api_keys (organization_id, id, name, hash, masked, created_at, last_used_at, revoked_at)
VALUES (:organization, :id, :name, :hash, :masked, :created_at, :last_used_at, :revoked_at);

-- name: move_in_users :tenant
-- in: id uuid, account_id uuid, email text, name text, image text, role text, provider text, provider_id text,
--     created_at time, updated_at time, last_sign_in_at time
INSERT INTO users (organization_id, id, account_id, email, name, image, role, provider, provider_id, created_at, updated_at,
                   last_sign_in_at)
VALUES (:organization, :id, :account_id, :email, :name, :image, :role, :provider, :provider_id, :created_at, :updated_at,
        :last_sign_in_at);

-- name: move_in_invitations :tenant
-- in: user_id uuid, hash text, created_at time, expires_at time
INSERT INTO invitations (organization_id, user_id, hash, created_at, expires_at)
VALUES (:organization, :user_id, :hash, :created_at, :expires_at);

-- name: move_in_visitors :tenant
-- in: id uuid, email text, name text, source text, metadata json, created_at time, last_active_at time
INSERT INTO visitors (organization_id, id, email, name, source, metadata, created_at, last_active_at)
VALUES (:organization, :id, :email, :name, :source, :metadata, :created_at, :last_active_at);

-- name: move_in_chats :tenant
-- in: number int, id uuid, chat_id text, session_id text, user_id text, visitor_id uuid, location text, user_agent text,
--     status text, metadata json, created_at time, given_lead_score int, given_sentiment text
INSERT INTO chats (organization_id, number, id, chat_id, session_id, user_id, visitor_id, location, user_agent, status,
                   metadata, created_at, given_lead_score, given_sentiment)
VALUES (:organization, :number, :id, :chat_id, :session_id, :user_id, :visitor_id, :location, :user_agent, :status,
        :metadata, :created_at, :given_lead_score, :given_sentiment);

-- name: move_in_messages :tenant
-- in: number int, chat_number int, previous int, id uuid, role text, content text, metadata json, created_at time,
--     external_id text, idempotency_key text
INSERT INTO messages (organization_id, number, chat_number, previous, id, role, content, metadata, created_at, external_id,
                      idempotency_key)
VALUES (:organization, :number, :chat_number, :previous, :id, :role, :content, :metadata, :created_at, :external_id,
        :idempotency_key);

-- name: move_in_chat_summaries :tenant
-- in: chat_number int, topic_summary text, user_score int, lead_score int, sentiment text, topics json,
--     conversion_signals json, summarized_at time, last_message int
INSERT INTO chat_summaries (organization_id, chat_number, topic_summary, user_score, lead_score, sentiment, topics,
                            conversion_signals, summarized_at, last_message)
VALUES (:organization, :chat_number, :topic_summary, :user_score, :lead_score, :sentiment, :topics, :conversion_signals,
        :summarized_at, :last_message);

-- name: move_in_article_mentions :tenant
-- in: id uuid, article_id text, article_name text, article_slug text, article_type text, chat_id text,
--     mentioned_at time
INSERT INTO article_mentions (organization_id, id, article_id, article_name, article_slug, article_type, chat_id,
                              mentioned_at)
VALUES (:organization, :id, :article_id, :article_name, :article_slug, :article_type, :chat_id, :mentioned_at);

-- name: move_in_article_views :tenant
-- in: id uuid, article_id text, article_slug text, article_name text, article_type text, chat_id text,
--     session_id text, user_id text, visitor_id uuid, viewed_at time
INSERT INTO article_views (organization_id, id, article_id, article_slug, article_name, article_type, chat_id, session_id,
                           user_id, visitor_id, viewed_at)
VALUES (:organization, :id, :article_id, :article_slug, :article_name, :article_type, :chat_id, :session_id, :user_id,
        :visitor_id, :viewed_at);

-- name: move_in_web_mentions :tenant
-- in: id uuid, article_url text, article_title text, chat_id text, session_id text, visitor_id uuid,
--     search_query text, metadata json, mentioned_at time, created_at time, clicked_at time
INSERT INTO web_mentions (organization_id, id, article_url, article_title, chat_id, session_id, visitor_id, search_query,
                          metadata, mentioned_at, created_at, clicked_at)
VALUES (:organization, :id, :article_url, :article_title, :chat_id, :session_id, :visitor_id, :search_query, :metadata,
        :mentioned_at, :created_at, :clicked_at);

-- name: move_in_imported_rows :tenant
-- in: source text, source_key text, kept_id uuid
INSERT INTO imported_rows (organization_id, source, source_key, kept_id)
VALUES (:organization, :source, :source_key, :kept_id);

-- name: move_in_articles :tenant
-- in: article_id text, article_name text, article_slug text, article_type text, seen_at time
INSERT INTO articles (organization_id, article_id, article_name, article_slug, article_type, seen_at)
VALUES (:organization, :article_id, :article_name, :article_slug, :article_type, :seen_at);

-- name: move_in_web_pages :tenant
-- in: article_url text, article_title text, mentions int, clicks int, last_mentioned time
INSERT INTO web_pages (organization_id, article_url, article_title, mentions, clicks, last_mentioned)
VALUES (:organization, :article_url, :article_title, :mentions, :clicks, :last_mentioned);

-- name: move_in_audit_log :tenant
-- in: id uuid, created_at time, actor_kind text, actor_id uuid, actor_email text, action text, target text,
--     detail json, address text
INSERT INTO audit_log (organization_id, id, created_at, actor_kind, actor_id, actor_email, action, target, detail, address)
VALUES (:organization, :id, :created_at, :actor_kind, :actor_id, :actor_email, :action, :target, :detail, :address);

-- Of a chat whose messages are there: chat_activity_create made the row.
-- name: move_in_chat_activity :tenant
-- in: chat_number int, updated_at time, message_count int, last_message int
UPDATE chat_activity SET updated_at = :updated_at, message_count = :message_count, last_message = :last_message
WHERE organization_id = :organization AND chat_number = :chat_number;

-- Where a conversation begins, backwards: as long as a chat is there, all its messages are found from it.
-- name: move_chat_head :tenant
-- in: chat_number int, last_message int
UPDATE chat_activity SET last_message = :last_message WHERE organization_id = :organization AND chat_number = :chat_number;

-- Gone. What to remove next of a table that moves, move_out_… tells as well; of the others leave_find_… does. A row is removed by
-- the columns that identify it, which those give first.

-- name: leave_find_chats :tenant
-- in:  limit int
-- out: number int, last_message int, summary_of int, topic_summary text
SELECT c.number, a.last_message, s.chat_number, s.topic_summary
FROM chats AS c
JOIN chat_activity AS a ON a.organization_id = :organization AND a.chat_number = c.number
LEFT JOIN chat_summaries AS s ON s.organization_id = :organization AND s.chat_number = c.number
WHERE c.organization_id = :organization
LIMIT :limit;

-- Of chats that were erased before.
-- name: leave_find_erasure :tenant
-- out: number int, chat_number int, next_message int
SELECT e.number, e.chat_number, e.next_message FROM erasures AS e WHERE e.organization_id = :organization LIMIT 1;

-- PostgreSQL finds messages by their organization: those behind the ones that are gone, which an index names until it is tidied.
-- Null: there are none.
-- name: leave_find_messages :tenant
-- in:  after int, limit int
-- out: until int
-- sqlite: none
-- postgres:
SELECT max(next.number)
FROM (SELECT m.number
      FROM messages AS m
      WHERE m.organization_id = :organization AND m.number > :after
      ORDER BY m.number
      LIMIT :limit) AS next;

-- name: leave_messages :tenant
-- in: after int, until int
-- sqlite: none
-- postgres:
DELETE FROM messages WHERE organization_id = :organization AND number > :after AND number <= :until;

-- name: leave_article_mentions :tenant
-- in: number int
DELETE FROM article_mentions WHERE organization_id = :organization AND number = :number;

-- name: leave_article_views :tenant
-- in: number int
DELETE FROM article_views WHERE organization_id = :organization AND number = :number;

-- name: leave_web_mentions :tenant
-- in: number int
DELETE FROM web_mentions WHERE organization_id = :organization AND number = :number;

-- name: leave_visitors :tenant
-- in: number int
DELETE FROM visitors WHERE organization_id = :organization AND number = :number;

-- name: leave_users :tenant
-- in: number int
DELETE FROM users WHERE organization_id = :organization AND number = :number;

-- name: leave_api_keys :tenant
-- in: number int
DELETE FROM api_keys WHERE organization_id = :organization AND number = :number;

-- name: leave_audit_log :tenant
-- in: number int
DELETE FROM audit_log WHERE organization_id = :organization AND number = :number;

-- name: leave_web_pages :tenant
-- in: number int
DELETE FROM web_pages WHERE organization_id = :organization AND number = :number;

-- name: leave_invitations :tenant
-- in: number int
DELETE FROM invitations WHERE organization_id = :organization AND number = :number;

-- name: leave_imported_rows :tenant
-- in: source text, source_key text
DELETE FROM imported_rows
WHERE organization_id = :organization AND source = :source AND source_key = :source_key;

-- name: leave_articles :tenant
-- in: article_id text
DELETE FROM articles WHERE organization_id = :organization AND article_id = :article_id;

-- name: leave_find_rollup_counts :tenant :many
-- out: edition int, metric int, span int, start int, label text
SELECT t.edition, t.metric, t.span, t.start, t.label
FROM rollup_counts AS t
WHERE t.organization_id = :organization;

-- name: leave_rollup_counts :tenant
-- in: edition int, metric int, span int, start int, label text
DELETE FROM rollup_counts
WHERE organization_id = :organization AND edition = :edition AND metric = :metric AND span = :span AND start = :start
  AND label = :label;

-- name: leave_find_rollup_members :tenant :many
-- out: edition int, metric int, member text, day int
SELECT t.edition, t.metric, t.member, t.day
FROM rollup_members AS t
WHERE t.organization_id = :organization;

-- name: leave_rollup_members :tenant
-- in: edition int, metric int, member text, day int
DELETE FROM rollup_members
WHERE organization_id = :organization AND edition = :edition AND metric = :metric AND member = :member AND day = :day;

-- name: leave_find_rollup_gaps :tenant :many
-- out: edition int, metric int, span int, start int, before int
SELECT t.edition, t.metric, t.span, t.start, t.before
FROM rollup_gaps AS t
WHERE t.organization_id = :organization;

-- name: leave_rollup_gaps :tenant
-- in: edition int, metric int, span int, start int, before int
DELETE FROM rollup_gaps
WHERE organization_id = :organization AND edition = :edition AND metric = :metric AND span = :span AND start = :start
  AND before = :before;

-- name: leave_find_rollup_states :tenant :many
-- out: newest_edition int
SELECT t.newest_edition FROM rollup_states AS t WHERE t.organization_id = :organization;

-- name: leave_rollup_states :tenant
-- in: newest_edition int
DELETE FROM rollup_states WHERE organization_id = :organization AND newest_edition = :newest_edition;

-- name: leave_find_search :tenant :many
-- out: document int
-- sqlite: none
-- postgres:
SELECT t.document FROM search AS t WHERE t.organization_id = :organization;

-- name: leave_search :tenant
-- in: document int
-- sqlite: none
-- postgres:
DELETE FROM search WHERE organization_id = :organization AND document = :document;

-- name: leave_find_search_progress :tenant :many
-- out: newest_message int
-- sqlite: none
-- postgres:
SELECT t.newest_message FROM search_progress AS t WHERE t.organization_id = :organization;

-- name: leave_search_progress :tenant
-- in: newest_message int
-- sqlite: none
-- postgres:
DELETE FROM search_progress WHERE organization_id = :organization AND newest_message = :newest_message;
