-- Organizations, as the operator makes and lists them and as their own members see them.

-- name: organization_create :system
-- in: id uuid, slug text, organization_name text, location text, website_url text, requests_per_minute int, now time
INSERT INTO organizations (id, slug, organization_name, location, website_url, requests_per_minute, created_at, updated_at)
VALUES (:id, :slug, :organization_name, :location, :website_url, :requests_per_minute, :now, :now);

-- One that is on its way in or out (move.sql) is not there for anybody.
-- name: organization_list :system
-- out: id uuid, slug text, organization_name text, location text, website_url text, status text,
--      time_zone text, requests_per_minute int, created_at time, updated_at time
SELECT o.id, o.slug, o.organization_name, o.location, o.website_url, o.status, o.time_zone, o.requests_per_minute,
       o.created_at, o.updated_at
FROM organizations AS o
WHERE o.moving IS NULL
ORDER BY o.number;

-- name: organization_by_slug :system
-- in:  slug text
-- out: id uuid
SELECT o.id FROM organizations AS o WHERE o.slug = :slug AND o.moving IS NULL;

-- name: organization_show :tenant
-- out: id uuid, slug text, organization_name text, location text, website_url text, status text,
--      time_zone text, requests_per_minute int, created_at time, updated_at time
SELECT o.id, o.slug, o.organization_name, o.location, o.website_url, o.status, o.time_zone, o.requests_per_minute,
       o.created_at, o.updated_at
FROM organizations AS o
WHERE o.id = :organization;

-- What an organization's own page of settings shows.
-- name: organization_settings :tenant
-- out: id uuid, slug text, organization_name text, location text, website_url text, status text, time_zone text,
--      retention_days int, created_at time, updated_at time
SELECT o.id, o.slug, o.organization_name, o.location, o.website_url, o.status, o.time_zone, o.retention_days, o.created_at,
       o.updated_at
FROM organizations AS o
WHERE o.id = :organization;

-- 0 days: data is kept for ever.
-- name: organization_retain :tenant
-- in: retention_days int, now time
UPDATE organizations SET retention_days = nullif(:retention_days, 0), updated_at = :now WHERE id = :organization;

-- Null leaves a column as it is, an empty text clears one.
-- name: organization_change :tenant
-- in: organization_name text, location text, website_url text, status text, requests_per_minute int, now time
UPDATE organizations
SET organization_name = coalesce(:organization_name, organization_name), location = nullif(coalesce(:location, location), ''),
    website_url = nullif(coalesce(:website_url, website_url), ''), status = coalesce(:status, status),
    requests_per_minute = coalesce(:requests_per_minute, requests_per_minute), updated_at = :now
WHERE id = :organization;
