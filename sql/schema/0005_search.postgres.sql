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

-- Chats of the transaction's organization with a document in which a question's words occur, newest first, before a place.
-- The question is what src/search/hidden_words.h makes: words that a document must have, and perhaps, behind a `|`, some of
-- which it must have one.
-- Under row level security an index serves only operators that are marked as leaking nothing, and containment of arrays is
-- not among them. So this function runs as a role of its own that sees the table whole, and asks for the transaction's
-- organization by itself. It reads in windows of chats, the next one larger: a word of every message is found in the first,
-- and one that is rare costs a few questions more.
CREATE FUNCTION search_documents(question text, before_place bigint, most bigint) RETURNS TABLE (chat_number bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = innkeeper, pg_catalog, pg_temp AS $$
DECLARE
	whose uuid := nullif(current_setting('innkeeper.organization', true), '')::uuid;
	needed uuid[] := split_part(question, '|', 1)::uuid[];
	one_of uuid[] := nullif(split_part(question, '|', 2), '')::uuid[];
	high bigint := before_place >> 32;
	low bigint;
	width bigint := 64;
	given bigint := 0;
	found bigint;
BEGIN
	SELECT least(high, coalesce((SELECT max(s.document) FROM search AS s WHERE s.organization_id = whose) >> 32, 0) + 1)
	INTO high;
	WHILE high > 0 AND given < most LOOP
		low := greatest(high - width, 0);
		RETURN QUERY EXECUTE
			'SELECT DISTINCT s.document >> 32 FROM search AS s'
			' WHERE s.organization_id = $1 AND s.document >= $2 AND s.document < $3 AND s.words @> $4'
			|| CASE WHEN one_of IS NULL THEN '' ELSE ' AND s.words && $5' END
			|| ' ORDER BY 1 DESC LIMIT $6'
			USING whose, low << 32, high << 32, needed, one_of, most - given;
		GET DIAGNOSTICS found = ROW_COUNT;
		given := given + found;
		high := low;
		width := width * 4;
	END LOOP;
END
$$;
-- Its role may see the table and nothing else, and nobody can log in as it.
GRANT USAGE, CREATE ON SCHEMA innkeeper TO innkeeper_searcher;
ALTER FUNCTION search_documents(text, bigint, bigint) OWNER TO innkeeper_searcher;
REVOKE CREATE ON SCHEMA innkeeper FROM innkeeper_searcher;
SET LOCAL ROLE innkeeper_searcher;
REVOKE ALL ON FUNCTION search_documents(text, bigint, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION search_documents(text, bigint, bigint) TO innkeeper_server;
SET LOCAL ROLE innkeeper_owner;
GRANT SELECT ON search TO innkeeper_searcher;

-- How far the index has come behind each organization's messages, and what it has to come to. (By organization, since many
-- writers number rows here, and one may commit a smaller number after another's greater one; of one organization there is
-- one writer at a time.)
CREATE TABLE search_progress (
	organization_id uuid   PRIMARY KEY REFERENCES organizations (id),
	last_message    bigint NOT NULL,
	newest_message  bigint NOT NULL
);
CREATE INDEX search_progress_with_work ON search_progress (organization_id) WHERE last_message < newest_message;
