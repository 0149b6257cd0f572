-- Members of an organization, and the people a concierge identified as its users.

-- name: user_by_email :tenant
-- in:  email text
-- out: id uuid, role text, account_id uuid
SELECT u.id, u.role, u.account_id FROM users AS u WHERE u.organization_id = :organization AND u.email = :email;

-- name: user_by_id :tenant
-- in:  id uuid
-- out: id uuid, email text, name text, role text, account_id uuid
SELECT u.id, u.email, u.name, u.role, u.account_id FROM users AS u WHERE u.organization_id = :organization AND u.id = :id;

-- As the API shows one.
-- name: user_show :tenant
-- in:  id uuid
-- out: id uuid, email text, name text, image text, role text, provider text, provider_id text, created_at time,
--      updated_at time, last_sign_in_at time, organization_id uuid
SELECT u.id, u.email, u.name, u.image, u.role, u.provider, u.provider_id, u.created_at, u.updated_at, u.last_sign_in_at,
       u.organization_id
FROM users AS u
WHERE u.organization_id = :organization AND u.id = :id;

-- Admins who can sign in, but for one: whether somebody is left to hold the keys.
-- name: user_count_other_admins :tenant
-- in:  id uuid
-- out: count int
SELECT count(*)
FROM users AS u
WHERE u.organization_id = :organization AND u.role = 'Admin' AND u.account_id IS NOT NULL AND u.id <> :id;

-- name: user_change :tenant
-- in: id uuid, name text, role text, now time
UPDATE users SET name = coalesce(:name, name), role = coalesce(:role, role), updated_at = :now
WHERE organization_id = :organization AND id = :id;

-- An invitation is accepted: the member can sign in from now on.
-- name: user_take_account :tenant
-- in: id uuid, account_id uuid, name text, now time
UPDATE users SET account_id = :account_id, name = coalesce(:name, name), updated_at = :now
WHERE organization_id = :organization AND id = :id AND account_id IS NULL;

-- name: user_signed_in :tenant
-- in: id uuid, now time
UPDATE users SET last_sign_in_at = :now WHERE organization_id = :organization AND id = :id;

-- name: user_delete :tenant
-- in: id uuid
DELETE FROM users WHERE organization_id = :organization AND id = :id;

-- What a removed user leaves behind names nobody any more.
-- name: chats_drop_user :tenant
-- in: user_id text
UPDATE chats SET user_id = NULL WHERE organization_id = :organization AND user_id = :user_id;

-- name: article_views_drop_user :tenant
-- in: user_id text
UPDATE article_views SET user_id = NULL WHERE organization_id = :organization AND user_id = :user_id;

-- name: user_create :tenant
-- in: id uuid, account_id uuid, email text, name text, role text, provider text, now time
INSERT INTO users (organization_id, id, account_id, email, name, role, provider, created_at, updated_at)
VALUES (:organization, :id, :account_id, :email, :name, :role, :provider, :now, :now);

-- A contact that is invited keeps its id, and with it its chats.
-- name: user_promote :tenant
-- in: id uuid, name text, role text, now time
UPDATE users SET role = :role, name = coalesce(:name, name), updated_at = :now
WHERE organization_id = :organization AND id = :id;

-- name: user_list :tenant
-- out: id uuid, email text, name text, image text, role text, provider text, provider_id text, created_at time,
--      updated_at time, last_sign_in_at time, organization_id uuid
SELECT u.id, u.email, u.name, u.image, u.role, u.provider, u.provider_id, u.created_at, u.updated_at, u.last_sign_in_at,
       u.organization_id
FROM users AS u
WHERE u.organization_id = :organization AND u.role <> 'Visitor'
ORDER BY u.number;

-- name: chats_take_user_by_session :tenant
-- in: session_id text, user_id text
UPDATE chats SET user_id = :user_id
WHERE organization_id = :organization AND session_id = :session_id AND user_id IS NULL;

-- name: chat_take_user :tenant
-- in: number int, user_id text
UPDATE chats SET user_id = :user_id WHERE organization_id = :organization AND number = :number AND user_id IS NULL;

-- name: article_views_take_user_by_session :tenant
-- in: session_id text, user_id text
UPDATE article_views SET user_id = :user_id
WHERE organization_id = :organization AND session_id = :session_id AND user_id IS NULL;
