-- What is erased, with everything that hangs on it: chats, visitors, and what is older than an organization keeps.
-- Rows are read first, since the figures must know what goes, and deleted by their numbers.

-- name: erase_chat :tenant
-- in:  number int
-- out: chat_id text, last_message int, message_count int, summary_of int, topic_summary text
SELECT c.chat_id, a.last_message, a.message_count, s.chat_number, s.topic_summary
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

-- name: erase_chats_of_visitor :tenant
-- in:  visitor_id uuid, limit int
-- out: number int
SELECT c.number FROM chats AS c WHERE c.organization_id = :organization AND c.visitor_id = :visitor_id LIMIT :limit;

-- Oldest first, behind the last one that was looked at: a chat that still lives is looked at once.
-- name: erase_chats_older :tenant
-- in:  before time, after_time time, after_number int, limit int
-- out: number int, created_at time
SELECT c.number, c.created_at
FROM chats AS c
JOIN chat_activity AS a ON a.organization_id = :organization AND a.chat_number = c.number
WHERE c.organization_id = :organization AND c.created_at < :before AND a.updated_at < :before
  AND (c.created_at, c.number) > (:after_time, :after_number)
ORDER BY c.created_at, c.number
LIMIT :limit;

-- name: erase_mentions_of_chat :tenant
-- in:  chat_id text, limit int
-- out: number int, at time, article_id text, article_name text, article_slug text, article_type text
SELECT m.number, m.mentioned_at, m.article_id, m.article_name, m.article_slug, m.article_type
FROM article_mentions AS m
WHERE m.organization_id = :organization AND m.chat_id = :chat_id
LIMIT :limit;

-- name: erase_mentions_older :tenant
-- in:  before time, limit int
-- out: number int, at time, article_id text, article_name text, article_slug text, article_type text
SELECT m.number, m.mentioned_at, m.article_id, m.article_name, m.article_slug, m.article_type
FROM article_mentions AS m
WHERE m.organization_id = :organization AND m.mentioned_at < :before
LIMIT :limit;

-- name: erase_mention_row :tenant
-- in: number int
DELETE FROM article_mentions WHERE organization_id = :organization AND number = :number;

-- name: erase_views_of_chat :tenant
-- in:  chat_id text, limit int
-- out: number int, at time, article_id text, article_name text, article_slug text, article_type text, session_id text
SELECT v.number, v.viewed_at, v.article_id, v.article_name, v.article_slug, v.article_type, v.session_id
FROM article_views AS v
WHERE v.organization_id = :organization AND v.chat_id = :chat_id
LIMIT :limit;

-- name: erase_views_of_visitor :tenant
-- in:  visitor_id uuid, limit int
-- out: number int, at time, article_id text, article_name text, article_slug text, article_type text, session_id text
SELECT v.number, v.viewed_at, v.article_id, v.article_name, v.article_slug, v.article_type, v.session_id
FROM article_views AS v
WHERE v.organization_id = :organization AND v.visitor_id = :visitor_id
LIMIT :limit;

-- name: erase_views_older :tenant
-- in:  before time, limit int
-- out: number int, at time, article_id text, article_name text, article_slug text, article_type text, session_id text
SELECT v.number, v.viewed_at, v.article_id, v.article_name, v.article_slug, v.article_type, v.session_id
FROM article_views AS v
WHERE v.organization_id = :organization AND v.viewed_at < :before
LIMIT :limit;

-- name: erase_view_row :tenant
-- in: number int
DELETE FROM article_views WHERE organization_id = :organization AND number = :number;

-- name: erase_web_mentions_of_chat :tenant
-- in:  chat_id text, limit int
-- out: number int, mentioned_at time, clicked_at time, article_url text, article_title text, chat_id text, session_id text
SELECT w.number, w.mentioned_at, w.clicked_at, w.article_url, w.article_title, w.chat_id, w.session_id
FROM web_mentions AS w
WHERE w.organization_id = :organization AND w.chat_id = :chat_id
LIMIT :limit;

-- name: erase_web_mentions_of_visitor :tenant
-- in:  visitor_id uuid, limit int
-- out: number int, mentioned_at time, clicked_at time, article_url text, article_title text, chat_id text, session_id text
SELECT w.number, w.mentioned_at, w.clicked_at, w.article_url, w.article_title, w.chat_id, w.session_id
FROM web_mentions AS w
WHERE w.organization_id = :organization AND w.visitor_id = :visitor_id
LIMIT :limit;

-- name: erase_web_mentions_older :tenant
-- in:  before time, limit int
-- out: number int, mentioned_at time, clicked_at time, article_url text, article_title text, chat_id text, session_id text
SELECT w.number, w.mentioned_at, w.clicked_at, w.article_url, w.article_title, w.chat_id, w.session_id
FROM web_mentions AS w
WHERE w.organization_id = :organization AND w.mentioned_at < :before
LIMIT :limit;

-- name: erase_web_mention_row :tenant
-- in: number int
DELETE FROM web_mentions WHERE organization_id = :organization AND number = :number;

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
-- in: chat_number int, next_message int
INSERT INTO erasures (organization_id, chat_number, next_message) VALUES (:organization, :chat_number, :next_message);

-- name: erasure_first :system
-- out: number int, organization_id uuid, chat_number int, next_message int
SELECT e.number, e.organization_id, e.chat_number, e.next_message FROM erasures AS e ORDER BY e.number LIMIT 1;

-- name: erasure_count :system
-- out: count int
SELECT count(*) FROM erasures AS e;

-- name: erasure_move :tenant
-- in: number int, next_message int
UPDATE erasures SET next_message = :next_message WHERE organization_id = :organization AND number = :number;

-- name: erasure_finish :tenant
-- in: number int
DELETE FROM erasures WHERE organization_id = :organization AND number = :number;

-- name: erasure_message :tenant
-- in:  number int, chat_number int
-- out: previous int, content text
SELECT m.previous, m.content
FROM messages AS m
WHERE m.organization_id = :organization AND m.number = :number AND m.chat_number = :chat_number;

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
