-- The words of messages and summaries. What a document is stands in sql/schema/0005_search.sql, how its words are made in
-- src/search/words.h. SQLite puts the organization before each word by itself; PostgreSQL has it in a column.

-- name: search_add :tenant
-- in: document int, words text
-- sqlite:
INSERT INTO search (rowid, words) VALUES (:document, :words);
-- postgres:
INSERT INTO search (organization_id, document, words) VALUES (:organization, :document, string_to_array(:words, ' '));

-- The same words must be given as when it was added.
-- name: search_remove :tenant
-- in: document int, words text
-- sqlite:
INSERT INTO search (search, rowid, words) VALUES ('delete', :document, :words);
-- postgres:
DELETE FROM search
WHERE organization_id = :organization AND document = :document AND words = string_to_array(:words, ' ');

-- name: search_progress :system
-- out: last_message int
SELECT p.last_message FROM search_progress AS p WHERE p.number = 1;

-- name: search_progress_move :system
-- in: last_message int
UPDATE search_progress SET last_message = :last_message WHERE number = 1;

-- What the index has not seen yet, of all organizations, in the order it came.
-- name: search_news :system
-- in:  after int, limit int
-- out: number int, organization_id uuid, chat_number int, content text
SELECT m.number, m.organization_id, m.chat_number, m.content
FROM messages AS m
WHERE m.number > :after
ORDER BY m.number
LIMIT :limit;

-- How far the index lies behind: the number of the newest message, and the id, which tells the time, of the oldest that was
-- not looked at.
-- name: search_lag :system
-- out: last_message int, newest_message int, waiting_id uuid
SELECT p.last_message, (SELECT max(m.number) FROM messages AS m),
       (SELECT m.id FROM messages AS m WHERE m.number > p.last_message ORDER BY m.number LIMIT 1)
FROM search_progress AS p
WHERE p.number = 1;

-- Chats in which all words of a question occur in one message or in the summary, newest chat first. The index gives its hits
-- in that order, one after the other, so that the first page costs the same however many there are. `before`: only chats of
-- a smaller number.
-- name: search_chats :tenant
-- in:  words text, before int, limit int
-- out: number int, chat_id text
-- sqlite:
SELECT c.number, c.chat_id
FROM (SELECT DISTINCT s.rowid >> 32 AS number
      FROM search AS s
      WHERE s.search MATCH :words AND s.rowid < (:before << 32)
      ORDER BY s.rowid DESC
      LIMIT 4000000000) AS hit
CROSS JOIN chats AS c ON c.organization_id = :organization AND c.number = hit.number
LIMIT :limit;
-- postgres:
SELECT c.number, c.chat_id
FROM chats AS c
WHERE c.organization_id = :organization AND c.number < :before
  AND EXISTS (SELECT 1 FROM search AS s
              WHERE s.organization_id = :organization AND s.chat_number = c.number
                AND s.words @> string_to_array(:words, ' '))
ORDER BY c.number DESC
LIMIT :limit;
