-- Messages: appended, chained to the one before, found again by the name that the concierge gave.

-- name: message_create :tenant
-- in: chat_number int, previous int, id uuid, role text, content text, metadata json, created_at time,
--     external_id text, idempotency_key text
-- sqlite:
INSERT INTO messages (organization_id, chat_number, previous, id, role, content, metadata, created_at, external_id,
                      idempotency_key)
VALUES (:organization, :chat_number, :previous, :id, :role, :content, :metadata, :created_at, :external_id,
        :idempotency_key);
-- postgres:
INSERT INTO messages (organization_id, chat_number, previous, id, role, content, metadata, created_at, external_id,
                      idempotency_key)
SELECT :organization, a.chat_number, a.last_message, :id, :role, :content, :metadata, :created_at, :external_id,
       :idempotency_key
FROM chat_activity AS a
WHERE a.organization_id = :organization AND a.chat_number = :chat_number;

-- Those of a transaction that looks ahead, at once. Of a chat that is gone no row comes, which whoever sends them is told.
-- The LIMIT keeps the planner from joining in another way than chat by chat, which it would like while there are few.
-- name: messages_create :tenant :rows
-- in: number int, chat_number int, previous int, id uuid, role text, content text, metadata json, created_at time,
--     external_id text, idempotency_key text
-- sqlite: none
-- postgres:
INSERT INTO messages (number, organization_id, chat_number, previous, id, role, content, metadata, created_at, external_id,
                      idempotency_key)
SELECT r.number, :organization, a.chat_number, r.previous, r.id, r.role, r.content, r.metadata, r.created_at, r.external_id,
       r.idempotency_key
FROM unnest(:number, :chat_number, :previous, :id, :role, :content, :metadata, :created_at, :external_id, :idempotency_key)
     AS r (number, chat_number, previous, id, role, content, metadata, created_at, external_id, idempotency_key)
CROSS JOIN LATERAL (SELECT c.chat_number FROM chat_activity AS c
                    WHERE c.organization_id = :organization AND c.chat_number = r.chat_number LIMIT 1) AS a;

-- Numbers for them. Drawn within their transaction, which has its organization to itself, so that whoever follows an
-- organization's numbers never meets a smaller one later.
-- name: message_numbers :tenant
-- in:  count int
-- out: number int
-- sqlite: none
-- postgres:
SELECT nextval('messages_number_seq')
FROM generate_series(1, :count)
WHERE :organization IS NOT NULL;

-- The chat is null when it was erased and the message waits to follow it.
-- name: message_by_external_id :tenant
-- in:  external_id text
-- out: number int, id uuid, external_id text, chat_number int
SELECT m.number, m.id, m.external_id, c.number
FROM messages AS m
LEFT JOIN chats AS c ON c.organization_id = :organization AND c.number = m.chat_number
WHERE m.organization_id = :organization AND m.external_id = :external_id;

-- name: message_by_idempotency_key :tenant
-- in:  idempotency_key text
-- out: number int, id uuid, external_id text, chat_number int
SELECT m.number, m.id, m.external_id, c.number
FROM messages AS m
LEFT JOIN chats AS c ON c.organization_id = :organization AND c.number = m.chat_number
WHERE m.organization_id = :organization AND m.idempotency_key = :idempotency_key;

-- Of one whose chat was erased: its names are free.
-- name: message_forget_names :tenant
-- in: number int
UPDATE messages SET external_id = NULL, idempotency_key = NULL WHERE organization_id = :organization AND number = :number;
