-- Web results by their address, as lists show them. See chat_lists.sql.

-- name: web_page_page :tenant
-- in:  before_time time, before_number int, limit int
-- out: sort_time time, sort_number int, url text, title text, type text, mentions int, clicks int, lastMentioned time
SELECT p.last_mentioned, p.number, p.article_url, p.article_title, 'tavily_search', p.mentions, p.clicks,
       p.last_mentioned
FROM web_pages AS p
WHERE p.organization_id = :organization AND (p.last_mentioned, p.number) < (:before_time, :before_number)
ORDER BY p.last_mentioned DESC, p.number DESC
LIMIT :limit;

-- name: web_page_count :tenant
-- out: pages int
SELECT count(*) FROM web_pages AS p WHERE p.organization_id = :organization;

-- What one chat, or one visitor, was shown, counted from its own rows. PostgreSQL knows an address by its hash.
-- name: web_page_page_of_chat :tenant
-- in:  before_time time, before_number int, limit int, chat_id text, visitor_id uuid, any_visitor bool
-- out: sort_time time, sort_number int, url text, title text, type text, mentions int, clicks int, lastMentioned time
-- sqlite:
SELECT max(w.mentioned_at) AS sort_time, p.number, p.article_url, p.article_title, 'tavily_search', count(*),
       count(w.clicked_at), max(w.mentioned_at)
FROM web_mentions AS w
JOIN web_pages AS p ON p.article_url = w.article_url AND p.organization_id = :organization
WHERE w.organization_id = :organization AND w.chat_id = :chat_id AND (:any_visitor OR w.visitor_id = :visitor_id)
GROUP BY p.number, p.article_url, p.article_title
HAVING (max(w.mentioned_at), p.number) < (:before_time, :before_number)
ORDER BY sort_time DESC, p.number DESC
LIMIT :limit;
-- postgres:
SELECT max(w.mentioned_at) AS sort_time, p.number, p.article_url, p.article_title, 'tavily_search', count(*),
       count(w.clicked_at), max(w.mentioned_at)
FROM web_mentions AS w
JOIN web_pages AS p ON p.page_hash = w.page_hash AND p.organization_id = :organization
WHERE w.organization_id = :organization AND w.chat_id = :chat_id AND (:any_visitor OR w.visitor_id = :visitor_id)
GROUP BY p.number, p.article_url, p.article_title
HAVING (max(w.mentioned_at), p.number) < (:before_time, :before_number)
ORDER BY sort_time DESC, p.number DESC
LIMIT :limit;

-- name: web_page_count_of_chat :tenant
-- in:  chat_id text, visitor_id uuid, any_visitor bool
-- out: pages int
SELECT count(DISTINCT w.article_url)
FROM web_mentions AS w
WHERE w.organization_id = :organization AND w.chat_id = :chat_id AND (:any_visitor OR w.visitor_id = :visitor_id);

-- name: web_page_page_of_visitor :tenant
-- in:  before_time time, before_number int, limit int, visitor_id uuid
-- out: sort_time time, sort_number int, url text, title text, type text, mentions int, clicks int, lastMentioned time
-- sqlite:
SELECT max(w.mentioned_at) AS sort_time, p.number, p.article_url, p.article_title, 'tavily_search', count(*),
       count(w.clicked_at), max(w.mentioned_at)
FROM web_mentions AS w
JOIN web_pages AS p ON p.article_url = w.article_url AND p.organization_id = :organization
WHERE w.organization_id = :organization AND w.visitor_id = :visitor_id
GROUP BY p.number, p.article_url, p.article_title
HAVING (max(w.mentioned_at), p.number) < (:before_time, :before_number)
ORDER BY sort_time DESC, p.number DESC
LIMIT :limit;
-- postgres:
SELECT max(w.mentioned_at) AS sort_time, p.number, p.article_url, p.article_title, 'tavily_search', count(*),
       count(w.clicked_at), max(w.mentioned_at)
FROM web_mentions AS w
JOIN web_pages AS p ON p.page_hash = w.page_hash AND p.organization_id = :organization
WHERE w.organization_id = :organization AND w.visitor_id = :visitor_id
GROUP BY p.number, p.article_url, p.article_title
HAVING (max(w.mentioned_at), p.number) < (:before_time, :before_number)
ORDER BY sort_time DESC, p.number DESC
LIMIT :limit;

-- name: web_page_count_of_visitor :tenant
-- in:  visitor_id uuid
-- out: pages int
SELECT count(DISTINCT w.article_url)
FROM web_mentions AS w
WHERE w.organization_id = :organization AND w.visitor_id = :visitor_id;
