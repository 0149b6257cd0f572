-- What is erased, with everything that hangs on it: chats, visitors, and what is older than an organization keeps.
-- What hangs on what is said by the statements that find numbers; an export gives out the rows of the same statements.
-- A row is deleted by its number and given back, since the figures must know what goes.

-- name: erase_chat :tenant
-- in:  number int
-- out: chat_id text, session_id text, last_message int, message_count int, summary_of int, topic_summary text
SELECT c.chat_id, c.session_id, a.last_message, a.message_count, s.chat_number, s.topic_summary
FROM chats AS c
JOIN chat_activity AS a ON a.organization_id = :organization AND a.chat_number = c.number
LEFT JOIN chat_summaries AS s ON s.organization_id = :organization AND s.chat_number = c.number
WHERE c.organization_id = :organization AND c.number = :number;

-- name: erase_chat_row :tenant
-- in: number int
DELETE FROM chats WHERE organization_id = :organization AND number = :number;

-- name: erase_chat_activity :tenant
-- in: chat_number int
DELETE FROM chat_activity WHERE organization_id = :organization AND chat_number = :chat_number;

-- name: erase_chat_summary :tenant
-- in: chat_number int
DELETE FROM chat_summaries WHERE organization_id = :organization AND chat_number = :chat_number;

-- The sessions of a person: those of what is linked to the visitor, and to the contact of the same e-mail (user_id; null: there
-- is none) as long as it is no other visitor's.
-- name: person_sessions :tenant
-- in:  visitor_id uuid, user_id text
-- out: session_id text
SELECT c.session_id FROM chats AS c WHERE c.organization_id = :organization AND c.visitor_id = :visitor_id
UNION
SELECT v.session_id
FROM article_views AS v
WHERE v.organization_id = :organization AND v.visitor_id = :visitor_id AND v.session_id IS NOT NULL
UNION
SELECT w.session_id FROM web_mentions AS w WHERE w.organization_id = :organization AND w.visitor_id = :visitor_id
UNION
SELECT c.session_id
FROM chats AS c
WHERE c.organization_id = :organization AND c.user_id = :user_id AND c.visitor_id IS NULL
UNION
SELECT v.session_id
FROM article_views AS v
WHERE v.organization_id = :organization AND v.user_id = :user_id AND v.visitor_id IS NULL AND v.session_id IS NOT NULL;

-- name: chats_of_visitor :tenant
-- in:  visitor_id uuid, limit int
-- out: number int
SELECT c.number FROM chats AS c WHERE c.organization_id = :organization AND c.visitor_id = :visitor_id LIMIT :limit;

-- Of a session, what is no visitor's: whoever the session belongs to, it is theirs, as it would be if they were identified now.
-- name: chats_of_session :tenant
-- in:  session_id text, limit int
-- out: number int
SELECT c.number
FROM chats AS c
WHERE c.organization_id = :organization AND c.session_id = :session_id AND c.visitor_id IS NULL
LIMIT :limit;

-- name: erase_other_chat_of_session :tenant
-- in:  session_id text, number int
-- out: number int
SELECT c.number
FROM chats AS c
WHERE c.organization_id = :organization AND c.session_id = :session_id AND c.number <> :number
LIMIT 1;

-- Oldest first, behind the last one that was looked at: a chat that still lives is looked at once.
-- name: chats_older :tenant
-- in:  before time, after_time time, after_number int, limit int
-- out: number int, created_at time
SELECT c.number, c.created_at
FROM chats AS c
JOIN chat_activity AS a ON a.organization_id = :organization AND a.chat_number = c.number
WHERE c.organization_id = :organization AND c.created_at < :before AND a.updated_at < :before
  AND (c.created_at, c.number) > (:after_time, :after_number)
ORDER BY c.created_at, c.number
LIMIT :limit;

-- name: mentions_of_chat :tenant
-- in:  chat_id text, limit int
-- out: number int
SELECT m.number FROM article_mentions AS m WHERE m.organization_id = :organization AND m.chat_id = :chat_id LIMIT :limit;

