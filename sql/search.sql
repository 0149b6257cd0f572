-- The words of messages and summaries. What a document is stands in sql/schema/0005_search.sql, how its words are made in
-- src/search/words.h. SQLite puts the organization before each word by itself; PostgreSQL has it in a column.

-- name: search_add :tenant
-- in: document int, words text
-- sqlite:
INSERT INTO search (rowid, words) VALUES (:document, :words);
-- postgres:
INSERT INTO search (organization_id, document, words) VALUES (:organization, :document, string_to_array(:words, ' ')::uuid[]);

-- The same words must be given as when it was added.
-- name: search_remove :tenant
-- in: document int, words text
-- sqlite:
INSERT INTO search (search, rowid, words) VALUES ('delete', :document, :words);
-- postgres:
DELETE FROM search
WHERE organization_id = :organization AND document = :document AND words = string_to_array(:words, ' ')::uuid[];

-- Every number up to here was looked at, of whichever organization.
-- name: search_progress :system
-- out: last_message int
-- sqlite:
SELECT p.last_message FROM search_progress AS p WHERE p.number = 1;
-- postgres:
SELECT coalesce(max(p.last_message), 0) FROM search_progress AS p;

-- name: search_progress_move :system
-- in: organization_id uuid, last_message int
-- sqlite:
UPDATE search_progress SET last_message = :last_message WHERE number = 1;
-- postgres:
UPDATE search_progress SET last_message = :last_message WHERE organization_id = :organization_id;

-- An organization has a message of this number, which the index will come to. On SQLite it looks by itself.
-- name: search_await :tenant
-- in: newest_message int
-- sqlite: none
-- postgres:
INSERT INTO search_progress (organization_id, last_message, newest_message)
VALUES (:organization, 0, :newest_message)
ON CONFLICT (organization_id) DO UPDATE
SET newest_message = greatest(search_progress.newest_message, excluded.newest_message);

-- What the index has not seen yet, in the order it came: of all organizations, or (PostgreSQL) of one that has some.
-- name: search_news :system
-- in:  after int, limit int
-- out: number int, organization_id uuid, chat_number int, content text
-- sqlite:
SELECT m.number, m.organization_id, m.chat_number, m.content
FROM messages AS m
WHERE m.number > :after
ORDER BY m.number
LIMIT :limit;
-- postgres:
SELECT m.number, m.organization_id, m.chat_number, m.content
FROM (SELECT p.organization_id, p.last_message
      FROM search_progress AS p
      WHERE p.last_message < p.newest_message
      ORDER BY p.organization_id
      LIMIT 1) AS w
JOIN messages AS m ON m.organization_id = w.organization_id AND m.number > w.last_message
ORDER BY m.number
LIMIT :limit;

-- How far the index lies behind: the number of the newest message, and the id, which tells the time, of the oldest that was
-- not looked at.
-- name: search_lag :system
-- out: last_message int, newest_message int, waiting_id uuid
-- sqlite:
SELECT p.last_message, (SELECT max(m.number) FROM messages AS m),
       (SELECT m.id FROM messages AS m WHERE m.number > p.last_message ORDER BY m.number LIMIT 1)
FROM search_progress AS p
WHERE p.number = 1;
-- postgres:
SELECT p.last_message, p.newest_message,
       (SELECT m.id
        FROM messages AS m
        WHERE m.organization_id = p.organization_id AND m.number > p.last_message
        ORDER BY m.number
        LIMIT 1)
FROM search_progress AS p
ORDER BY p.newest_message - p.last_message DESC
LIMIT 1;

-- Chats in which all words of a question occur in one message or in the summary, newest chat first. The index gives its hits
-- in that order, one after the other, so that the first page costs the same however many there are. Only chats of a smaller
-- number than before_number. Columns as chat_page has them.
-- name: chat_page_of_search :tenant
-- in:  words text, before_number int, limit int, from_time time, before_time time, status text, min_lead_score int,
--      sentiment text, visitor_id uuid
-- out: sort_time time, sort_number int, topic_summary text, user_score int, lead_score int, sentiment text, topics json,
--      conversion_signals json, summarized_at time,
--      id uuid, chat_id text, session_id text, user_id text, visitor_id uuid, location text, user_agent text, status text,
--      metadata json, created_at time, updated_at time, message_count int, organization_id uuid
-- sqlite:
SELECT c.created_at, c.number, s.topic_summary, s.user_score, s.lead_score, s.sentiment, s.topics, s.conversion_signals,
       s.summarized_at, c.id, c.chat_id, c.session_id, c.user_id, c.visitor_id, c.location, c.user_agent, c.status,
       c.metadata, c.created_at, a.updated_at, a.message_count, c.organization_id
FROM (SELECT DISTINCT h.rowid >> 32 AS number
      FROM search AS h
      WHERE h.search MATCH :words AND h.rowid < (:before_number << 32)
      ORDER BY h.rowid DESC
      LIMIT 4000000000) AS hit
CROSS JOIN chats AS c ON c.organization_id = :organization AND c.number = hit.number
CROSS JOIN chat_activity AS a ON a.chat_number = c.number AND a.organization_id = :organization
LEFT JOIN chat_summaries AS s ON s.chat_number = c.number AND s.organization_id = :organization
WHERE c.created_at >= :from_time AND c.created_at < :before_time
  AND (:status IS NULL OR c.status = :status)
  AND (:min_lead_score IS NULL OR coalesce(s.lead_score, c.given_lead_score) >= :min_lead_score)
  AND (:sentiment IS NULL OR coalesce(s.sentiment, c.given_sentiment) = :sentiment)
  AND (:visitor_id IS NULL OR c.visitor_id = :visitor_id)
LIMIT :limit;
-- postgres:
SELECT c.created_at, c.number, s.topic_summary, s.user_score, s.lead_score, s.sentiment, s.topics, s.conversion_signals,
       s.summarized_at, c.id, c.chat_id, c.session_id, c.user_id, c.visitor_id, c.location, c.user_agent, c.status,
       c.metadata, c.created_at, a.updated_at, a.message_count, c.organization_id
FROM chats AS c
JOIN chat_activity AS a ON a.chat_number = c.number AND a.organization_id = :organization
LEFT JOIN chat_summaries AS s ON s.chat_number = c.number AND s.organization_id = :organization
WHERE c.organization_id = :organization AND c.number < :before_number
  AND EXISTS (SELECT 1 FROM search AS h
              WHERE h.organization_id = :organization AND h.document >> 32 = c.number
                AND h.words @> string_to_array(:words, ' ')::uuid[])
  AND c.created_at >= :from_time AND c.created_at < :before_time
  AND (:status IS NULL OR c.status = :status)
  AND (:min_lead_score IS NULL OR coalesce(s.lead_score, c.given_lead_score) >= :min_lead_score)
  AND (:sentiment IS NULL OR coalesce(s.sentiment, c.given_sentiment) = :sentiment)
  AND (:visitor_id IS NULL OR c.visitor_id = :visitor_id)
ORDER BY c.number DESC
LIMIT :limit;
