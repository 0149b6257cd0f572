-- What staff need: sessions, invitations, identities of other providers, a record of who did what; and orders to read by.

ALTER TABLE organizations ADD COLUMN time_zone TEXT NOT NULL DEFAULT 'UTC'; -- IANA name: whose midnight ends a day
ALTER TABLE organizations ADD COLUMN retention_days INTEGER;                -- older data is erased daily; null: never

-- Random keys of this database, made when first needed: cursors and other sealed texts outlive a restart by them.
CREATE TABLE secrets (
	number INTEGER PRIMARY KEY,
	name   TEXT NOT NULL UNIQUE, -- what it is for
	value  TEXT NOT NULL         -- 32 random bytes, hex
) STRICT;

-- A person who is signed in, and the organization they are in at the moment. Global: it is the person's, not the organization's.
CREATE TABLE sessions (
	number                  INTEGER PRIMARY KEY,
	hash                    TEXT    NOT NULL UNIQUE, -- SHA-256 of the cookie's token, hex: the token is kept nowhere
	account_id              BLOB    NOT NULL REFERENCES accounts (id),
	entered_organization_id BLOB    NOT NULL REFERENCES organizations (id),
	created_at              INTEGER NOT NULL,
	expires_at              INTEGER NOT NULL         -- moves on with use
) STRICT;
CREATE INDEX sessions_by_account ON sessions (account_id);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);
CREATE INDEX sessions_by_entered_organization ON sessions (entered_organization_id);

-- An account as an OpenID Connect provider knows it: recognised by issuer and subject alone, once it is linked.
CREATE TABLE identities (
	number       INTEGER PRIMARY KEY,
	issuer       TEXT    NOT NULL,
	subject      TEXT    NOT NULL,
	account_id   BLOB    NOT NULL REFERENCES accounts (id),
	created_at   INTEGER NOT NULL,
	UNIQUE (issuer, subject)
) STRICT;
CREATE INDEX identities_by_account ON identities (account_id);

-- One-time links by which a member who has no account yet gets one. Until then users.account_id is null.
CREATE TABLE invitations (
	number          INTEGER PRIMARY KEY,
	organization_id BLOB    NOT NULL REFERENCES organizations (id),
	user_id         BLOB    NOT NULL,
	hash            TEXT    NOT NULL UNIQUE, -- SHA-256 of the link's token, hex
	created_at      INTEGER NOT NULL,
	expires_at      INTEGER NOT NULL,
	UNIQUE (organization_id, user_id),       -- a new link puts an older one out of use
	FOREIGN KEY (organization_id, user_id) REFERENCES users (organization_id, id)
) STRICT;

-- Who did what, when, from where.
CREATE TABLE audit_log (
	number          INTEGER PRIMARY KEY,
	organization_id BLOB    NOT NULL REFERENCES organizations (id),
	id              BLOB    NOT NULL,
	created_at      INTEGER NOT NULL,
	actor_kind      TEXT    NOT NULL CHECK (actor_kind IN ('user', 'operator', 'nobody', 'system')),
	actor_id        BLOB,             -- the row in users, which may be gone
	actor_email     TEXT,             -- as it was then
	action          TEXT    NOT NULL, -- session.create, key.revoke, …
	target          TEXT,             -- the id of what it was done to
	detail          TEXT,             -- JSON: what else one may want to know; no secret, no content
	address         TEXT,             -- where the request came from
	UNIQUE (organization_id, id)
) STRICT;
CREATE INDEX audit_log_by_time ON audit_log (organization_id, created_at);

-- What a chat was about, as a summarizer or an import says.
CREATE TABLE chat_summaries (
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
	FOREIGN KEY (organization_id, chat_number) REFERENCES chats (organization_id, number)
) STRICT;

-- Lists are read newest first, and what is old is found by its time; number breaks ties.
CREATE INDEX chats_by_time ON chats (organization_id, created_at);
CREATE INDEX visitors_by_time ON visitors (organization_id, created_at);
CREATE INDEX article_mentions_by_time ON article_mentions (organization_id, mentioned_at);
CREATE INDEX article_views_by_time ON article_views (organization_id, viewed_at);
CREATE INDEX web_mentions_by_time ON web_mentions (organization_id, mentioned_at);
CREATE INDEX web_mentions_by_click ON web_mentions (organization_id, clicked_at) WHERE clicked_at IS NOT NULL;
CREATE INDEX users_by_time ON users (organization_id, created_at);
CREATE INDEX chats_by_user ON chats (organization_id, user_id) WHERE user_id IS NOT NULL;
CREATE INDEX article_views_by_user ON article_views (organization_id, user_id) WHERE user_id IS NOT NULL;

-- From here on an account is made when somebody proves to be its person: a member without a password is one to invite.
UPDATE users SET account_id = NULL
WHERE account_id IN (SELECT a.id FROM accounts AS a WHERE a.password_hash IS NULL);
DELETE FROM accounts WHERE password_hash IS NULL;
