-- Members, the people a concierge identified as its users, and what they opened, as lists show them. See chat_lists.sql.

-- name: user_page :tenant
-- in:  before_time time, before_number int, limit int
-- out: sort_time time, sort_number int, id uuid, email text, name text, image text, role text, provider text,
--      provider_id text, created_at time, updated_at time, last_sign_in_at time, organization_id uuid
SELECT u.created_at, u.number, u.id, u.email, u.name, u.image, u.role, u.provider, u.provider_id, u.created_at,
       u.updated_at, u.last_sign_in_at, u.organization_id
FROM users AS u
WHERE u.organization_id = :organization AND (u.created_at, u.number) < (:before_time, :before_number)
ORDER BY u.created_at DESC, u.number DESC
LIMIT :limit;

-- name: user_view_page :tenant
-- in:  before_time time, before_number int, limit int, user_id text
-- out: sort_time time, sort_number int, id uuid, article_id text, article_name text, article_type text, viewed_at time
SELECT w.viewed_at, w.number, w.id, w.article_id, w.article_name, w.article_type, w.viewed_at
FROM article_views AS w
WHERE w.organization_id = :organization AND w.user_id = :user_id
  AND (w.viewed_at, w.number) < (:before_time, :before_number)
ORDER BY w.viewed_at DESC, w.number DESC
LIMIT :limit;
