-- Chats and messages as lists show them: newest first, from before a time and a number on. A list's first two columns are
-- where the next page begins; what else stands before `id` is for its handler. Where many rows in a row may be none that are
-- asked for, they are given out too, as not shown: so a page can end among them. See src/api/list.h.

-- name: chat_page :tenant
-- in:  before_time time, before_number int, limit int, from_time time, status text, min_lead_score int, sentiment text
-- out: sort_time time, sort_number int, shown bool, topic_summary text, user_score int, lead_score int, sentiment text,
--      topics json, conversion_signals json, summarized_at time,
--      id uuid, chat_id text, session_id text, user_id text, visitor_id uuid, location text, user_agent text, status text,
--      metadata json, created_at time, updated_at time, message_count int, organization_id uuid
SELECT c.created_at, c.number,
       ((:status IS NULL OR c.status = :status)
        AND (:min_lead_score IS NULL OR coalesce(s.lead_score, c.given_lead_score) >= :min_lead_score)
        AND (:sentiment IS NULL OR coalesce(s.sentiment, c.given_sentiment) = :sentiment)) IS TRUE,
       s.topic_summary, s.user_score, s.lead_score, s.sentiment, s.topics, s.conversion_signals,
       s.summarized_at, c.id, c.chat_id, c.session_id, c.user_id, c.visitor_id, c.location, c.user_agent, c.status,
       c.metadata, c.created_at, a.updated_at, a.message_count, c.organization_id
FROM chats AS c
JOIN chat_activity AS a ON a.chat_number = c.number AND a.organization_id = :organization
LEFT JOIN chat_summaries AS s ON s.chat_number = c.number AND s.organization_id = :organization
WHERE c.organization_id = :organization AND c.created_at >= :from_time
  AND (c.created_at, c.number) < (:before_time, :before_number)
ORDER BY c.created_at DESC, c.number DESC
LIMIT :limit;

-- name: chat_page_of_visitor :tenant
-- in:  before_time time, before_number int, limit int, from_time time, status text, min_lead_score int, sentiment text,
--      visitor_id uuid
-- out: sort_time time, sort_number int, shown bool, topic_summary text, user_score int, lead_score int, sentiment text,
--      topics json, conversion_signals json, summarized_at time,
--      id uuid, chat_id text, session_id text, user_id text, visitor_id uuid, location text, user_agent text, status text,
--      metadata json, created_at time, updated_at time, message_count int, organization_id uuid
SELECT c.created_at, c.number,
       ((:status IS NULL OR c.status = :status)
        AND (:min_lead_score IS NULL OR coalesce(s.lead_score, c.given_lead_score) >= :min_lead_score)
        AND (:sentiment IS NULL OR coalesce(s.sentiment, c.given_sentiment) = :sentiment)) IS TRUE,
       s.topic_summary, s.user_score, s.lead_score, s.sentiment, s.topics, s.conversion_signals,
       s.summarized_at, c.id, c.chat_id, c.session_id, c.user_id, c.visitor_id, c.location, c.user_agent, c.status,
       c.metadata, c.created_at, a.updated_at, a.message_count, c.organization_id
FROM chats AS c
JOIN chat_activity AS a ON a.chat_number = c.number AND a.organization_id = :organization
LEFT JOIN chat_summaries AS s ON s.chat_number = c.number AND s.organization_id = :organization
WHERE c.organization_id = :organization AND c.visitor_id = :visitor_id AND c.created_at >= :from_time
  AND (c.created_at, c.number) < (:before_time, :before_number)
ORDER BY c.created_at DESC, c.number DESC
LIMIT :limit;

-- A visitor's chats in short, as their page in the dashboard shows them.
-- name: visitor_chat_page :tenant
-- in:  before_time time, before_number int, limit int, visitor_id uuid
-- out: sort_time time, sort_number int, metadata json,
--      id uuid, chat_id text, created_at time, topic_summary text, leadScore int, sentiment text, message_count int
SELECT c.created_at, c.number, c.metadata, c.id, c.chat_id, c.created_at, s.topic_summary, s.lead_score, s.sentiment,
       a.message_count
