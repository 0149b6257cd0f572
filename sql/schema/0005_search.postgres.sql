-- The words of messages and summaries, for the staff's search. A document is a message, or a chat's summary: its number is the
-- chat's number * 2^32 + the low 32 bits of the message's number (0: the summary), so that hits come newest chat first.
-- What is stored are not the words but, for each, a keyed hash of it: the key is the organization, so that one organization's
-- words lie in other lists of the index than another's (sql/search.sql).
CREATE TABLE search (
	organization_id uuid   NOT NULL,
	document        bigint NOT NULL,
	words           uuid[] NOT NULL,
	PRIMARY KEY (organization_id, document)
);
CREATE INDEX search_by_words ON search USING gin (words);

-- How far the index has come behind each organization's messages, and what it has to come to. (By organization, since many
-- writers number rows here, and one may commit a smaller number after another's greater one; of one organization there is
-- one writer at a time.)
CREATE TABLE search_progress (
	organization_id uuid   PRIMARY KEY REFERENCES organizations (id),
	last_message    bigint NOT NULL,
	newest_message  bigint NOT NULL
);
CREATE INDEX search_progress_with_work ON search_progress (organization_id) WHERE last_message < newest_message;
