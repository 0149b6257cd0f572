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

-- A member's row of a day, and the days before and after on which it was seen.
-- name: rollup_member_around :tenant
-- in:  edition int, metric int, member text, day int
-- out: amount int, before int, behind int
SELECT (SELECT m.amount
        FROM rollup_members AS m
        WHERE m.organization_id = :organization AND m.edition = :edition AND m.metric = :metric AND m.member = :member
          AND m.day = :day),
       (SELECT max(b.day)
        FROM rollup_members AS b
        WHERE b.organization_id = :organization AND b.edition = :edition AND b.metric = :metric AND b.member = :member
          AND b.day < :day),
       (SELECT min(f.day)
        FROM rollup_members AS f
        WHERE f.organization_id = :organization AND f.edition = :edition AND f.metric = :metric AND f.member = :member
          AND f.day > :day);

-- name: rollup_member_behind :tenant
-- in:  edition int, metric int, member text, day int
-- out: day int
SELECT m.day
FROM rollup_members AS m
WHERE m.organization_id = :organization AND m.edition = :edition AND m.metric = :metric AND m.member = :member
  AND m.day > :day
ORDER BY m.day
LIMIT 1;

-- name: rollup_member_create :tenant :rows
-- in: edition int, metric int, member text, day int, amount int
-- sqlite:
INSERT INTO rollup_members (organization_id, edition, metric, member, day, amount)
VALUES (:organization, :edition, :metric, :member, :day, :amount);
-- postgres:
INSERT INTO rollup_members (organization_id, edition, metric, member, day, amount)
SELECT :organization, r.edition, r.metric, r.member, r.day, r.amount
FROM unnest(:edition, :metric, :member, :day, :amount) AS r (edition, metric, member, day, amount);

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

-- Many steps of it at once.
-- name: counted_conversation :tenant
-- in:  number int, limit int
-- out: number int, previous int, role text, created_at time
WITH RECURSIVE chain (number, previous, role, created_at, step) AS (
	SELECT m.number, m.previous, m.role, m.created_at, 1
	FROM messages AS m
	WHERE m.organization_id = :organization AND m.number = :number
	UNION ALL
	SELECT m.number, m.previous, m.role, m.created_at, chain.step + 1
	FROM chain
	JOIN messages AS m ON m.number = chain.previous AND m.organization_id = :organization
	WHERE chain.step < :limit
)
SELECT chain.number, chain.previous, chain.role, chain.created_at FROM chain ORDER BY chain.step;

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

-- PostgreSQL tells pages apart by a hash of the address (sql/schema/0002_foundation.postgres.sql).
-- name: web_page_shown :tenant
-- in: article_url text, article_title text, clicks int, mentioned_at time
-- sqlite:
INSERT INTO web_pages (organization_id, article_url, article_title, mentions, clicks, last_mentioned)
VALUES (:organization, :article_url, :article_title, 1, :clicks, :mentioned_at)
ON CONFLICT (organization_id, article_url) DO UPDATE
SET article_title = CASE WHEN web_pages.last_mentioned <= excluded.last_mentioned THEN excluded.article_title
                         ELSE web_pages.article_title END,
    mentions = web_pages.mentions + 1, clicks = web_pages.clicks + excluded.clicks,
    last_mentioned = CASE WHEN web_pages.last_mentioned <= excluded.last_mentioned THEN excluded.last_mentioned
                          ELSE web_pages.last_mentioned END;
-- postgres:
INSERT INTO web_pages (organization_id, article_url, article_title, mentions, clicks, last_mentioned)
VALUES (:organization, :article_url, :article_title, 1, :clicks, :mentioned_at)
ON CONFLICT (organization_id, page_hash) DO UPDATE
SET article_title = CASE WHEN web_pages.last_mentioned <= excluded.last_mentioned THEN excluded.article_title
                         ELSE web_pages.article_title END,
    mentions = web_pages.mentions + 1, clicks = web_pages.clicks + excluded.clicks,
    last_mentioned = CASE WHEN web_pages.last_mentioned <= excluded.last_mentioned THEN excluded.last_mentioned
                          ELSE web_pages.last_mentioned END;

-- name: web_page_clicked :tenant
-- in: article_url text
-- sqlite:
UPDATE web_pages SET clicks = clicks + 1 WHERE organization_id = :organization AND article_url = :article_url;
-- postgres:
UPDATE web_pages SET clicks = clicks + 1
WHERE organization_id = :organization AND page_hash = sha256(convert_to(:article_url, 'UTF8'));

-- name: web_page_newest_mention :tenant
-- in:  article_url text
-- out: article_title text, mentioned_at time
-- sqlite:
SELECT w.article_title, w.mentioned_at
FROM web_mentions AS w
WHERE w.organization_id = :organization AND w.article_url = :article_url
ORDER BY w.mentioned_at DESC, w.number DESC
LIMIT 1;
-- postgres:
SELECT w.article_title, w.mentioned_at
FROM web_mentions AS w
WHERE w.organization_id = :organization AND w.page_hash = sha256(convert_to(:article_url, 'UTF8'))
ORDER BY w.mentioned_at DESC, w.number DESC
LIMIT 1;

