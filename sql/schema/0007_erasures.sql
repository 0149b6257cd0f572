-- Chats that were erased and whose messages still have to go: they were hidden with the chat, and are removed from the
-- newest back in small steps, so that a conversation of any length holds up nobody (src/erase/). A row goes with the last
-- of its messages.
CREATE TABLE erasures (
	number          INTEGER PRIMARY KEY,
	organization_id BLOB    NOT NULL REFERENCES organizations (id),
	chat_number     INTEGER NOT NULL, -- of the chat that is gone
	next_message    INTEGER NOT NULL  -- number of the newest message that is still there
) STRICT;
