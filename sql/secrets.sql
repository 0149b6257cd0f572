-- The random keys of this database. A value is 16 bytes, as an id is, but never shown to anybody.

-- name: secret_by_name :system
-- in:  name text
-- out: value uuid
SELECT s.value FROM secrets AS s WHERE s.name = :name;

-- name: secret_create :system
-- in: name text, value uuid
INSERT INTO secrets (name, value) VALUES (:name, :value) ON CONFLICT (name) DO NOTHING;