-- name: web_page_taken_back :tenant
-- in: article_url text, article_title text, clicks int, mentioned_at time
-- sqlite:
UPDATE web_pages
SET mentions = mentions - 1, clicks = clicks - :clicks, article_title = :article_title, last_mentioned = :mentioned_at
WHERE organization_id = :organization AND article_url = :article_url;
-- postgres:
UPDATE web_pages
SET mentions = mentions - 1, clicks = clicks - :clicks, article_title = :article_title, last_mentioned = :mentioned_at
WHERE organization_id = :organization AND page_hash = sha256(convert_to(:article_url, 'UTF8'));

-- name: web_page_delete :tenant
-- in: article_url text
-- sqlite:
DELETE FROM web_pages WHERE organization_id = :organization AND article_url = :article_url;
-- postgres:
DELETE FROM web_pages WHERE organization_id = :organization AND page_hash = sha256(convert_to(:article_url, 'UTF8'));

-- name: rollup_state :tenant
-- out: edition int, zone text, newest_edition int, build_edition int, build_zone text, build_phase int, mark_time int,
--      mark_number int, mark_message int, rows_done int, rows_total int, sweep_edition int
SELECT s.edition, s.zone, s.newest_edition, s.build_edition, s.build_zone, s.build_phase, s.mark_time, s.mark_number,
       s.mark_message, s.rows_done, s.rows_total, s.sweep_edition
FROM rollup_states AS s
WHERE s.organization_id = :organization;

-- name: rollup_state_put :tenant
-- in: edition int, zone text, newest_edition int, build_edition int, build_zone text, build_phase int, mark_time int,
--     mark_number int, mark_message int, rows_done int, rows_total int, sweep_edition int, has_work int
INSERT INTO rollup_states (organization_id, edition, zone, newest_edition, build_edition, build_zone, build_phase,
                           mark_time, mark_number, mark_message, rows_done, rows_total, sweep_edition, has_work)
VALUES (:organization, :edition, :zone, :newest_edition, :build_edition, :build_zone, :build_phase, :mark_time,
        :mark_number, :mark_message, :rows_done, :rows_total, :sweep_edition, :has_work)
ON CONFLICT (organization_id) DO UPDATE
SET edition = excluded.edition, zone = excluded.zone, newest_edition = excluded.newest_edition,
    build_edition = excluded.build_edition, build_zone = excluded.build_zone, build_phase = excluded.build_phase,
    mark_time = excluded.mark_time, mark_number = excluded.mark_number, mark_message = excluded.mark_message,
    rows_done = excluded.rows_done, rows_total = excluded.rows_total, sweep_edition = excluded.sweep_edition,
    has_work = excluded.has_work;

-- name: organization_change_time_zone :tenant
-- in: time_zone text, now time
UPDATE organizations SET time_zone = :time_zone, updated_at = :now WHERE id = :organization;

-- An organization whose rollups are being built or swept, the next one behind another (null: the first).
-- name: rollup_work :system
-- in:  after uuid
-- out: organization_id uuid
SELECT s.organization_id
FROM rollup_states AS s
WHERE s.has_work = 1 AND (:after IS NULL OR s.organization_id > :after)
ORDER BY s.organization_id
LIMIT 1;

-- Raw rows as a build goes through them: in the order of their time, from its mark on.
-- name: build_chats :tenant
-- in:  mark_time time, mark_number int, most int
-- out: number int, created_at time, session_id text, location text, user_agent text, last_message int
SELECT c.number, c.created_at, c.session_id, c.location, c.user_agent, a.last_message
FROM chats AS c
JOIN chat_activity AS a ON a.chat_number = c.number AND a.organization_id = :organization
WHERE c.organization_id = :organization AND c.created_at >= :mark_time
  AND (c.created_at > :mark_time OR c.number > :mark_number)
ORDER BY c.created_at, c.number
LIMIT :most;

-- name: build_visitors :tenant
-- in:  mark_time time, mark_number int, most int
-- out: number int, created_at time, metadata json
SELECT v.number, v.created_at, v.metadata
FROM visitors AS v
WHERE v.organization_id = :organization AND v.created_at >= :mark_time
  AND (v.created_at > :mark_time OR v.number > :mark_number)
ORDER BY v.created_at, v.number
LIMIT :most;

-- name: build_mentions :tenant
-- in:  mark_time time, mark_number int, most int
-- out: number int, article_id text, article_name text, article_slug text, article_type text, mentioned_at time
SELECT m.number, m.article_id, m.article_name, m.article_slug, m.article_type, m.mentioned_at
FROM article_mentions AS m
WHERE m.organization_id = :organization AND m.mentioned_at >= :mark_time
  AND (m.mentioned_at > :mark_time OR m.number > :mark_number)
ORDER BY m.mentioned_at, m.number
LIMIT :most;

