-- Marks stand among the documents, one behind about a thousand of them (src/search/indexer.h): a search that goes a long way
-- without a hit meets them, and so knows how far it has come. A message's document has another number than before to make room for
-- them: the index is made anew, from the first message. No summary was written yet.
INSERT INTO search (search) VALUES ('delete-all');
UPDATE search_progress SET last_message = 0 WHERE number = 1;
