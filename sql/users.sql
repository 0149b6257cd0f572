-- Members of an organization, and the people a concierge identified as its users.

-- name: user_by_email :tenant
-- in:  email text
-- out: id uuid, role text, account_id uuid
SELECT u.id, u.role, u.account_id FROM users AS u WHERE u.organization_id = :organization AND u.email = :email;

-- name: user_create :tenant
-- in: id uuid, account_id uuid, email text, name text, role text, provider text, now time
INSERT INTO users (organization_id, id, account_id, email, name, role, provider, created_at, updated_at)
VALUES (:organization, :id, :account_id, :email, :name, :role, :provider, :now, :now);

-- A contact that the operator makes a member keeps its id, and with it its chats.
-- name: user_promote :tenant
-- in: id uuid, account_id uuid, name text, role text, now time
UPDATE users SET account_id = :account_id, role = :role, name = coalesce(:name, name), updated_at = :now
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
