-- See the file of the same name beside this one.
ALTER TABLE organizations ADD COLUMN moving text CHECK (moving IN ('in', 'out'));
ALTER TABLE organizations ADD COLUMN moving_by uuid;
ALTER TABLE organizations ADD COLUMN moving_at bigint;
ALTER TABLE organizations ADD COLUMN moving_receipt text;
CREATE INDEX organizations_moving ON organizations (id) WHERE moving IS NOT NULL;
-- An organization removes itself, and nobody another one: its policy sees to that.
-- Its own row, and only once it leaves.
CREATE POLICY leaving ON organizations AS RESTRICTIVE FOR DELETE TO innkeeper_server USING (moving = 'out');
GRANT DELETE ON organizations TO innkeeper_server;