-- name: mentions_older :tenant
-- in:  before time, limit int
-- out: number int
SELECT m.number FROM article_mentions AS m WHERE m.organization_id = :organization AND m.mentioned_at < :before LIMIT :limit;

-- name: erase_mention :tenant
-- in:  number int
-- out: number int, at time, article_id text, article_name text, article_slug text, article_type text
DELETE FROM article_mentions WHERE organization_id = :organization AND number = :number
RETURNING number, mentioned_at, article_id, article_name, article_slug, article_type;

-- name: views_of_chat :tenant
-- in:  chat_id text, limit int
-- out: number int
SELECT v.number FROM article_views AS v WHERE v.organization_id = :organization AND v.chat_id = :chat_id LIMIT :limit;

-- name: views_of_visitor :tenant
-- in:  visitor_id uuid, limit int
-- out: number int
SELECT v.number FROM article_views AS v WHERE v.organization_id = :organization AND v.visitor_id = :visitor_id LIMIT :limit;

-- And what names a chat that is there is that chat's.
-- name: views_of_session :tenant
-- in:  session_id text, limit int
-- out: number int
SELECT v.number
FROM article_views AS v
WHERE v.organization_id = :organization AND v.session_id = :session_id AND v.visitor_id IS NULL
  AND NOT EXISTS (SELECT 1 FROM chats AS c WHERE c.organization_id = :organization AND c.chat_id = v.chat_id)
LIMIT :limit;

-- name: views_older :tenant
-- in:  before time, limit int
-- out: number int
SELECT v.number FROM article_views AS v WHERE v.organization_id = :organization AND v.viewed_at < :before LIMIT :limit;

-- name: erase_view :tenant
-- in:  number int
-- out: number int, at time, article_id text, article_name text, article_slug text, article_type text, session_id text
DELETE FROM article_views WHERE organization_id = :organization AND number = :number
RETURNING number, viewed_at, article_id, article_name, article_slug, article_type, session_id;

-- name: web_mentions_of_chat :tenant
-- in:  chat_id text, limit int
-- out: number int
SELECT w.number FROM web_mentions AS w WHERE w.organization_id = :organization AND w.chat_id = :chat_id LIMIT :limit;

-- name: web_mentions_of_visitor :tenant
-- in:  visitor_id uuid, limit int
-- out: number int
SELECT w.number FROM web_mentions AS w WHERE w.organization_id = :organization AND w.visitor_id = :visitor_id LIMIT :limit;

-- name: web_mentions_of_session :tenant
-- in:  session_id text, limit int
-- out: number int
SELECT w.number
FROM web_mentions AS w
WHERE w.organization_id = :organization AND w.session_id = :session_id AND w.visitor_id IS NULL
  AND NOT EXISTS (SELECT 1 FROM chats AS c WHERE c.organization_id = :organization AND c.chat_id = w.chat_id)
LIMIT :limit;

-- name: web_mentions_older :tenant
-- in:  before time, limit int
-- out: number int
SELECT w.number FROM web_mentions AS w WHERE w.organization_id = :organization AND w.mentioned_at < :before LIMIT :limit;

-- name: erase_web_mention :tenant
-- in:  number int
-- out: number int, mentioned_at time, clicked_at time, article_url text, article_title text, chat_id text, session_id text
DELETE FROM web_mentions WHERE organization_id = :organization AND number = :number
RETURNING number, mentioned_at, clicked_at, article_url, article_title, chat_id, session_id;

-- Visitors on whom nothing hangs any more and who were not seen since.
-- name: erase_visitors_older :tenant
-- in:  before time, after_time time, after_number int, limit int
-- out: id uuid, number int, created_at time
SELECT v.id, v.number, v.created_at
FROM visitors AS v
WHERE v.organization_id = :organization AND v.created_at < :before AND v.last_active_at < :before
  AND (v.created_at, v.number) > (:after_time, :after_number)
  AND NOT EXISTS (SELECT 1 FROM chats AS c WHERE c.organization_id = :organization AND c.visitor_id = v.id)
  AND NOT EXISTS (SELECT 1 FROM article_views AS w WHERE w.organization_id = :organization AND w.visitor_id = v.id)
  AND NOT EXISTS (SELECT 1 FROM web_mentions AS r WHERE r.organization_id = :organization AND r.visitor_id = v.id)
