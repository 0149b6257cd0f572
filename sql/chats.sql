-- Chats and what every message moves of them.

-- name: chat_by_external_id :tenant
-- in:  chat_id text
-- out: number int, chat_id text, visitor_id uuid, created_at time
SELECT c.number, c.chat_id, c.visitor_id, c.created_at
FROM chats AS c
WHERE c.organization_id = :organization AND c.chat_id = :chat_id;

-- name: chat_by_id :tenant
-- in:  id uuid
-- out: number int, chat_id text, visitor_id uuid, created_at time
SELECT c.number, c.chat_id, c.visitor_id, c.created_at
FROM chats AS c
WHERE c.organization_id = :organization AND c.id = :id;

-- name: chat_create :tenant
-- in: id uuid, chat_id text, session_id text, user_id text, location text, user_agent text, status text, metadata json,
--     created_at time
INSERT INTO chats (organization_id, id, chat_id, session_id, user_id, location, user_agent, status, metadata, created_at)
VALUES (:organization, :id, :chat_id, :session_id, :user_id, :location, :user_agent, :status, :metadata, :created_at);

-- What the metadata says of the lead and the mood.
-- name: chat_note_given :tenant
-- in: number int, given_lead_score int, given_sentiment text
UPDATE chats SET given_lead_score = :given_lead_score, given_sentiment = :given_sentiment
WHERE organization_id = :organization AND number = :number;

-- name: chat_activity_create :tenant
-- in: chat_number int, updated_at time
INSERT INTO chat_activity (chat_number, organization_id, updated_at, message_count)
VALUES (:chat_number, :organization, :updated_at, 0);

-- name: chat_conversation :tenant
-- in:  chat_id text
-- out: number int, session_id text, last_message int, message_count int, counted_edition int, counted_day int
SELECT c.number, c.session_id, a.last_message, a.message_count, a.counted_edition, a.counted_day
FROM chats AS c
JOIN chat_activity AS a ON a.chat_number = c.number AND a.organization_id = :organization
WHERE c.organization_id = :organization AND c.chat_id = :chat_id;

-- What the messages of a transaction that looks ahead have moved, a row a chat. A chat that is not as it was when they were
-- chained to it gets no row changed, which whoever sends them is told. (Each is there, so none is inserted: it is only that
-- ON CONFLICT goes to each row by the key, where an UPDATE may read all chats of the organization.)
-- name: chat_activities_move :tenant :rows
-- in: chat_number int, messages int, message_count int, previous int, last_message int, updated_at time,
--     counted_edition int, counted_day int
-- sqlite: none
-- postgres:
INSERT INTO chat_activity (chat_number, organization_id, updated_at, message_count, last_message, counted_edition, counted_day)
SELECT a.chat_number, :organization, greatest(a.updated_at, r.updated_at), r.message_count, r.last_message, r.counted_edition,
       r.counted_day
FROM unnest(:chat_number, :messages, :message_count, :previous, :last_message, :updated_at, :counted_edition, :counted_day)
     AS r (chat_number, messages, message_count, previous, last_message, updated_at, counted_edition, counted_day)
CROSS JOIN LATERAL (SELECT c.chat_number, c.updated_at FROM chat_activity AS c
                    WHERE c.organization_id = :organization AND c.chat_number = r.chat_number
                      AND c.message_count = r.message_count - r.messages
                      AND c.last_message IS NOT DISTINCT FROM r.previous
                    LIMIT 1) AS a
ON CONFLICT (organization_id, chat_number) DO UPDATE
SET updated_at = excluded.updated_at, message_count = excluded.message_count, last_message = excluded.last_message,
    counted_edition = excluded.counted_edition, counted_day = excluded.counted_day;

-- PostgreSQL tells itself which message it was, so that nobody waits for the number.
-- name: chat_activity_move :tenant
-- in: chat_number int, updated_at time, last_message int, counted_edition int, counted_day int
-- sqlite:
UPDATE chat_activity
SET updated_at = CASE WHEN updated_at < :updated_at THEN :updated_at ELSE updated_at END, message_count = message_count + 1,
    last_message = :last_message, counted_edition = :counted_edition, counted_day = :counted_day
WHERE organization_id = :organization AND chat_number = :chat_number;
-- postgres:
UPDATE chat_activity
SET updated_at = CASE WHEN updated_at < :updated_at THEN :updated_at ELSE updated_at END, message_count = message_count + 1,
    last_message = currval('messages_number_seq'), counted_edition = :counted_edition, counted_day = :counted_day
WHERE organization_id = :organization AND chat_number = :chat_number;
