-- Invitations: one-time links. Found by their hash before it is known whose they are, otherwise by their organization.

-- name: invitation_by_hash :system
-- in:  hash text, now time
-- out: organization_id uuid, user_id uuid, email text, role text, organization_name text, expires_at time
SELECT i.organization_id, i.user_id, u.email, u.role, o.organization_name, i.expires_at
FROM invitations AS i
JOIN organizations AS o ON o.id = i.organization_id
JOIN users AS u ON u.organization_id = i.organization_id AND u.id = i.user_id
WHERE i.hash = :hash AND i.expires_at > :now AND o.status = 'active' AND u.role <> 'Visitor' AND u.account_id IS NULL;

-- name: invitation_create :tenant
-- in: user_id uuid, hash text, now time, expires_at time
INSERT INTO invitations (organization_id, user_id, hash, created_at, expires_at)
VALUES (:organization, :user_id, :hash, :now, :expires_at)
ON CONFLICT (organization_id, user_id)
DO UPDATE SET hash = excluded.hash, created_at = excluded.created_at, expires_at = excluded.expires_at;

-- name: invitation_delete :tenant
-- in: user_id uuid
DELETE FROM invitations WHERE organization_id = :organization AND user_id = :user_id;
