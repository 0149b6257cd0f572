-- Sessions of people: found by the hash of their token before anybody knows whose they are.

-- The membership is looked up each time: a change of role, a removal or a suspended organization holds at once.
-- name: session_by_hash :system
-- in:  hash text, now time
-- out: account_id uuid, organization_id uuid, user_id uuid, role text, email text, name text, image text,
--      slug text, organization_name text, expires_at time
SELECT s.account_id, s.entered_organization_id, u.id, u.role, u.email, u.name, u.image, o.slug, o.organization_name,
       s.expires_at
FROM sessions AS s
JOIN organizations AS o ON o.id = s.entered_organization_id
JOIN users AS u ON u.account_id = s.account_id AND u.organization_id = s.entered_organization_id
WHERE s.hash = :hash AND s.expires_at > :now AND o.status = 'active' AND u.role <> 'Visitor';

-- name: session_create :system
-- in: hash text, account_id uuid, organization_id uuid, now time, expires_at time
INSERT INTO sessions (hash, account_id, entered_organization_id, created_at, expires_at)
VALUES (:hash, :account_id, :organization_id, :now, :expires_at);

-- name: session_extend :system
-- in: hash text, expires_at time
UPDATE sessions SET expires_at = :expires_at WHERE hash = :hash AND expires_at < :expires_at;

-- name: session_switch :system
-- in: hash text, organization_id uuid
UPDATE sessions SET entered_organization_id = :organization_id WHERE hash = :hash;

-- name: session_delete :system
-- in: hash text
DELETE FROM sessions WHERE hash = :hash;

-- name: sessions_delete_of_account :system
-- in: account_id uuid
DELETE FROM sessions WHERE account_id = :account_id;

-- name: sessions_delete_of_member :system
-- in: account_id uuid, organization_id uuid
DELETE FROM sessions WHERE account_id = :account_id AND entered_organization_id = :organization_id;

-- Of the other sessions of an account the first beyond so many, those used last coming first.
-- name: session_surplus :system
-- in:  account_id uuid, hash text, others int
-- out: number int, expires_at time
SELECT s.number, s.expires_at
FROM sessions AS s
WHERE s.account_id = :account_id AND s.hash <> :hash
ORDER BY s.expires_at DESC, s.number DESC
LIMIT 1 OFFSET :others;

-- name: sessions_delete_surplus :system
-- in: account_id uuid, hash text, number int, expires_at time
DELETE FROM sessions
WHERE account_id = :account_id AND hash <> :hash
  AND (expires_at < :expires_at OR (expires_at = :expires_at AND number <= :number));

-- name: sessions_delete_expired :system
-- in: now time
DELETE FROM sessions WHERE expires_at <= :now;

-- Where a person may go, the organization used last first.
-- name: membership_list :system
-- in:  account_id uuid
-- out: organization_id uuid, slug text, name text, role text, user_id uuid
SELECT o.id, o.slug, o.organization_name, u.role, u.id
FROM users AS u
JOIN organizations AS o ON o.id = u.organization_id
WHERE u.account_id = :account_id AND u.role <> 'Visitor' AND o.status = 'active'
ORDER BY coalesce(u.last_sign_in_at, 0) DESC, u.number;

-- name: membership_find :system
-- in:  account_id uuid, organization_id uuid
-- out: user_id uuid, email text
SELECT u.id, u.email
FROM users AS u
JOIN organizations AS o ON o.id = u.organization_id
WHERE u.account_id = :account_id AND u.organization_id = :organization_id AND u.role <> 'Visitor' AND o.status = 'active';

-- Suspended organizations count too: the person is still theirs.
-- name: membership_count :system
-- in:  account_id uuid
-- out: count int
SELECT count(*) FROM users AS u WHERE u.account_id = :account_id;
