-- The words of a document changed (src/search/words.h), and what is removed from the index must be what was added: it is
-- made anew, from the first message. No summary was written yet.
INSERT INTO search (search) VALUES ('delete-all');
UPDATE search_progress SET last_message = 0 WHERE number = 1;

-- Pieces of the index are merged when there are eight of a size, not four: half of what is written for a message was
-- merging. A search looks into a few pieces more, which it does not feel.
INSERT INTO search (search, rank) VALUES ('automerge', 8);
