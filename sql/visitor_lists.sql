-- Visitors and the articles they opened, as lists show them. See chat_lists.sql.

-- name: visitor_page :tenant
-- in:  before_time time, before_number int, limit int
-- out: sort_time time, sort_number int, id uuid, email text, name text, source text, metadata json, created_at time,
--      last_active_at time, organization_id uuid
SELECT v.created_at, v.number, v.id, v.email, v.name, v.source, v.metadata, v.created_at, v.last_active_at,
       v.organization_id
FROM visitors AS v
WHERE v.organization_id = :organization AND (v.created_at, v.number) < (:before_time, :before_number)
ORDER BY v.created_at DESC, v.number DESC
LIMIT :limit;

-- name: visitor_show :tenant
-- in:  id uuid
-- out: id uuid, email text, name text, source text, metadata json, created_at time, last_active_at time,
--      organization_id uuid
SELECT v.id, v.email, v.name, v.source, v.metadata, v.created_at, v.last_active_at, v.organization_id
FROM visitors AS v
WHERE v.organization_id = :organization AND v.id = :id;

-- name: visitor_view_page :tenant
-- in:  before_time time, before_number int, limit int, visitor_id uuid
-- out: sort_time time, sort_number int, id uuid, article_id text, article_name text, article_type text, viewed_at time
SELECT w.viewed_at, w.number, w.id, w.article_id, w.article_name, w.article_type, w.viewed_at
FROM article_views AS w
WHERE w.organization_id = :organization AND w.visitor_id = :visitor_id
  AND (w.viewed_at, w.number) < (:before_time, :before_number)
ORDER BY w.viewed_at DESC, w.number DESC
LIMIT :limit;
