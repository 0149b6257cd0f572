-- Figures that stay exact and cheap: moved within the transaction of the event, and read instead of raw rows.
-- An edition is all of an organization's figures by the days of one time zone; another zone builds another edition beside
-- it. Days are whole numbers since 1970-01-01, of the local date. A span is a day (0), a block of 32 days (1) or all time
-- (2), and start which: the day, the day by 32 rounded down, or 0. What metric means stands in src/analytics/metric.h.
-- These tables point at no parent: guards see to the organization, and a look-up for each moved figure would cost more
-- than the figure.

CREATE TABLE rollup_counts (
	organization_id BLOB    NOT NULL,
	edition         INTEGER NOT NULL,
	metric          INTEGER NOT NULL,
	span            INTEGER NOT NULL,
	start           INTEGER NOT NULL,
	label           TEXT    NOT NULL, -- of a facet its value, else ''
	amount          INTEGER NOT NULL,
	PRIMARY KEY (organization_id, edition, metric, span, start, label)
) STRICT, WITHOUT ROWID;

-- What must be counted once, by the days on which it was seen.
CREATE TABLE rollup_members (
	organization_id BLOB    NOT NULL,
	edition         INTEGER NOT NULL,
	metric          INTEGER NOT NULL,
	member          TEXT    NOT NULL,
	day             INTEGER NOT NULL,
	amount          INTEGER NOT NULL, -- rows that stand behind it
	PRIMARY KEY (organization_id, edition, metric, member, day)
) STRICT, WITHOUT ROWID;

-- For each span the members first seen in it on some day, by the day on which they had been seen before that. Distinct
-- members from one day to another are the sum over the pieces of that range of what was not seen since it began.
CREATE TABLE rollup_gaps (
	organization_id BLOB    NOT NULL,
	edition         INTEGER NOT NULL,
	metric          INTEGER NOT NULL,
	span            INTEGER NOT NULL,
	start           INTEGER NOT NULL,
	before          INTEGER NOT NULL, -- -1000000: never
	amount          INTEGER NOT NULL,
	PRIMARY KEY (organization_id, edition, metric, span, start, before)
) STRICT, WITHOUT ROWID;

-- Which edition an organization reads, and what becomes of others. Without a row it reads edition 0, in UTC.
CREATE TABLE rollup_states (
	organization_id BLOB    NOT NULL PRIMARY KEY REFERENCES organizations (id),
	edition         INTEGER,          -- that is read; null: none is complete yet
	zone            TEXT    NOT NULL, -- of it
	newest_edition  INTEGER NOT NULL, -- the number given last
	build_edition   INTEGER,          -- that is built; null: none
	build_zone      TEXT,
	build_phase     INTEGER NOT NULL DEFAULT 0, -- which kind of raw rows is gone through
	mark_time       INTEGER NOT NULL DEFAULT -1000000000000000, -- of the raw row that was counted last
	mark_number     INTEGER NOT NULL DEFAULT 0,
	rows_done       INTEGER NOT NULL DEFAULT 0,
	rows_total      INTEGER NOT NULL DEFAULT 0,
	sweep_edition   INTEGER,          -- the oldest whose rows may have to be removed; null: none
	has_work        INTEGER NOT NULL DEFAULT 0  -- 1: a build or a sweep is under way
) STRICT, WITHOUT ROWID;
CREATE INDEX rollup_states_with_work ON rollup_states (organization_id) WHERE has_work = 1;

-- Articles as their last mention or view called them.
CREATE TABLE articles (
	organization_id BLOB    NOT NULL,
	article_id      TEXT    NOT NULL,
	article_name    TEXT    NOT NULL,
	article_slug    TEXT    NOT NULL,
	article_type    TEXT    NOT NULL,
	seen_at         INTEGER NOT NULL,
	PRIMARY KEY (organization_id, article_id)
) STRICT, WITHOUT ROWID;

-- Web results by their address: how often shown and clicked.
CREATE TABLE web_pages (
	number          INTEGER PRIMARY KEY,
	organization_id BLOB    NOT NULL,
	article_url     TEXT    NOT NULL,
	article_title   TEXT    NOT NULL, -- as it was shown last
	mentions        INTEGER NOT NULL,
	clicks          INTEGER NOT NULL,
	last_mentioned  INTEGER NOT NULL,
	UNIQUE (organization_id, article_url)
) STRICT;
CREATE INDEX web_pages_by_time ON web_pages (organization_id, last_mentioned);
-- What was shown last when the newest is erased.
CREATE INDEX web_mentions_by_page ON web_mentions (organization_id, article_url, mentioned_at);

-- Where a chat's last counted user message fell: the next one of the same day has nothing new to say of who was engaged.
ALTER TABLE chat_activity ADD COLUMN counted_edition INTEGER;
ALTER TABLE chat_activity ADD COLUMN counted_day INTEGER;

-- Organizations that are there already have everything counted from their raw rows, once the server runs.
INSERT INTO rollup_states (organization_id, edition, zone, newest_edition, build_edition, build_zone, has_work)
SELECT id, NULL, time_zone, 1, 1, time_zone, 1 FROM organizations;

INSERT INTO articles (organization_id, article_id, article_name, article_slug, article_type, seen_at)
SELECT organization_id, article_id, article_name, article_slug, article_type, mentioned_at
FROM article_mentions WHERE true
ORDER BY mentioned_at, number
ON CONFLICT (organization_id, article_id) DO UPDATE
SET article_name = excluded.article_name, article_slug = excluded.article_slug, article_type = excluded.article_type,
    seen_at = excluded.seen_at;
INSERT INTO articles (organization_id, article_id, article_name, article_slug, article_type, seen_at)
SELECT organization_id, article_id, article_name, article_slug, article_type, viewed_at
FROM article_views WHERE true
ORDER BY viewed_at, number
ON CONFLICT (organization_id, article_id) DO UPDATE
SET article_name = excluded.article_name, article_slug = excluded.article_slug, article_type = excluded.article_type,
    seen_at = excluded.seen_at
WHERE articles.seen_at <= excluded.seen_at;
INSERT INTO web_pages (organization_id, article_url, article_title, mentions, clicks, last_mentioned)
SELECT organization_id, article_url, article_title, 1, CASE WHEN clicked_at IS NULL THEN 0 ELSE 1 END, mentioned_at
FROM web_mentions WHERE true
ORDER BY mentioned_at, number
ON CONFLICT (organization_id, article_url) DO UPDATE
SET article_title = excluded.article_title, mentions = web_pages.mentions + 1,
    clicks = web_pages.clicks + excluded.clicks, last_mentioned = excluded.last_mentioned;
