-- Rollups, as the writer moves them. How they are read stands in figures.sql.

-- name: rollup_count_move :tenant
-- in: edition int, metric int, span int, start int, label text, amount int
INSERT INTO rollup_counts (organization_id, edition, metric, span, start, label, amount)
VALUES (:organization, :edition, :metric, :span, :start, :label, :amount)
ON CONFLICT (organization_id, edition, metric, span, start, label) DO UPDATE
SET amount = rollup_counts.amount + :amount;

-- name: rollup_count_clear :tenant
-- in: edition int, metric int, span int, start int, label text
DELETE FROM rollup_counts
WHERE organization_id = :organization AND edition = :edition AND metric = :metric AND span = :span AND start = :start
  AND label = :label AND amount = 0;

-- name: rollup_gap_move :tenant
-- in: edition int, metric int, span int, start int, before int, amount int
INSERT INTO rollup_gaps (organization_id, edition, metric, span, start, before, amount)
VALUES (:organization, :edition, :metric, :span, :start, :before, :amount)
ON CONFLICT (organization_id, edition, metric, span, start, before) DO UPDATE
SET amount = rollup_gaps.amount + :amount;

-- name: rollup_gap_clear :tenant
-- in: edition int, metric int, span int, start int, before int
DELETE FROM rollup_gaps
WHERE organization_id = :organization AND edition = :edition AND metric = :metric AND span = :span AND start = :start
  AND before = :before AND amount = 0;

-- name: rollup_member :tenant
-- in:  edition int, metric int, member text, day int
-- out: amount int
SELECT m.amount
FROM rollup_members AS m
WHERE m.organization_id = :organization AND m.edition = :edition AND m.metric = :metric AND m.member = :member
  AND m.day = :day;

-- name: rollup_member_before :tenant
-- in:  edition int, metric int, member text, day int
-- out: day int
SELECT m.day
FROM rollup_members AS m
WHERE m.organization_id = :organization AND m.edition = :edition AND m.metric = :metric AND m.member = :member
  AND m.day < :day
ORDER BY m.day DESC
LIMIT 1;

-- name: rollup_member_behind :tenant
-- in:  edition int, metric int, member text, day int
-- out: day int
SELECT m.day
FROM rollup_members AS m
WHERE m.organization_id = :organization AND m.edition = :edition AND m.metric = :metric AND m.member = :member
  AND m.day > :day
ORDER BY m.day
LIMIT 1;

-- name: rollup_member_create :tenant
-- in: edition int, metric int, member text, day int, amount int
INSERT INTO rollup_members (organization_id, edition, metric, member, day, amount)
VALUES (:organization, :edition, :metric, :member, :day, :amount);

-- name: rollup_member_set :tenant
-- in: edition int, metric int, member text, day int, amount int
UPDATE rollup_members SET amount = :amount
WHERE organization_id = :organization AND edition = :edition AND metric = :metric AND member = :member AND day = :day;

-- name: rollup_member_delete :tenant
-- in: edition int, metric int, member text, day int
DELETE FROM rollup_members
WHERE organization_id = :organization AND edition = :edition AND metric = :metric AND member = :member AND day = :day;

-- What the counting of a chat looks up where its hint does not do.
-- name: counted_chat :tenant
-- in:  number int
-- out: created_at time, session_id text, location text, user_agent text, last_message int
SELECT c.created_at, c.session_id, c.location, c.user_agent, a.last_message
FROM chats AS c
JOIN chat_activity AS a ON a.chat_number = c.number AND a.organization_id = :organization
WHERE c.organization_id = :organization AND c.number = :number;

-- One step back through a conversation.
-- name: counted_message :tenant
-- in:  number int
-- out: previous int, role text, created_at time
SELECT m.previous, m.role, m.created_at
FROM messages AS m
WHERE m.organization_id = :organization AND m.number = :number;

-- The later one names the article; of two at the same time the one that came later.
-- name: article_seen :tenant
-- in: article_id text, article_name text, article_slug text, article_type text, seen_at time
INSERT INTO articles (organization_id, article_id, article_name, article_slug, article_type, seen_at)
VALUES (:organization, :article_id, :article_name, :article_slug, :article_type, :seen_at)
ON CONFLICT (organization_id, article_id) DO UPDATE
SET article_name = excluded.article_name, article_slug = excluded.article_slug, article_type = excluded.article_type,
    seen_at = excluded.seen_at
WHERE articles.seen_at <= excluded.seen_at;

-- name: article_forget :tenant
-- in: article_id text
DELETE FROM articles WHERE organization_id = :organization AND article_id = :article_id;

-- name: web_page_shown :tenant
-- in: article_url text, article_title text, clicks int, mentioned_at time
INSERT INTO web_pages (organization_id, article_url, article_title, mentions, clicks, last_mentioned)
VALUES (:organization, :article_url, :article_title, 1, :clicks, :mentioned_at)
ON CONFLICT (organization_id, article_url) DO UPDATE
SET article_title = CASE WHEN web_pages.last_mentioned <= excluded.last_mentioned THEN excluded.article_title
                         ELSE web_pages.article_title END,
    mentions = web_pages.mentions + 1, clicks = web_pages.clicks + excluded.clicks,
    last_mentioned = CASE WHEN web_pages.last_mentioned <= excluded.last_mentioned THEN excluded.last_mentioned
                          ELSE web_pages.last_mentioned END;

-- name: web_page_clicked :tenant
-- in: article_url text
UPDATE web_pages SET clicks = clicks + 1 WHERE organization_id = :organization AND article_url = :article_url;

-- name: web_page_newest_mention :tenant
-- in:  article_url text
-- out: article_title text, mentioned_at time
SELECT w.article_title, w.mentioned_at
FROM web_mentions AS w
WHERE w.organization_id = :organization AND w.article_url = :article_url
ORDER BY w.mentioned_at DESC, w.number DESC
LIMIT 1;

-- name: web_page_taken_back :tenant
-- in: article_url text, article_title text, clicks int, mentioned_at time
UPDATE web_pages
SET mentions = mentions - 1, clicks = clicks - :clicks, article_title = :article_title, last_mentioned = :mentioned_at
WHERE organization_id = :organization AND article_url = :article_url;

-- name: web_page_delete :tenant
-- in: article_url text
DELETE FROM web_pages WHERE organization_id = :organization AND article_url = :article_url;

-- name: rollup_state :tenant
-- out: edition int, zone text, newest_edition int, build_edition int, build_zone text, build_phase int, mark_time int,
--      mark_number int, rows_done int, rows_total int, sweep_edition int
SELECT s.edition, s.zone, s.newest_edition, s.build_edition, s.build_zone, s.build_phase, s.mark_time, s.mark_number,
       s.rows_done, s.rows_total, s.sweep_edition
FROM rollup_states AS s
WHERE s.organization_id = :organization;
