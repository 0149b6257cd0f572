-- An organization that comes in or goes out does so in small steps, and nobody sees it meanwhile: it is suspended, in no list,
-- and found by no slug (src/move/). Its slug and its id are taken.
ALTER TABLE organizations ADD COLUMN moving TEXT CHECK (moving IN ('in', 'out')); -- null: it is there
ALTER TABLE organizations ADD COLUMN moving_by BLOB;       -- the process that is at it
ALTER TABLE organizations ADD COLUMN moving_at INTEGER;    -- when that took a step last
ALTER TABLE organizations ADD COLUMN moving_receipt TEXT;  -- rows erased so far: a line for each table
CREATE INDEX organizations_moving ON organizations (id) WHERE moving IS NOT NULL;
CREATE INDEX erasures_by_organization ON erasures (organization_id, number);
