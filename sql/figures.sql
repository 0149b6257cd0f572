-- Figures, read from the rollups by the pieces of a range: days, whole blocks of 32 days, or all time.

-- name: figure_edition :tenant
-- out: edition int, zone text
SELECT s.edition, s.zone FROM rollup_states AS s WHERE s.organization_id = :organization;

-- name: figure_count :tenant
-- in:  edition int, metric int, span int, first int, last int
-- out: amount int
SELECT coalesce(sum(c.amount), 0)
FROM rollup_counts AS c
WHERE c.organization_id = :organization AND c.edition = :edition AND c.metric = :metric AND c.span = :span
  AND c.start BETWEEN :first AND :last;

-- name: figure_members :tenant
-- in:  edition int, metric int, span int, first int, last int, since int
-- out: amount int
SELECT coalesce(sum(g.amount), 0)
FROM rollup_gaps AS g
WHERE g.organization_id = :organization AND g.edition = :edition AND g.metric = :metric AND g.span = :span
  AND g.start BETWEEN :first AND :last AND g.before < :since;

-- name: figure_count_by_day :tenant
-- in:  edition int, metric int, first int, last int
-- out: day int, amount int
SELECT c.start, c.amount
FROM rollup_counts AS c
WHERE c.organization_id = :organization AND c.edition = :edition AND c.metric = :metric AND c.span = 0
  AND c.start BETWEEN :first AND :last AND c.label = '';

-- name: figure_members_by_day :tenant
-- in:  edition int, metric int, first int, last int
-- out: day int, amount int
SELECT g.start, sum(g.amount)
FROM rollup_gaps AS g
WHERE g.organization_id = :organization AND g.edition = :edition AND g.metric = :metric AND g.span = 0
  AND g.start BETWEEN :first AND :last
GROUP BY g.start;

-- name: figure_labels :tenant
-- in:  edition int, metric int, span int, first int, last int
-- out: label text, amount int
SELECT c.label, c.amount
FROM rollup_counts AS c
WHERE c.organization_id = :organization AND c.edition = :edition AND c.metric = :metric AND c.span = :span
  AND c.start BETWEEN :first AND :last;

-- name: figure_article :tenant
-- in:  article_id text
-- out: article_name text, article_slug text, article_type text
SELECT a.article_name, a.article_slug, a.article_type
FROM articles AS a
WHERE a.organization_id = :organization AND a.article_id = :article_id;

-- name: web_page_list :tenant
-- in:  most int
-- out: url text, title text, mentions int, clicks int, lastmentioned time
SELECT p.article_url, p.article_title, p.mentions, p.clicks, p.last_mentioned
FROM web_pages AS p
WHERE p.organization_id = :organization
ORDER BY p.last_mentioned DESC, p.number DESC
LIMIT :most;

-- name: web_page_count :tenant
-- out: pages int
SELECT count(*) FROM web_pages AS p WHERE p.organization_id = :organization;

-- What one chat, or one visitor, was shown.
-- name: web_page_list_of_chat :tenant
-- in:  chat_id text, visitor_id uuid, any_visitor bool, most int
-- out: url text, title text, mentions int, clicks int, lastmentioned time
SELECT w.article_url, p.article_title, count(*), count(w.clicked_at), max(w.mentioned_at) AS lastmentioned
FROM web_mentions AS w
JOIN web_pages AS p ON p.article_url = w.article_url AND p.organization_id = :organization
WHERE w.organization_id = :organization AND w.chat_id = :chat_id AND (:any_visitor OR w.visitor_id = :visitor_id)
GROUP BY w.article_url, p.article_title
ORDER BY lastmentioned DESC, w.article_url
LIMIT :most;

-- name: web_page_list_of_visitor :tenant
-- in:  visitor_id uuid, most int
-- out: url text, title text, mentions int, clicks int, lastmentioned time
SELECT w.article_url, p.article_title, count(*), count(w.clicked_at), max(w.mentioned_at) AS lastmentioned
FROM web_mentions AS w
JOIN web_pages AS p ON p.article_url = w.article_url AND p.organization_id = :organization
WHERE w.organization_id = :organization AND w.visitor_id = :visitor_id
GROUP BY w.article_url, p.article_title
ORDER BY lastmentioned DESC, w.article_url
LIMIT :most;
