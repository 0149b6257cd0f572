-- Everything that is known of a person, for that person: the rows that the statements of erase.sql find.

-- name: export_visitor :tenant
-- in:  id uuid
-- out: id uuid, email text, name text, source text, metadata json, created_at time, last_active_at time
SELECT v.id, v.email, v.name, v.source, v.metadata, v.created_at, v.last_active_at
FROM visitors AS v
WHERE v.organization_id = :organization AND v.id = :id;

-- The contact of the same e-mail.
-- name: export_contact :tenant
-- in:  id uuid
-- out: id uuid, email text, name text, source text, created_at time
SELECT u.id, u.email, u.name, u.provider, u.created_at
FROM users AS u
WHERE u.organization_id = :organization AND u.id = :id;

-- name: export_chat :tenant
-- in:  number int
-- out: last_message int, id uuid, chat_id text, session_id text, user_id text, location text, user_agent text,
--      status text, metadata json, created_at time, updated_at time, message_count int, topic_summary text, user_score int,
--      lead_score int, sentiment text, topics json, conversion_signals json, summarized_at time
SELECT a.last_message, c.id, c.chat_id, c.session_id, c.user_id, c.location, c.user_agent, c.status, c.metadata,
       c.created_at, a.updated_at, a.message_count, s.topic_summary, s.user_score, s.lead_score, s.sentiment, s.topics,
       s.conversion_signals, s.summarized_at
FROM chats AS c
JOIN chat_activity AS a ON a.organization_id = :organization AND a.chat_number = c.number
LEFT JOIN chat_summaries AS s ON s.organization_id = :organization AND s.chat_number = c.number
WHERE c.organization_id = :organization AND c.number = :number;

-- name: export_message :tenant
-- in:  number int
-- out: id uuid, message_id text, role text, content text, metadata json, created_at time
SELECT m.id, m.external_id, m.role, m.content, m.metadata, m.created_at
FROM messages AS m
WHERE m.organization_id = :organization AND m.number = :number;

-- name: export_mention :tenant
-- in:  number int
-- out: id uuid, article_id text, article_name text, article_slug text, article_type text, mentioned_at time
SELECT m.id, m.article_id, m.article_name, m.article_slug, m.article_type, m.mentioned_at
FROM article_mentions AS m
WHERE m.organization_id = :organization AND m.number = :number;

-- Nothing if it is linked to the visitor, whose list it stands in (null: it is given out).
-- name: export_view :tenant
-- in:  number int, visitor_id uuid
-- out: id uuid, article_id text, article_name text, article_slug text, article_type text, chat_id text, session_id text,
--      viewed_at time
SELECT v.id, v.article_id, v.article_name, v.article_slug, v.article_type, v.chat_id, v.session_id, v.viewed_at
FROM article_views AS v
WHERE v.organization_id = :organization AND v.number = :number
  AND (:visitor_id IS NULL OR v.visitor_id IS NULL OR v.visitor_id <> :visitor_id);

-- name: export_web_mention :tenant
-- in:  number int, visitor_id uuid
-- out: id uuid, article_url text, article_title text, chat_id text, session_id text, search_query text, metadata json,
--      mentioned_at time, clicked_at time
SELECT w.id, w.article_url, w.article_title, w.chat_id, w.session_id, w.search_query, w.metadata, w.mentioned_at, w.clicked_at
FROM web_mentions AS w
WHERE w.organization_id = :organization AND w.number = :number
  AND (:visitor_id IS NULL OR w.visitor_id IS NULL OR w.visitor_id <> :visitor_id);
