-- See the file of the same name beside this one.
ALTER TABLE erasures ADD COLUMN session_id text COLLATE "C";
ALTER TABLE erasures ADD COLUMN counted_message bigint;
ALTER TABLE erasures ADD COLUMN edition bigint;
ALTER TABLE erasures ADD COLUMN build_edition bigint;
ALTER TABLE erasures ADD COLUMN build_behind bigint;
CREATE INDEX erasures_counted ON erasures (organization_id, number) WHERE session_id IS NOT NULL;
ALTER TABLE rollup_states ADD COLUMN mark_message bigint;
