-- Who did what, when, from where.

-- name: audit_create :tenant
-- in: id uuid, now time, actor_kind text, actor_id uuid, actor_email text, action text, target text, detail json, address text
INSERT INTO audit_log (organization_id, id, created_at, actor_kind, actor_id, actor_email, action, target, detail, address)
VALUES (:organization, :id, :now, :actor_kind, :actor_id, :actor_email, :action, :target, :detail, :address);
