-- Figures, read from the rollups by the pieces of a range: days, whole blocks of 32 days, or all time.

-- name: figure_edition :tenant
-- out: edition int, zone text
SELECT s.edition, s.zone FROM rollup_states AS s WHERE s.organization_id = :organization;

-- name: figure_count :tenant
-- in:  edition int, metric int, span int, first int, last int
-- out: amount int
SELECT CAST(coalesce(sum(c.amount), 0) AS bigint)
FROM rollup_counts AS c
WHERE c.organization_id = :organization AND c.edition = :edition AND c.metric = :metric AND c.span = :span
  AND c.start BETWEEN :first AND :last;

-- name: figure_members :tenant
-- in:  edition int, metric int, span int, first int, last int, since int
-- out: amount int
SELECT CAST(coalesce(sum(g.amount), 0) AS bigint)
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
SELECT g.start, CAST(sum(g.amount) AS bigint)
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

-- An article as its list shows it. How often it was mentioned and viewed stands in the rollups: who asks puts it in.
-- name: figure_article :tenant
-- in:  article_id text
-- out: id text, name text, slug text, type text, mentions int, views int
SELECT a.article_id, a.article_name, a.article_slug, a.article_type, CAST(0 AS bigint), CAST(0 AS bigint)
FROM articles AS a
WHERE a.organization_id = :organization AND a.article_id = :article_id;
