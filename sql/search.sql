-- The words of messages and summaries. What a document is stands in sql/schema/0005_search.sql, how its words are made in
-- src/search/words.h. SQLite puts the organization before each word by itself; PostgreSQL has it in a column.

-- name: search_add :tenant :rows
-- in: document int, words text
-- sqlite:
INSERT INTO search (rowid, words) VALUES (:document, :words);
-- postgres:
INSERT INTO search (organization_id, document, words)
SELECT :organization, r.document, CAST(r.words AS uuid[])
FROM unnest(:document, :words) AS r (document, words);

-- The same words must be given as when it was added.
-- name: search_remove :tenant
-- in: document int, words text
-- sqlite:
INSERT INTO search (search, rowid, words) VALUES ('delete', :document, :words);
-- postgres:
DELETE FROM search
WHERE organization_id = :organization AND document = :document;

-- Every number up to here was looked at, of whichever organization.
-- name: search_progress :system
-- out: last_message int
-- sqlite:
SELECT p.last_message FROM search_progress AS p WHERE p.number = 1;
-- postgres:
SELECT coalesce(max(p.last_message), 0) FROM search_progress AS p;

-- name: search_progress_move :system
-- in: last_message int
-- sqlite:
UPDATE search_progress SET last_message = :last_message WHERE number = 1;
-- postgres: none

-- What the index has not seen yet, of all organizations, in the order it came.
-- name: search_news :system
-- in:  after int, limit int
-- out: number int, organization_id uuid, chat_number int, content text
-- sqlite:
SELECT m.number, m.organization_id, m.chat_number, m.content
FROM messages AS m
WHERE m.number > :after
ORDER BY m.number
LIMIT :limit;
-- postgres: none

-- PostgreSQL has many writers, and one may commit a smaller number behind another's greater one. So there each organization
-- has a progress of its own: what the index has come to, and a number that it must come to (the last one that was given, whosesoever).
-- name: search_await :tenant
-- sqlite: none
-- postgres:
INSERT INTO search_progress (organization_id, last_message, newest_message)
VALUES (:organization, 0, coalesce(pg_catalog.pg_sequence_last_value('messages_number_seq'), 0))
ON CONFLICT (organization_id) DO UPDATE
SET newest_message = greatest(search_progress.newest_message, excluded.newest_message);

-- An organization that has something new.
-- name: search_work :system
-- out: organization_id uuid
-- sqlite: none
-- postgres:
SELECT p.organization_id
FROM search_progress AS p
WHERE p.last_message < p.newest_message
ORDER BY p.organization_id
LIMIT 1;

-- name: search_news_of_organization :tenant
-- in:  limit int
-- out: number int, organization_id uuid, chat_number int, content text
-- sqlite: none
-- postgres:
SELECT m.number, m.organization_id, m.chat_number, m.content
FROM messages AS m
WHERE m.organization_id = :organization
  AND m.number > (SELECT p.last_message FROM search_progress AS p WHERE p.organization_id = :organization)
ORDER BY m.number
LIMIT :limit;

-- It has come to a message, or (null) to the end.
-- name: search_advance :tenant
-- in: last_message int
-- sqlite: none
-- postgres:
UPDATE search_progress SET last_message = coalesce(:last_message, newest_message) WHERE organization_id = :organization;

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
-- in that order, one after the other, so that the first page costs the same however many there are. Only documents before
-- before_place. The place of a chat is before all its documents, that of a mark (src/search/indexer.h) is the mark's: words
-- may ask for marks too, which are never shown. The first column is the way the search is on (src/api/list.h). Columns as
-- chat_page has them.
-- name: chat_page_of_search :tenant
-- in:  words text, before_place int, way time, limit int, from_time time, before_time time, status text,
--      min_lead_score int, sentiment text, visitor_id uuid
-- out: sort_time time, sort_number int, shown bool, topic_summary text, user_score int, lead_score int, sentiment text,
--      topics json, conversion_signals json, summarized_at time,
--      id uuid, chat_id text, session_id text, user_id text, visitor_id uuid, location text, user_agent text, status text,
--      metadata json, created_at time, updated_at time, message_count int, organization_id uuid
-- sqlite:
SELECT :way, hit.place,
       (hit.place & 1 = 0 AND c.created_at >= :from_time AND c.created_at < :before_time
        AND (:status IS NULL OR c.status = :status)
        AND (:min_lead_score IS NULL OR coalesce(s.lead_score, c.given_lead_score) >= :min_lead_score)
        AND (:sentiment IS NULL OR coalesce(s.sentiment, c.given_sentiment) = :sentiment)
        AND (:visitor_id IS NULL OR c.visitor_id = :visitor_id)) IS TRUE,
       s.topic_summary, s.user_score, s.lead_score, s.sentiment, s.topics, s.conversion_signals,
       s.summarized_at, c.id, c.chat_id, c.session_id, c.user_id, c.visitor_id, c.location, c.user_agent, c.status,
       c.metadata, c.created_at, a.updated_at, a.message_count, c.organization_id
FROM (SELECT DISTINCT CASE h.rowid & 1 WHEN 1 THEN h.rowid ELSE h.rowid >> 32 << 32 END AS place
      FROM search AS h
      WHERE h.search MATCH :words AND h.rowid < :before_place
      ORDER BY h.rowid DESC
      LIMIT 4000000000) AS hit
CROSS JOIN chats AS c ON c.organization_id = :organization AND c.number = hit.place >> 32
CROSS JOIN chat_activity AS a ON a.chat_number = c.number AND a.organization_id = :organization
LEFT JOIN chat_summaries AS s ON s.chat_number = c.number AND s.organization_id = :organization
LIMIT :limit;
-- postgres:
SELECT :way, c.number << 32,
       (c.created_at >= :from_time AND c.created_at < :before_time
        AND (:status IS NULL OR c.status = :status)
        AND (:min_lead_score IS NULL OR coalesce(s.lead_score, c.given_lead_score) >= :min_lead_score)
        AND (:sentiment IS NULL OR coalesce(s.sentiment, c.given_sentiment) = :sentiment)
        AND (:visitor_id IS NULL OR c.visitor_id = :visitor_id)) IS TRUE,
       s.topic_summary, s.user_score, s.lead_score, s.sentiment, s.topics, s.conversion_signals,
       s.summarized_at, c.id, c.chat_id, c.session_id, c.user_id, c.visitor_id, c.location, c.user_agent, c.status,
       c.metadata, c.created_at, a.updated_at, a.message_count, c.organization_id
FROM search_documents(:words, :before_place, :limit) AS hit
JOIN chats AS c ON c.organization_id = :organization AND c.number = hit.chat_number
JOIN chat_activity AS a ON a.chat_number = c.number AND a.organization_id = :organization
LEFT JOIN chat_summaries AS s ON s.chat_number = c.number AND s.organization_id = :organization
ORDER BY c.number DESC
LIMIT :limit;