-- name: build_views :tenant
-- in:  mark_time time, mark_number int, most int
-- out: number int, article_id text, article_name text, article_slug text, article_type text, session_id text,
--      viewed_at time
SELECT w.number, w.article_id, w.article_name, w.article_slug, w.article_type, w.session_id, w.viewed_at
FROM article_views AS w
WHERE w.organization_id = :organization AND w.viewed_at >= :mark_time
  AND (w.viewed_at > :mark_time OR w.number > :mark_number)
ORDER BY w.viewed_at, w.number
LIMIT :most;

-- name: build_clicks :tenant
-- in:  mark_time time, mark_number int, most int
-- out: number int, chat_id text, session_id text, clicked_at time
SELECT w.number, w.chat_id, w.session_id, w.clicked_at
FROM web_mentions AS w
WHERE w.organization_id = :organization AND w.clicked_at IS NOT NULL AND w.clicked_at >= :mark_time
  AND (w.clicked_at > :mark_time OR w.number > :mark_number)
ORDER BY w.clicked_at, w.number
LIMIT :most;

-- Where a slice of an edition that nobody reads any more ends; then the slice, or all that is left.
-- name: sweep_counts_until :tenant
-- in:  edition int, most int
-- out: metric int, span int, start int, label text
SELECT c.metric, c.span, c.start, c.label
FROM rollup_counts AS c
WHERE c.organization_id = :organization AND c.edition = :edition
ORDER BY c.metric, c.span, c.start, c.label
LIMIT 1 OFFSET :most;

-- name: sweep_counts :tenant
-- in: edition int, metric int, span int, start int, label text
DELETE FROM rollup_counts
WHERE organization_id = :organization AND edition = :edition
  AND (metric, span, start, label) <= (:metric, :span, :start, :label);

-- name: sweep_counts_rest :tenant
-- in: edition int
DELETE FROM rollup_counts WHERE organization_id = :organization AND edition = :edition;

-- name: sweep_gaps_until :tenant
-- in:  edition int, most int
-- out: metric int, span int, start int, before int
SELECT g.metric, g.span, g.start, g.before
FROM rollup_gaps AS g
WHERE g.organization_id = :organization AND g.edition = :edition
ORDER BY g.metric, g.span, g.start, g.before
LIMIT 1 OFFSET :most;

-- name: sweep_gaps :tenant
-- in: edition int, metric int, span int, start int, before int
DELETE FROM rollup_gaps
WHERE organization_id = :organization AND edition = :edition
  AND (metric, span, start, before) <= (:metric, :span, :start, :before);

-- name: sweep_gaps_rest :tenant
-- in: edition int
DELETE FROM rollup_gaps WHERE organization_id = :organization AND edition = :edition;

-- name: sweep_members_until :tenant
-- in:  edition int, most int
-- out: metric int, member text, day int
SELECT m.metric, m.member, m.day
FROM rollup_members AS m
WHERE m.organization_id = :organization AND m.edition = :edition
ORDER BY m.metric, m.member, m.day
LIMIT 1 OFFSET :most;

-- name: sweep_members :tenant
-- in: edition int, metric int, member text, day int
DELETE FROM rollup_members
WHERE organization_id = :organization AND edition = :edition
  AND (metric, member, day) <= (:metric, :member, :day);

-- name: sweep_members_rest :tenant
-- in: edition int
DELETE FROM rollup_members WHERE organization_id = :organization AND edition = :edition;

-- What `verify --repair` mends beside an edition built anew.
-- name: repair_page_counts :tenant
-- in:  article_url text
-- out: mentions int, clicks int
-- sqlite:
SELECT count(*), count(w.clicked_at)
FROM web_mentions AS w
WHERE w.organization_id = :organization AND w.article_url = :article_url;
-- postgres:
SELECT count(*), count(w.clicked_at)
FROM web_mentions AS w
WHERE w.organization_id = :organization AND w.page_hash = sha256(convert_to(:article_url, 'UTF8'));

-- name: repair_page :tenant
-- in: article_url text, article_title text, mentions int, clicks int, last_mentioned time
-- sqlite:
INSERT INTO web_pages (organization_id, article_url, article_title, mentions, clicks, last_mentioned)
VALUES (:organization, :article_url, :article_title, :mentions, :clicks, :last_mentioned)
ON CONFLICT (organization_id, article_url) DO UPDATE
SET article_title = excluded.article_title, mentions = excluded.mentions, clicks = excluded.clicks,
    last_mentioned = excluded.last_mentioned;
-- postgres:
INSERT INTO web_pages (organization_id, article_url, article_title, mentions, clicks, last_mentioned)
VALUES (:organization, :article_url, :article_title, :mentions, :clicks, :last_mentioned)
ON CONFLICT (organization_id, page_hash) DO UPDATE
SET article_title = excluded.article_title, mentions = excluded.mentions, clicks = excluded.clicks,
    last_mentioned = excluded.last_mentioned;

-- name: repair_chat_activity :tenant
-- in: chat_number int, message_count int
UPDATE chat_activity SET message_count = :message_count, counted_edition = NULL, counted_day = NULL
WHERE organization_id = :organization AND chat_number = :chat_number;
