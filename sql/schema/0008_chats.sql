-- Numbers of chats are never given twice: the words and messages of a chat that was erased keep its number until they are
-- removed, and a search, or a repeated message, would take them for the next chat's.
CREATE TABLE chats_new (
	number           INTEGER PRIMARY KEY AUTOINCREMENT,
	organization_id  BLOB    NOT NULL REFERENCES organizations (id),
	id               BLOB    NOT NULL,
	chat_id          TEXT    NOT NULL, -- the concierge's own name of it
	session_id       TEXT    NOT NULL,
	user_id          TEXT,             -- the concierge's name of its user, or the id of a row in users
	visitor_id       BLOB,
	location         TEXT,             -- "City, State, Country"
	user_agent       TEXT,
	status           TEXT    NOT NULL CHECK (status IN ('active', 'completed', 'abandoned')),
	metadata         TEXT,
	created_at       INTEGER NOT NULL,
	-- Of the metadata, as the concierge gave it: what lists show and choose by while no summary says otherwise.
	given_lead_score INTEGER,
	given_sentiment  TEXT,
	UNIQUE (organization_id, number),
	UNIQUE (organization_id, id),
	UNIQUE (organization_id, chat_id),
	FOREIGN KEY (organization_id, visitor_id) REFERENCES visitors (organization_id, id)
) STRICT;
CREATE TABLE chat_activity_new (
	chat_number     INTEGER PRIMARY KEY,
	organization_id BLOB    NOT NULL,
	updated_at      INTEGER NOT NULL,
	message_count   INTEGER NOT NULL,
	last_message    INTEGER, -- number of the newest message: where the conversation is read from, backwards
	counted_edition INTEGER, -- where the last counted user message fell
	counted_day     INTEGER,
	FOREIGN KEY (organization_id, chat_number) REFERENCES chats_new (organization_id, number)
) STRICT;
CREATE TABLE chat_summaries_new (
	chat_number        INTEGER PRIMARY KEY,
	organization_id    BLOB    NOT NULL,
	topic_summary      TEXT,
	user_score         INTEGER CHECK (user_score BETWEEN 1 AND 5),
	lead_score         INTEGER CHECK (lead_score BETWEEN 0 AND 10),
	sentiment          TEXT    CHECK (sentiment IN ('positive', 'neutral', 'negative')),
	topics             TEXT,             -- JSON array
	conversion_signals TEXT,             -- JSON array
	summarized_at      INTEGER NOT NULL,
	last_message       INTEGER,          -- number of the newest message that it rests on
	FOREIGN KEY (organization_id, chat_number) REFERENCES chats_new (organization_id, number)
) STRICT;

INSERT INTO chats_new (number, organization_id, id, chat_id, session_id, user_id, visitor_id, location, user_agent, status,
                       metadata, created_at, given_lead_score, given_sentiment)
SELECT number, organization_id, id, chat_id, session_id, user_id, visitor_id, location, user_agent, status, metadata,
       created_at,
       CASE WHEN json_type(object, '$.leadScore') = 'integer' THEN json_extract(object, '$.leadScore') END,
       CASE WHEN json_type(object, '$.sentiment') = 'text' THEN json_extract(object, '$.sentiment') END
FROM (SELECT *, CASE WHEN json_valid(metadata) THEN metadata END AS object FROM chats)
ORDER BY number;
INSERT INTO chat_activity_new (chat_number, organization_id, updated_at, message_count, last_message, counted_edition,
                               counted_day)
SELECT chat_number, organization_id, updated_at, message_count, last_message, counted_edition, counted_day
FROM chat_activity
ORDER BY chat_number;
INSERT INTO chat_summaries_new (chat_number, organization_id, topic_summary, user_score, lead_score, sentiment, topics,
                                conversion_signals, summarized_at, last_message)
SELECT chat_number, organization_id, topic_summary, user_score, lead_score, sentiment, topics, conversion_signals,
       summarized_at, last_message
FROM chat_summaries
ORDER BY chat_number;

DROP TRIGGER messages_parent_insert;
DROP TRIGGER messages_parent_update;
DROP TABLE chat_summaries;
DROP TABLE chat_activity;
DROP TABLE chats;
ALTER TABLE chats_new RENAME TO chats;
ALTER TABLE chat_activity_new RENAME TO chat_activity;
ALTER TABLE chat_summaries_new RENAME TO chat_summaries;

CREATE INDEX chats_by_session ON chats (organization_id, session_id, visitor_id);
CREATE INDEX chats_by_visitor ON chats (organization_id, visitor_id) WHERE visitor_id IS NOT NULL;
CREATE INDEX chats_by_time ON chats (organization_id, created_at);
CREATE INDEX chats_by_user ON chats (organization_id, user_id) WHERE user_id IS NOT NULL;
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

-- Also behind those that are erased and whose messages wait to be removed.
DELETE FROM sqlite_sequence WHERE name = 'chats';
INSERT INTO sqlite_sequence (name, seq)
SELECT 'chats', max(coalesce((SELECT max(number) FROM chats), 0),
                    coalesce((SELECT max(chat_number) FROM erasures), 0));
