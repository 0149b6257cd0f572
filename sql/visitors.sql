-- Visitors: found, made, merged, and linked to what they did.

-- name: visitor_by_id :tenant
-- in:  id uuid
-- out: number int, id uuid, email text, name text, metadata json, created_at time
SELECT v.number, v.id, v.email, v.name, v.metadata, v.created_at
FROM visitors AS v
WHERE v.organization_id = :organization AND v.id = :id;

-- name: visitor_by_email :tenant
-- in:  email text
-- out: id uuid
SELECT v.id FROM visitors AS v WHERE v.organization_id = :organization AND v.email = :email;

-- name: visitor_of_session_chat :tenant
-- in:  session_id text
-- out: visitor_id uuid
SELECT c.visitor_id
FROM chats AS c
WHERE c.organization_id = :organization AND c.session_id = :session_id AND c.visitor_id IS NOT NULL
ORDER BY c.visitor_id
LIMIT 1;

-- name: visitor_of_session_view :tenant
-- in:  session_id text
-- out: visitor_id uuid
SELECT w.visitor_id
FROM article_views AS w
WHERE w.organization_id = :organization AND w.session_id = :session_id AND w.visitor_id IS NOT NULL
ORDER BY w.visitor_id
LIMIT 1;

-- name: visitor_create :tenant
-- in: id uuid, email text, name text, source text, metadata json, created_at time
INSERT INTO visitors (organization_id, id, email, name, source, metadata, created_at, last_active_at)
VALUES (:organization, :id, :email, :name, :source, :metadata, :created_at, :created_at);

-- name: visitor_change :tenant
-- in: id uuid, email text, name text, metadata json, last_active_at time
UPDATE visitors
SET email = :email, name = coalesce(:name, name), metadata = :metadata,
    last_active_at = CASE WHEN last_active_at < :last_active_at THEN :last_active_at ELSE last_active_at END
WHERE organization_id = :organization AND id = :id;

-- name: visitor_delete :tenant
-- in: id uuid
DELETE FROM visitors WHERE organization_id = :organization AND id = :id;

-- name: chats_move_visitor :tenant
-- in: visitor_id uuid, new_visitor_id uuid
UPDATE chats SET visitor_id = :new_visitor_id WHERE organization_id = :organization AND visitor_id = :visitor_id;

-- name: article_views_move_visitor :tenant
-- in: visitor_id uuid, new_visitor_id uuid
UPDATE article_views SET visitor_id = :new_visitor_id WHERE organization_id = :organization AND visitor_id = :visitor_id;

-- name: web_mentions_move_visitor :tenant
-- in: visitor_id uuid, new_visitor_id uuid
UPDATE web_mentions SET visitor_id = :new_visitor_id WHERE organization_id = :organization AND visitor_id = :visitor_id;

-- name: chats_link_session :tenant
-- in: session_id text, visitor_id uuid
UPDATE chats SET visitor_id = :visitor_id
WHERE organization_id = :organization AND session_id = :session_id AND visitor_id IS NULL;

-- name: article_views_link_session :tenant
-- in: session_id text, visitor_id uuid
UPDATE article_views SET visitor_id = :visitor_id
WHERE organization_id = :organization AND session_id = :session_id AND visitor_id IS NULL;

-- name: chat_link_visitor :tenant
-- in: number int, visitor_id uuid
UPDATE chats SET visitor_id = :visitor_id WHERE organization_id = :organization AND number = :number;
