-- The house on its first day. Times are milliseconds since 1970 UTC, ids UUID version 7 in 16 bytes, metadata JSON text.
-- `number` is a row's internal key: it grows with time, so that new rows land beside each other, and never leaves the server.
-- Every child names its parent together with the organization: a row cannot hang on another organization's.

CREATE TABLE organizations (
	number                INTEGER PRIMARY KEY,
	id                    BLOB    NOT NULL UNIQUE CHECK (length(id) = 16),
	slug                  TEXT    NOT NULL UNIQUE,
	organization_name     TEXT    NOT NULL,
	location              TEXT,
	website_url           TEXT,
	status                TEXT    NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'suspended')),
	requests_per_minute   INTEGER NOT NULL DEFAULT 0, -- of each of its API keys; 0: no limit
	created_at            INTEGER NOT NULL,
	updated_at            INTEGER NOT NULL
) STRICT;

-- A person who can sign in. Which organizations they belong to stands in users.
CREATE TABLE accounts (
	number        INTEGER PRIMARY KEY,
	id            BLOB    NOT NULL UNIQUE CHECK (length(id) = 16),
	email         TEXT    NOT NULL UNIQUE, -- trimmed, normalised, case-folded
	name          TEXT,
	password_hash TEXT,                    -- argon2id, as libsodium writes it; null: no password set
	created_at    INTEGER NOT NULL,
	updated_at    INTEGER NOT NULL
) STRICT;

CREATE TABLE api_keys (
	number          INTEGER PRIMARY KEY,
	organization_id BLOB    NOT NULL REFERENCES organizations (id),
	id              BLOB    NOT NULL,
	name            TEXT    NOT NULL,
	hash            TEXT    NOT NULL UNIQUE, -- SHA-256 of the key, hex: the key itself is shown once and kept nowhere
	masked          TEXT    NOT NULL,        -- ik_live_ab12...wxyz, for people to tell keys apart
	created_at      INTEGER NOT NULL,
	last_used_at    INTEGER,                 -- to the minute
	revoked_at      INTEGER,
	UNIQUE (organization_id, id)
) STRICT;

-- Members (role Admin, Creator, Member; with an account) and people whom a concierge identified (role Visitor; never one).
CREATE TABLE users (
	number          INTEGER PRIMARY KEY,
	organization_id BLOB    NOT NULL REFERENCES organizations (id),
	id              BLOB    NOT NULL,
	account_id      BLOB    REFERENCES accounts (id),
	email           TEXT    NOT NULL,
	name            TEXT,
	image           TEXT,
	role            TEXT    NOT NULL CHECK (role IN ('Admin', 'Creator', 'Member', 'Visitor')),
	provider        TEXT,
	provider_id     TEXT,
	created_at      INTEGER NOT NULL,
	updated_at      INTEGER NOT NULL,
	last_sign_in_at INTEGER,
	UNIQUE (organization_id, id),
	UNIQUE (organization_id, email),
	CHECK (role <> 'Visitor' OR account_id IS NULL)
) STRICT;
CREATE INDEX users_by_account ON users (account_id) WHERE account_id IS NOT NULL;

-- People behind chats, as far as they said who they are.
CREATE TABLE visitors (
	number          INTEGER PRIMARY KEY,
	organization_id BLOB    NOT NULL REFERENCES organizations (id),
	id              BLOB    NOT NULL,
	email           TEXT,             -- trimmed, normalised, case-folded
	name            TEXT,
	source          TEXT,
	metadata        TEXT,
	created_at      INTEGER NOT NULL,
	last_active_at  INTEGER NOT NULL,
	UNIQUE (organization_id, id),
	UNIQUE (organization_id, email)
) STRICT;

CREATE TABLE chats (
	number          INTEGER PRIMARY KEY,
	organization_id BLOB    NOT NULL REFERENCES organizations (id),
	id              BLOB    NOT NULL,
	chat_id         TEXT    NOT NULL, -- the concierge's own name of it
	session_id      TEXT    NOT NULL,
	user_id         TEXT,             -- the concierge's name of its user, or the id of a row in users
	visitor_id      BLOB,
	location        TEXT,             -- "City, State, Country"
	user_agent      TEXT,
	status          TEXT    NOT NULL CHECK (status IN ('active', 'completed', 'abandoned')),
	metadata        TEXT,
	created_at      INTEGER NOT NULL,
	UNIQUE (organization_id, number),
	UNIQUE (organization_id, id),
	UNIQUE (organization_id, chat_id),
	FOREIGN KEY (organization_id, visitor_id) REFERENCES visitors (organization_id, id)
) STRICT;
CREATE INDEX chats_by_session ON chats (organization_id, session_id, visitor_id);
CREATE INDEX chats_by_visitor ON chats (organization_id, visitor_id) WHERE visitor_id IS NOT NULL;

