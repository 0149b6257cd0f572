-- Which process of a database does the work that is to be done once. On PostgreSQL alone: a file has one process.

-- Takes a lease that is free, or keeps the holder's own. No row is changed: it is another's.
-- name: lease_take :system
-- in: name text, holder text, milliseconds int
-- sqlite: none
-- postgres:
INSERT INTO leases (name, holder, expires_at)
VALUES (:name, :holder, (extract(epoch FROM clock_timestamp()) * 1000)::bigint + :milliseconds)
ON CONFLICT (name) DO UPDATE
SET holder = excluded.holder, expires_at = excluded.expires_at
WHERE leases.holder = excluded.holder
   OR leases.expires_at <= (extract(epoch FROM clock_timestamp()) * 1000)::bigint;

-- name: lease_release :system
-- in: name text, holder text
-- sqlite: none
-- postgres:
DELETE FROM leases WHERE name = :name AND holder = :holder;
