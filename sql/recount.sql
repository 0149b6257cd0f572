-- What `innkeeper verify` reads: raw rows of one organization, and all that was counted of them, in the order of its keys.

-- name: recount_chats :tenant :many
-- out: number int, created_at time, session_id text, location text, user_agent text, message_count int, last_message int,
--      counted_edition int, counted_day int
SELECT c.number, c.created_at, c.session_id, c.location, c.user_agent, a.message_count, a.last_message,
       a.counted_edition, a.counted_day
FROM chats AS c
LEFT JOIN chat_activity AS a ON a.chat_number = c.number AND a.organization_id = :organization
WHERE c.organization_id = :organization;

-- Chats that were erased and what of them is still counted.
-- name: recount_erasures :tenant :many
-- out: chat_number int, session_id text, counted_message int, edition int, build_edition int, build_behind int
SELECT e.chat_number, e.session_id, e.counted_message, e.edition, e.build_edition, e.build_behind
FROM erasures AS e
WHERE e.organization_id = :organization AND e.session_id IS NOT NULL;

-- name: recount_visitors :tenant :many
-- out: created_at time, metadata json
SELECT v.created_at, v.metadata FROM visitors AS v WHERE v.organization_id = :organization;

-- name: recount_mentions :tenant :many
-- out: article_id text, article_name text, article_slug text, article_type text, mentioned_at time
SELECT m.article_id, m.article_name, m.article_slug, m.article_type, m.mentioned_at
FROM article_mentions AS m
WHERE m.organization_id = :organization;

-- name: recount_views :tenant :many
-- out: article_id text, article_name text, article_slug text, article_type text, session_id text, viewed_at time
SELECT w.article_id, w.article_name, w.article_slug, w.article_type, w.session_id, w.viewed_at
FROM article_views AS w
WHERE w.organization_id = :organization;

-- name: recount_web_mentions :tenant :many
-- out: article_url text, article_title text, chat_id text, session_id text, mentioned_at time, clicked_at time
SELECT w.article_url, w.article_title, w.chat_id, w.session_id, w.mentioned_at, w.clicked_at
FROM web_mentions AS w
WHERE w.organization_id = :organization
ORDER BY w.mentioned_at, w.number;

-- name: recount_stored_counts :tenant :many
-- in:  edition int
-- out: metric int, span int, start int, label text, amount int
SELECT c.metric, c.span, c.start, c.label, c.amount
FROM rollup_counts AS c
WHERE c.organization_id = :organization AND c.edition = :edition
ORDER BY c.metric, c.span, c.start, c.label;

-- name: recount_stored_gaps :tenant :many
-- in:  edition int
-- out: metric int, span int, start int, before int, amount int
SELECT g.metric, g.span, g.start, g.before, g.amount
FROM rollup_gaps AS g
WHERE g.organization_id = :organization AND g.edition = :edition
ORDER BY g.metric, g.span, g.start, g.before;

-- name: recount_stored_members :tenant :many
-- in:  edition int
-- out: metric int, member text, day int, amount int
SELECT m.metric, m.member, m.day, m.amount
FROM rollup_members AS m
WHERE m.organization_id = :organization AND m.edition = :edition
ORDER BY m.metric, m.member, m.day;

-- name: recount_stored_pages :tenant :many
-- out: article_url text, article_title text, mentions int, clicks int, last_mentioned time
SELECT p.article_url, p.article_title, p.mentions, p.clicks, p.last_mentioned
FROM web_pages AS p
WHERE p.organization_id = :organization
ORDER BY p.article_url;

-- name: recount_stored_articles :tenant :many
-- out: article_id text, article_name text, article_slug text, article_type text, seen_at time
SELECT a.article_id, a.article_name, a.article_slug, a.article_type, a.seen_at
FROM articles AS a
WHERE a.organization_id = :organization
ORDER BY a.article_id;
