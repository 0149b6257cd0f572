-- The record of who did what, as its list shows it. See chat_lists.sql.

-- name: audit_page :tenant
-- in:  before_time time, before_number int, limit int
-- out: sort_time time, sort_number int, id uuid, created_at time, actor_kind text, actor_id uuid, actor_email text,
--      action text, target text, detail json, address text
SELECT l.created_at, l.number, l.id, l.created_at, l.actor_kind, l.actor_id, l.actor_email, l.action, l.target, l.detail,
       l.address
FROM audit_log AS l
WHERE l.organization_id = :organization AND (l.created_at, l.number) < (:before_time, :before_number)
ORDER BY l.created_at DESC, l.number DESC
LIMIT :limit;
