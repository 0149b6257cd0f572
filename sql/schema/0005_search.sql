-- The words of messages and summaries, for the staff's search. What is stored here are not the words but, for each, a keyed
-- hash of it: the key is the organization (store/search_guard.h), so that one organization's words lie in other lists than
-- another's, and what was said cannot be read from this table.
--
-- A document is a message, or a chat's summary. Its rowid is the chat's number * 2^32 + the low 32 bits of the message's
-- number (0: the summary), so that hits come newest chat first. Contentless: the text stands in messages. No positions: all
-- words of a question must occur in one document, in any order.
CREATE VIRTUAL TABLE search USING fts5 (words, content = '', columnsize = 0, detail = none, tokenize = 'ascii');

-- How far the index has come behind the messages; moves in one transaction with the documents.
CREATE TABLE search_progress (
	number       INTEGER PRIMARY KEY CHECK (number = 1),
	last_message INTEGER NOT NULL -- number of the newest message that was looked at
) STRICT;
INSERT INTO search_progress (number, last_message) VALUES (1, 0);
