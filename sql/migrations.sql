-- The record of what was applied.

-- name: migration_list :system
-- out: number int, name text, checksum text, applied_at time
SELECT m.number, m.name, m.checksum, m.applied_at FROM migrations AS m ORDER BY m.number;

-- name: migration_record :system
-- in: number int, name text, checksum text, applied_at time
INSERT INTO migrations (number, name, checksum, applied_at) VALUES (:number, :name, :checksum, :applied_at);
