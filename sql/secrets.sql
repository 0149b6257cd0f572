-- Random keys of this database, by what they are for.

-- name: secret_create :system
-- in: name text, value text
INSERT INTO secrets (name, value) VALUES (:name, :value) ON CONFLICT (name) DO NOTHING;

-- name: secret_by_name :system
-- in:  name text
-- out: value text
SELECT s.value FROM secrets AS s WHERE s.name = :name;