-- What every message moves, apart from chats because it is rewritten all the time: a hundred of these narrow rows share a
-- page, where five or ten chats would.
CREATE TABLE chat_activity (
	chat_number     INTEGER PRIMARY KEY,
	organization_id BLOB    NOT NULL,
	updated_at      INTEGER NOT NULL,
	message_count   INTEGER NOT NULL,
	last_message    INTEGER, -- number of the newest message: where the conversation is read from, backwards
	FOREIGN KEY (organization_id, chat_number) REFERENCES chats (organization_id, number)
) STRICT;

-- A conversation is a chain from its newest message back. An index by chat would cost a scattered page for every message
-- stored (measured: half the rows per second at two million); following the chain costs one look-up a message when read.
CREATE TABLE messages (
	number          INTEGER PRIMARY KEY,
	organization_id BLOB    NOT NULL,
	chat_number     INTEGER NOT NULL,
	previous        INTEGER,          -- number of the message before it in the same chat; null: it is the first
	id              BLOB    NOT NULL,
	role            TEXT    NOT NULL, -- user, assistant, system
	content         TEXT    NOT NULL,
	metadata        TEXT,
	created_at      INTEGER NOT NULL, -- as the concierge said, else when it came
	external_id     TEXT,             -- messageId, when the concierge named it
	idempotency_key TEXT,             -- the header's value, when there was one
	FOREIGN KEY (organization_id, chat_number) REFERENCES chats (organization_id, number)
) STRICT;
CREATE UNIQUE INDEX messages_by_external_id ON messages (organization_id, external_id) WHERE external_id IS NOT NULL;
CREATE UNIQUE INDEX messages_by_idempotency_key ON messages (organization_id, idempotency_key)
	WHERE idempotency_key IS NOT NULL;

-- Articles that an answer mentioned. A chat_id that no chat has yet is kept: it belongs to that chat once it is made.
CREATE TABLE article_mentions (
	number          INTEGER PRIMARY KEY,
	organization_id BLOB    NOT NULL REFERENCES organizations (id),
	id              BLOB    NOT NULL,
	article_id      TEXT    NOT NULL,
	article_name    TEXT    NOT NULL,
	article_slug    TEXT    NOT NULL,
	article_type    TEXT    NOT NULL,
	chat_id         TEXT,
	mentioned_at    INTEGER NOT NULL
) STRICT;
CREATE INDEX article_mentions_by_chat ON article_mentions (organization_id, chat_id) WHERE chat_id IS NOT NULL;

CREATE TABLE article_views (
	number          INTEGER PRIMARY KEY,
	organization_id BLOB    NOT NULL REFERENCES organizations (id),
	id              BLOB    NOT NULL,
	article_id      TEXT    NOT NULL,
	article_slug    TEXT    NOT NULL,
	article_name    TEXT    NOT NULL,
	article_type    TEXT    NOT NULL,
	chat_id         TEXT,
	session_id      TEXT,
	user_id         TEXT,
	visitor_id      BLOB,
	viewed_at       INTEGER NOT NULL,
	FOREIGN KEY (organization_id, visitor_id) REFERENCES visitors (organization_id, id)
) STRICT;
CREATE INDEX article_views_by_chat ON article_views (organization_id, chat_id) WHERE chat_id IS NOT NULL;
CREATE INDEX article_views_by_session ON article_views (organization_id, session_id, visitor_id)
	WHERE session_id IS NOT NULL;
CREATE INDEX article_views_by_visitor ON article_views (organization_id, visitor_id) WHERE visitor_id IS NOT NULL;

-- Web-search results that a concierge showed, and whether they were clicked.
CREATE TABLE web_mentions (
	number          INTEGER PRIMARY KEY,
	organization_id BLOB    NOT NULL REFERENCES organizations (id),
	id              BLOB    NOT NULL,
	article_url     TEXT    NOT NULL,
	article_title   TEXT    NOT NULL,
	chat_id         TEXT,
	session_id      TEXT    NOT NULL,
	visitor_id      BLOB,
	search_query    TEXT,
	metadata        TEXT    NOT NULL, -- score, content (its first 500 characters), image
	mentioned_at    INTEGER NOT NULL,
	created_at      INTEGER NOT NULL,
	clicked_at      INTEGER,          -- the first click
	FOREIGN KEY (organization_id, visitor_id) REFERENCES visitors (organization_id, id)
) STRICT;
-- A click names the page and the chat or the session; the address stands in the key because one session may have been
-- shown very many.
CREATE INDEX web_mentions_by_chat ON web_mentions (organization_id, chat_id, article_url) WHERE chat_id IS NOT NULL;
CREATE INDEX web_mentions_by_session ON web_mentions (organization_id, session_id, article_url);
CREATE INDEX web_mentions_by_visitor ON web_mentions (organization_id, visitor_id) WHERE visitor_id IS NOT NULL;
