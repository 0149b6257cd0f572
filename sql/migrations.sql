-- The record of what was applied.

-- name: migration_list :system
-- out: number int, name text, checksum text, applied_at time
SELECT m.number, m.name, m.checksum, m.applied_at FROM migrations AS m ORDER BY m.number;

-- name: migration_record :system
-- in: number int, name text, checksum text, applied_at time
INSERT INTO migrations (number, name, checksum, applied_at) VALUES (:number, :name, :checksum, :applied_at);

-- The question of /readyz: can the database be read?
-- name: migration_newest :system
-- out: number int
SELECT max(m.number) FROM migrations AS m;
