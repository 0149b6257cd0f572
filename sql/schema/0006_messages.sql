-- Messages without a foreign key to their chat: an index on their side would halve what can be stored in a second, and
-- without one every deletion of a chat reads all messages. A trigger asks the same question when a message is stored; who
-- deletes a chat deletes its messages first, along their chain (src/erase/).
-- Numbers are never given twice: what follows behind messages by number (search_progress) would else miss one.
CREATE TABLE messages_new (
	number          INTEGER PRIMARY KEY AUTOINCREMENT,
	organization_id BLOB    NOT NULL,
	chat_number     INTEGER NOT NULL,
	previous        INTEGER,          -- number of the message before it in the same chat; null: it is the first
	id              BLOB    NOT NULL,
	role            TEXT    NOT NULL, -- user, assistant, system
	content         TEXT    NOT NULL,
	metadata        TEXT,
	created_at      INTEGER NOT NULL, -- as the concierge said, else when it came
	external_id     TEXT,             -- messageId, when the concierge named it
	idempotency_key TEXT              -- the header's value, when there was one
) STRICT;
INSERT INTO messages_new (number, organization_id, chat_number, previous, id, role, content, metadata, created_at,
                          external_id, idempotency_key)
SELECT number, organization_id, chat_number, previous, id, role, content, metadata, created_at, external_id, idempotency_key
FROM messages
ORDER BY number;
DROP TABLE messages;
ALTER TABLE messages_new RENAME TO messages;
CREATE UNIQUE INDEX messages_by_external_id ON messages (organization_id, external_id) WHERE external_id IS NOT NULL;
CREATE UNIQUE INDEX messages_by_idempotency_key ON messages (organization_id, idempotency_key)
	WHERE idempotency_key IS NOT NULL;

-- 'no such parent' is what db_sqlite.c knows as a parent that is not there.
CREATE TRIGGER messages_parent_insert BEFORE INSERT ON messages
WHEN NOT EXISTS (SELECT 1 FROM chats WHERE number = NEW.chat_number AND organization_id = NEW.organization_id)
BEGIN
	SELECT RAISE(ABORT, 'no such parent');
END;
CREATE TRIGGER messages_parent_update BEFORE UPDATE OF organization_id, chat_number ON messages
WHEN NOT EXISTS (SELECT 1 FROM chats WHERE number = NEW.chat_number AND organization_id = NEW.organization_id)
BEGIN
	SELECT RAISE(ABORT, 'no such parent');
END;
