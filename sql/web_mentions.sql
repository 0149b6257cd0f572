-- Web-search results shown, and clicked.

-- name: web_mention_create :tenant
-- in:  id uuid, article_url text, article_title text, chat_id text, session_id text, visitor_id uuid, search_query text,
--      metadata json, mentioned_at time, created_at time
-- out: id uuid, article_url text, article_title text, chat_id text, session_id text, visitor_id uuid, search_query text,
--      mentioned_at time, created_at time, clicked_at time, organization_id uuid, metadata json
INSERT INTO web_mentions (organization_id, id, article_url, article_title, chat_id, session_id, visitor_id, search_query,
                          metadata, mentioned_at, created_at)
VALUES (:organization, :id, :article_url, :article_title, :chat_id, :session_id, :visitor_id, :search_query, :metadata,
        :mentioned_at, :created_at)
RETURNING id, article_url, article_title, chat_id, session_id, visitor_id, search_query, mentioned_at, created_at,
          clicked_at, organization_id, metadata;

-- PostgreSQL finds an address by its hash (sql/schema/0002_foundation.postgres.sql).
-- name: web_mention_newest_of_chat :tenant
-- in:  article_url text, chat_id text
-- out: number int, clicked_at time
-- sqlite:
SELECT w.number, w.clicked_at
FROM web_mentions AS w
WHERE w.organization_id = :organization AND w.chat_id = :chat_id AND w.article_url = :article_url
ORDER BY w.number DESC
LIMIT 1;
-- postgres:
SELECT w.number, w.clicked_at
FROM web_mentions AS w
WHERE w.organization_id = :organization AND w.chat_id = :chat_id
  AND w.page_hash = sha256(convert_to(:article_url, 'UTF8'))
ORDER BY w.number DESC
LIMIT 1;

-- name: web_mention_newest_of_session :tenant
-- in:  article_url text, session_id text
-- out: number int, clicked_at time
-- sqlite:
SELECT w.number, w.clicked_at
FROM web_mentions AS w
WHERE w.organization_id = :organization AND w.session_id = :session_id AND w.article_url = :article_url
ORDER BY w.number DESC
LIMIT 1;
-- postgres:
SELECT w.number, w.clicked_at
FROM web_mentions AS w
WHERE w.organization_id = :organization AND w.session_id = :session_id
  AND w.page_hash = sha256(convert_to(:article_url, 'UTF8'))
ORDER BY w.number DESC
LIMIT 1;

-- name: web_mention_click :tenant
-- in:  number int, clicked_at time
-- out: id uuid, article_url text, article_title text, chat_id text, session_id text, visitor_id uuid, search_query text,
--      mentioned_at time, created_at time, clicked_at time, organization_id uuid, metadata json
UPDATE web_mentions SET clicked_at = coalesce(clicked_at, :clicked_at)
WHERE organization_id = :organization AND number = :number
RETURNING id, article_url, article_title, chat_id, session_id, visitor_id, search_query, mentioned_at, created_at,
          clicked_at, organization_id, metadata;