FROM chats AS c
JOIN chat_activity AS a ON a.chat_number = c.number AND a.organization_id = :organization
LEFT JOIN chat_summaries AS s ON s.chat_number = c.number AND s.organization_id = :organization
WHERE c.organization_id = :organization AND c.visitor_id = :visitor_id
  AND (c.created_at, c.number) < (:before_time, :before_number)
ORDER BY c.created_at DESC, c.number DESC
LIMIT :limit;

-- The same of a user; what chats have there is the id's text.
-- name: user_chat_page :tenant
-- in:  before_time time, before_number int, limit int, user_id text
-- out: sort_time time, sort_number int, metadata json,
--      id uuid, chat_id text, created_at time, topic_summary text, leadScore int, sentiment text, message_count int
SELECT c.created_at, c.number, c.metadata, c.id, c.chat_id, c.created_at, s.topic_summary, s.lead_score, s.sentiment,
       a.message_count
FROM chats AS c
JOIN chat_activity AS a ON a.chat_number = c.number AND a.organization_id = :organization
LEFT JOIN chat_summaries AS s ON s.chat_number = c.number AND s.organization_id = :organization
WHERE c.organization_id = :organization AND c.user_id = :user_id
  AND (c.created_at, c.number) < (:before_time, :before_number)
ORDER BY c.created_at DESC, c.number DESC
LIMIT :limit;

-- Back along the chain, from before a message, or from the newest one of the chat if that is the greatest number there is.
-- The order is the chain's, whatever times the concierge gave: SQLite's recursion is a queue, and CROSS JOIN keeps it the
-- outer loop. Sorting by the step would read every content before the first is given out, where a page may end early.
-- name: message_page :tenant
-- in:  before_number int, limit int, chat_number int
-- out: sort_time time, sort_number int, id uuid, chat_id text, role text, content text, metadata json, created_at time
-- sqlite:
WITH RECURSIVE chain (number, step) AS (
	SELECT a.last_message, 1
	FROM chat_activity AS a
	WHERE a.organization_id = :organization AND a.chat_number = :chat_number AND :before_number = 9223372036854775807
	UNION ALL
	SELECT m.previous, 1
	FROM messages AS m
	WHERE m.organization_id = :organization AND m.number = :before_number AND m.chat_number = :chat_number
	UNION ALL
	SELECT m.previous, chain.step + 1
	FROM chain
	JOIN messages AS m ON m.number = chain.number AND m.organization_id = :organization
	WHERE chain.step < :limit
)
SELECT m.created_at, m.number, m.id, c.chat_id, m.role, m.content, m.metadata, m.created_at
FROM chain
CROSS JOIN messages AS m
JOIN chats AS c ON c.number = m.chat_number AND c.organization_id = :organization
WHERE m.number = chain.number AND m.organization_id = :organization;
-- postgres:
WITH RECURSIVE chain (number, step) AS (
	SELECT a.last_message, 1
	FROM chat_activity AS a
	WHERE a.organization_id = :organization AND a.chat_number = :chat_number AND :before_number = 9223372036854775807
	UNION ALL
	SELECT m.previous, 1
	FROM messages AS m
	WHERE m.organization_id = :organization AND m.number = :before_number AND m.chat_number = :chat_number
	UNION ALL
	SELECT m.previous, chain.step + 1
	FROM chain
	JOIN messages AS m ON m.number = chain.number AND m.organization_id = :organization
	WHERE chain.step < :limit
)
SELECT m.created_at, m.number, m.id, c.chat_id, m.role, m.content, m.metadata, m.created_at
FROM chain
JOIN messages AS m ON m.number = chain.number AND m.organization_id = :organization
JOIN chats AS c ON c.number = m.chat_number AND c.organization_id = :organization
ORDER BY chain.step;