ORDER BY v.created_at, v.number
LIMIT :limit;

-- Messages of a chat that is gone.

-- name: erasure_create :tenant
-- in: chat_number int, next_message int, session_id text, counted_message int, edition int, build_edition int,
--     build_behind int
INSERT INTO erasures (organization_id, chat_number, next_message, session_id, counted_message, edition, build_edition,
                      build_behind)
VALUES (:organization, :chat_number, :next_message, :session_id, :counted_message, :edition, :build_edition,
        :build_behind);

-- One of which something is still counted.
-- name: erasure_counted :tenant
-- out: number int, chat_number int, session_id text, counted_message int, edition int, build_edition int,
--      build_behind int
SELECT e.number, e.chat_number, e.session_id, e.counted_message, e.edition, e.build_edition, e.build_behind
FROM erasures AS e
WHERE e.organization_id = :organization AND e.session_id IS NOT NULL
ORDER BY e.number
LIMIT 1;

-- name: erasure_uncount :tenant
-- in: number int, session_id text, counted_message int
UPDATE erasures SET session_id = :session_id, counted_message = :counted_message
WHERE organization_id = :organization AND number = :number;

-- name: erasure_first :system
-- out: number int, organization_id uuid, chat_number int, next_message int, counted bool
SELECT e.number, e.organization_id, e.chat_number, e.next_message, e.session_id IS NOT NULL
FROM erasures AS e
ORDER BY e.number
LIMIT 1;

-- The first of the next organization, where that of another cannot be done.
-- name: erasure_behind :system
-- in:  after uuid
-- out: number int, organization_id uuid, chat_number int, next_message int, counted bool
SELECT e.number, e.organization_id, e.chat_number, e.next_message, e.session_id IS NOT NULL
FROM erasures AS e
WHERE :after IS NULL OR e.organization_id > :after
ORDER BY e.organization_id, e.number
LIMIT 1;

-- name: erasure_count :system
-- out: count int
SELECT count(*) FROM erasures AS e;

-- name: erasure_move :tenant
-- in: number int, next_message int
UPDATE erasures SET next_message = :next_message WHERE organization_id = :organization AND number = :number;

-- name: erasure_finish :tenant
-- in: number int
DELETE FROM erasures WHERE organization_id = :organization AND number = :number;

-- A piece of a chat's messages from one back, newest first: so many at most, and the one that reaches so many bytes is the last.
-- name: erasure_messages :tenant
-- in:  number int, chat_number int, limit int, bytes int
-- out: number int, previous int, content text
-- sqlite:
WITH RECURSIVE chain (place, bytes, number, previous, content) AS (
	SELECT 1, length(CAST(m.content AS blob)), m.number, m.previous, m.content
	FROM messages AS m
	WHERE m.organization_id = :organization AND m.number = :number AND m.chat_number = :chat_number
	UNION ALL
	SELECT chain.place + 1, chain.bytes + length(CAST(m.content AS blob)), m.number, m.previous, m.content
	FROM chain
	JOIN messages AS m ON m.organization_id = :organization AND m.number = chain.previous AND m.chat_number = :chat_number
	WHERE chain.place < :limit AND chain.bytes < :bytes
)
SELECT number, previous, content FROM chain ORDER BY place;
-- postgres:
WITH RECURSIVE chain (place, bytes, number, previous, content) AS (
	SELECT 1, octet_length(m.content), m.number, m.previous, m.content
	FROM messages AS m
	WHERE m.organization_id = :organization AND m.number = :number AND m.chat_number = :chat_number
	UNION ALL
	SELECT chain.place + 1, chain.bytes + octet_length(m.content), m.number, m.previous, m.content
	FROM chain
	JOIN messages AS m ON m.organization_id = :organization AND m.number = chain.previous AND m.chat_number = :chat_number
	WHERE chain.place < :limit AND chain.bytes < :bytes
)
SELECT number, previous, content FROM chain ORDER BY place;

