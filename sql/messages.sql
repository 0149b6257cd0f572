-- Messages: appended, chained to the one before, found again by the name that the concierge gave.

-- name: message_create :tenant
-- in: chat_number int, previous int, id uuid, role text, content text, metadata json, created_at time,
--     external_id text, idempotency_key text
INSERT INTO messages (organization_id, chat_number, previous, id, role, content, metadata, created_at, external_id,
                      idempotency_key)
VALUES (:organization, :chat_number, :previous, :id, :role, :content, :metadata, :created_at, :external_id,
        :idempotency_key);

-- name: message_by_external_id :tenant
-- in:  external_id text
-- out: id uuid, external_id text
SELECT m.id, m.external_id
FROM messages AS m
WHERE m.organization_id = :organization AND m.external_id = :external_id;

-- name: message_by_idempotency_key :tenant
-- in:  idempotency_key text
-- out: id uuid, external_id text
SELECT m.id, m.external_id
FROM messages AS m
WHERE m.organization_id = :organization AND m.idempotency_key = :idempotency_key;
