-- What an erased chat said is uncounted behind its hiding, in small steps (src/erase/): until then the figures of these
-- editions hold it. `innkeeper verify` counts what is left of it too.
ALTER TABLE erasures ADD COLUMN session_id TEXT;         -- of the chat; null: nothing of it is counted any more
ALTER TABLE erasures ADD COLUMN counted_message INTEGER; -- number of the newest message that is still counted
ALTER TABLE erasures ADD COLUMN edition INTEGER;         -- that counted all of them; null: none
ALTER TABLE erasures ADD COLUMN build_edition INTEGER;   -- that was built meanwhile and had come to the chat; null: none
ALTER TABLE erasures ADD COLUMN build_behind INTEGER;    -- it counted the messages of greater numbers than this
CREATE INDEX erasures_counted ON erasures (organization_id, number) WHERE session_id IS NOT NULL;

-- A long chat is counted into a new edition in steps, from its newest message back: number of the message where it goes on
-- (of the chat at the mark); null: at the next chat.
ALTER TABLE rollup_states ADD COLUMN mark_message INTEGER;