-- name: erasure_message_row :tenant
-- in: number int
DELETE FROM messages WHERE organization_id = :organization AND number = :number;

-- What would go, counted: the same conditions as above.

-- name: erase_count_chats :tenant
-- in:  before time
-- out: chats int, messages int, summaries int
SELECT count(*), CAST(coalesce(sum(a.message_count), 0) AS bigint), count(s.chat_number)
FROM chats AS c
JOIN chat_activity AS a ON a.organization_id = :organization AND a.chat_number = c.number
LEFT JOIN chat_summaries AS s ON s.organization_id = :organization AND s.chat_number = c.number
WHERE c.organization_id = :organization AND c.created_at < :before AND a.updated_at < :before;

-- name: erase_count_mentions :tenant
-- in:  before time
-- out: count int
SELECT count(*)
FROM article_mentions AS m
LEFT JOIN chats AS c ON c.organization_id = :organization AND c.chat_id = m.chat_id
LEFT JOIN chat_activity AS a ON a.organization_id = :organization AND a.chat_number = c.number
WHERE m.organization_id = :organization
  AND (m.mentioned_at < :before OR (c.created_at < :before AND a.updated_at < :before));

-- name: erase_count_views :tenant
-- in:  before time
-- out: count int
SELECT count(*)
FROM article_views AS v
LEFT JOIN chats AS c ON c.organization_id = :organization AND c.chat_id = v.chat_id
LEFT JOIN chat_activity AS a ON a.organization_id = :organization AND a.chat_number = c.number
WHERE v.organization_id = :organization
  AND (v.viewed_at < :before OR (c.created_at < :before AND a.updated_at < :before));

-- name: erase_count_web_mentions :tenant
-- in:  before time
-- out: count int
SELECT count(*)
FROM web_mentions AS w
LEFT JOIN chats AS c ON c.organization_id = :organization AND c.chat_id = w.chat_id
LEFT JOIN chat_activity AS a ON a.organization_id = :organization AND a.chat_number = c.number
WHERE w.organization_id = :organization
  AND (w.mentioned_at < :before OR (c.created_at < :before AND a.updated_at < :before));

-- name: erase_count_visitors :tenant
-- in:  before time
-- out: count int
SELECT count(*)
FROM visitors AS v
WHERE v.organization_id = :organization AND v.created_at < :before AND v.last_active_at < :before
  AND NOT EXISTS (SELECT 1
                  FROM chats AS c
                  JOIN chat_activity AS a ON a.organization_id = :organization AND a.chat_number = c.number
                  WHERE c.organization_id = :organization AND c.visitor_id = v.id
                    AND (c.created_at >= :before OR a.updated_at >= :before))
  AND NOT EXISTS (SELECT 1
                  FROM article_views AS w
                  LEFT JOIN chats AS c ON c.organization_id = :organization AND c.chat_id = w.chat_id
                  LEFT JOIN chat_activity AS a ON a.organization_id = :organization AND a.chat_number = c.number
                  WHERE w.organization_id = :organization AND w.visitor_id = v.id AND w.viewed_at >= :before
                    AND (c.number IS NULL OR c.created_at >= :before OR a.updated_at >= :before))
  AND NOT EXISTS (SELECT 1
                  FROM web_mentions AS r
                  LEFT JOIN chats AS c ON c.organization_id = :organization AND c.chat_id = r.chat_id
                  LEFT JOIN chat_activity AS a ON a.organization_id = :organization AND a.chat_number = c.number
                  WHERE r.organization_id = :organization AND r.visitor_id = v.id AND r.mentioned_at >= :before
                    AND (c.number IS NULL OR c.created_at >= :before OR a.updated_at >= :before));

-- How many days an organization keeps its data; null: for ever.
-- name: retention_days :tenant
-- out: retention_days int
SELECT o.retention_days FROM organizations AS o WHERE o.id = :organization;
