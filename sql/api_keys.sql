-- API keys: found by their hash before anybody knows whose they are; otherwise by their organization alone.

-- name: api_key_by_hash :system
-- in:  hash text
-- out: id uuid, organization_id uuid, hash text, requests_per_minute int
SELECT k.id, k.organization_id, k.hash, o.requests_per_minute
FROM api_keys AS k
JOIN organizations AS o ON o.id = k.organization_id
WHERE k.hash = :hash AND k.revoked_at IS NULL AND o.status = 'active';

-- name: api_key_create :tenant
-- in: id uuid, name text, hash text, masked text, now time
INSERT INTO api_keys (organization_id, id, name, hash, masked, created_at)
VALUES (:organization, :id, :name, :hash, :masked, :now);

-- name: api_key_list :tenant
-- out: id uuid, name text, masked text, created_at time, last_used_at time, revoked_at time
SELECT k.id, k.name, k.masked, k.created_at, k.last_used_at, k.revoked_at
FROM api_keys AS k
WHERE k.organization_id = :organization
ORDER BY k.number;

-- The same as the dashboard lists them. See chat_lists.sql.
-- name: api_key_page :tenant
-- in:  before_time time, before_number int, limit int
-- out: sort_time time, sort_number int, id uuid, name text, masked text, created_at time, last_used_at time,
--      revoked_at time
SELECT k.created_at, k.number, k.id, k.name, k.masked, k.created_at, k.last_used_at, k.revoked_at
FROM api_keys AS k
WHERE k.organization_id = :organization AND (k.created_at, k.number) < (:before_time, :before_number)
ORDER BY k.created_at DESC, k.number DESC
LIMIT :limit;

-- The key that the page of settings shows.
-- name: api_key_newest :tenant
-- out: id uuid, name text, masked text
SELECT k.id, k.name, k.masked
FROM api_keys AS k
WHERE k.organization_id = :organization AND k.revoked_at IS NULL
ORDER BY k.number DESC
LIMIT 1;

-- name: api_key_revoke :tenant
-- in:  id uuid, now time
-- out: id uuid, name text, masked text, revoked_at time
UPDATE api_keys SET revoked_at = :now
WHERE organization_id = :organization AND id = :id AND revoked_at IS NULL
RETURNING id, name, masked, revoked_at;

-- name: api_key_used :tenant
-- in: id uuid, last_used_at time
UPDATE api_keys SET last_used_at = :last_used_at WHERE organization_id = :organization AND id = :id;

-- Whose key this is, also of one that was revoked: before a key from elsewhere is taken over.
-- name: api_key_owner :system
-- in:  hash text
-- out: organization_id uuid
SELECT k.organization_id FROM api_keys AS k WHERE k.hash = :hash;
